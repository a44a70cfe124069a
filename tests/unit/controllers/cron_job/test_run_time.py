"""Expectations: upstream's `pkg/controller/cronjob/utils_test.go` (TestMostRecentScheduleTime,
TestNextScheduleTimeDuration), unless ours."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tiphys.base.clock import rfc3339
from tiphys.base.document import Document
from tiphys.controllers.cron_job.run_time import runs, schedule_of, seconds_to_next

TOP = datetime(2016, 5, 19, 10, tzinfo=UTC).timestamp()
"""Upstream's topOfTheHour, a Thursday."""
HOURLY, SKIPPING, OTHER = "0 * * * *", "30 6-16/4 * * 1-5", "30 10,11,12 * * 1-5"
MINUTE, HOUR, DAY = 60, 3600, 86400


def cron_job(schedule: str, made: float, last: float | None = None, **spec: Any) -> Document:
    return {
        "metadata": {"name": "c", "creationTimestamp": rfc3339(TOP + made)},
        "spec": {"schedule": schedule, **spec},
        "status": {} if last is None else {"lastScheduleTime": rfc3339(TOP + last)},
    }


@pytest.mark.parametrize(
    "document, now, since, due, missed",
    [
        (cron_job(HOURLY, 10), 59 * MINUTE, 10, None, 0),
        (cron_job(HOURLY, 10), 60 * MINUTE, 10, 60 * MINUTE, 0),
        (cron_job(HOURLY, 0), 61 * MINUTE, 0, 60 * MINUTE, 0),
        (cron_job(HOURLY, 10), 301 * MINUTE, 10, 300 * MINUTE, 5),
        (cron_job(SKIPPING, 0, 30 * MINUTE), DAY + 31 * MINUTE, 30 * MINUTE, DAY + 30 * MINUTE, 2),
        (cron_job(OTHER, 0, 30 * MINUTE), 30 * HOUR + 30 * MINUTE, 30 * MINUTE, None, 30),
        (cron_job(HOURLY, 0, 0, startingDeadlineSeconds=HOUR), 10 * DAY + 5, 10 * DAY + 5 - HOUR, 10 * DAY, 0),
        # Ours: more than a hundred.
        (cron_job(HOURLY, 0), 200 * HOUR, 0, 200 * HOUR, 200),
        (cron_job("@every 1h", 15 * MINUTE), 136 * MINUTE, 15 * MINUTE, 135 * MINUTE, 2),
    ],
)
def test_runs(document: Document, now: float, since: float, due: float | None, missed: int) -> None:
    found = runs(document, schedule_of(document), TOP + now, within_deadline=True)
    assert (found.since - TOP, found.due and found.due - TOP, found.missed) == (since, due, missed)


@pytest.mark.parametrize("schedule", ["59 23 31 2 *", "0 0 30 2 *"])
def test_a_schedule_without_runs(schedule: str) -> None:
    document = cron_job(schedule, 0)
    with pytest.raises(ValueError, match="time difference between two schedules is less than 1 second"):
        runs(document, schedule_of(document), TOP + DAY, within_deadline=True)
    assert seconds_to_next(document, schedule_of(document), TOP + DAY) == 0


@pytest.mark.parametrize(
    "document, now, seconds",
    [
        (cron_job(SKIPPING, 0, 30 * MINUTE), DAY + 31 * MINUTE, 3 * HOUR + 59 * MINUTE),
        (cron_job(OTHER, 0, 30 * MINUTE), 30 * HOUR + 30 * MINUTE, 66 * HOUR),
        (cron_job("0 12 * * 4", 0, 2 * HOUR), 19 * DAY + HOUR + 30 * MINUTE, 48 * HOUR + 30 * MINUTE),
        (cron_job("0 12 * * 5", 0), 6 * HOUR, 20 * HOUR),
    ],
)
def test_next(document: Document, now: float, seconds: float) -> None:
    """A tenth of a second is added."""
    assert seconds_to_next(document, schedule_of(document), TOP + now) == pytest.approx(seconds + 0.1)


def test_in_a_time_zone() -> None:
    document = cron_job("30 9 * * *", 0, timeZone="Asia/Shanghai")
    assert schedule_of(document).next(TOP) == TOP + 15 * HOUR + 30 * MINUTE

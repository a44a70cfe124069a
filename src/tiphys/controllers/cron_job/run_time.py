"""Which run of a CronJob is due, how many were missed, and when the next one is (`cronjob/utils.go`)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tiphys.base import cron_schedule
from tiphys.base.cron_schedule import CronSchedule
from tiphys.base.document import Document
from tiphys.controllers.pod_state import time_of

MANY = 100
"""More missed runs than this are told, for they are most likely a mistake."""
MARGIN = 0.1
"""Seconds after a run's time at which it is looked for, so that clocks may differ a little."""


@dataclass(frozen=True, slots=True)
class Runs:
    """`since` when runs are looked for; `due` the latest of them that is not in the future; `missed` how many there
    are, roughly, counted only when there are several."""

    since: float
    due: float | None
    missed: int = 0


def schedule_of(cron_job: Document) -> CronSchedule:
    """In its time zone. Raises ValueError for a schedule or a zone that cannot be read."""
    spec = cron_job["spec"]
    text, zone = str(spec.get("schedule") or ""), spec.get("timeZone")
    if zone is not None and "TZ" not in text and cron_schedule.is_known_zone(zone):
        text = f"TZ={zone} {text}"
    return cron_schedule.parse(text)


def runs(cron_job: Document, schedule: CronSchedule, now: float, *, within_deadline: bool) -> Runs:
    """Those since the last one, or since the CronJob was made. Raises ValueError for a schedule with no runs."""
    since = time_of((cron_job.get("status") or {}).get("lastScheduleTime"))
    since = since or time_of(cron_job["metadata"].get("creationTimestamp"))
    deadline = cron_job["spec"].get("startingDeadlineSeconds")
    if within_deadline and deadline is not None:
        since = max(since, now - deadline)
    first = schedule.next(since)
    if first is not None and now < first:
        return Runs(since, None)
    second = schedule.next(first) if first is not None else None
    if second is not None and now < second:
        return Runs(since, first)
    if first is None or second is None or second - first < 1:
        raise ValueError("time difference between two schedules is less than 1 second")
    return _many(schedule, since, first, int(second - first), now)


def _many(schedule: CronSchedule, since: float, first: float, interval: int, now: float) -> Runs:
    """Not to go through years of runs, the latest is looked for from shortly before now by the first interval."""
    missed = math.floor(now - first) // interval + 1
    due, run = None, schedule.next(first + (missed - 2) * interval)
    while run is not None and run <= now:
        due, run = run, schedule.next(run)
    return Runs(since, due, missed)


def seconds_to_next(cron_job: Document, schedule: CronSchedule, now: float) -> float:
    """Until the run after the one that is due; 0 for a schedule with no runs."""
    try:
        found = runs(cron_job, schedule, now, within_deadline=False)
    except ValueError:
        after = now
    else:
        after = found.due if found.due is not None else now if found.missed else found.since
    following = schedule.next(after)
    return 0.0 if following is None else max(0.0, following + MARGIN - now)

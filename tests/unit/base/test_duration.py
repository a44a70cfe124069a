"""Ages to the letter: the cases are those of apimachinery `util/duration/duration_test.go`, in seconds."""

from __future__ import annotations

import pytest

from tiphys.base.duration import human_duration, short_human_duration

MINUTE, HOUR, DAY = 60, 3600, 86400
YEAR = 365 * DAY


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (1, "1s"),
        (70, "70s"),
        (119.999, "119s"),
        (2 * MINUTE, "2m"),
        (2 * MINUTE + 30, "2m30s"),
        (10 * MINUTE, "10m"),
        (179 * MINUTE + 59, "179m"),
        (3 * HOUR, "3h"),
        (3 * HOUR + MINUTE, "3h1m"),
        (7 * HOUR + 59 * MINUTE, "7h59m"),
        (8 * HOUR + 59 * MINUTE, "8h"),
        (47 * HOUR, "47h"),
        (2 * DAY, "2d"),
        (2 * DAY + HOUR, "2d1h"),
        (7 * DAY + 23 * HOUR, "7d23h"),
        (8 * DAY + 23 * HOUR, "8d"),
        (2 * YEAR - HOUR, "729d"),
        (2 * YEAR, "2y"),
        (2 * YEAR + 23 * HOUR, "2y"),
        (2 * YEAR + DAY, "2y1d"),
        (8 * YEAR - HOUR, "7y364d"),
        (8 * YEAR + 364 * DAY, "8y"),
        (-1, "0s"),
        (-1.9, "0s"),
        (-2, "<invalid>"),
        (0, "0s"),
    ],
)
def test_human_duration(seconds, shown):
    assert human_duration(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (59, "59s"),
        (MINUTE, "1m"),
        (HOUR - 1, "59m"),
        (23 * HOUR, "23h"),
        (DAY, "1d"),
        (YEAR - 1, "364d"),
        (YEAR, "1y"),
        (-1, "0s"),
        (-2, "<invalid>"),
    ],
)
def test_short_human_duration(seconds, shown):
    assert short_human_duration(seconds) == shown

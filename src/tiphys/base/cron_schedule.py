"""Cron schedules as robfig/cron v3 reads them (ParseStandard): five fields, names, ranges, steps, descriptors."""

from __future__ import annotations

import math
import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_DAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_INTEGER = re.compile("[-+]?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class _Bounds:
    low: int
    high: int
    names: Mapping[str, int]


_FIELDS = (
    _Bounds(0, 59, {}),
    _Bounds(0, 23, {}),
    _Bounds(1, 31, {}),
    _Bounds(1, 12, _MONTHS),
    _Bounds(0, 6, _DAYS),
)


@dataclass(frozen=True, slots=True)
class CronSchedule:
    """The times a schedule names. `every` seconds above 0 stands for `@every`; the sets are empty then.

    Days match by either of the two day fields if both are restricted, else by both (cron's old rule).
    """

    minutes: frozenset[int] = frozenset()
    hours: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    any_day: bool = False
    any_weekday: bool = False
    every: float = 0
    zone: str = ""
    """The zone a `TZ=` or `CRON_TZ=` prefix names; none is UTC, as the controllers' hosts are set."""

    def next(self, after: float) -> float | None:
        """The first time later than `after`, both in seconds since the epoch; None if there is none in five years.

        Across changes of the clocks it does as robfig/cron v3 does (SpecSchedule.Next): what falls into the hour
        that is skipped does not happen, what falls into the hour that comes twice happens twice.
        """
        if self.every:
            return math.floor(after) + self.every
        return _next(self, max(math.floor(after), 0) + 1)


def parse(text: str) -> CronSchedule:
    """The schedule. Raises ValueError in the words of robfig/cron."""
    if not text:
        raise ValueError("empty spec string")
    zone = ""
    if text.startswith(("TZ=", "CRON_TZ=")):
        prefix, _, text = text.partition(" ")
        zone = prefix.partition("=")[2]
        _check_zone(zone)
        text = text.strip()
    if text.startswith("@"):
        return _descriptor(text, zone)
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]")
    return _schedule(fields, zone)


def zone_of(name: str) -> tzinfo:
    """The zone of that name; the empty one, `UTC` and `Local` are UTC. Raises ValueError for an unknown name."""
    if name in ("", "UTC", "Local"):
        return UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (OSError, ValueError, LookupError) as error:
        raise ValueError(f"unknown time zone {name}") from error


def is_known_zone(name: str) -> bool:
    """Whether the IANA database of this machine has the zone."""
    try:
        zoneinfo.ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        return False
    return True


def _check_zone(zone: str) -> None:
    if zone not in ("", "UTC", "Local") and not is_known_zone(zone):
        raise ValueError(f"provided bad location {zone}: unknown time zone {zone}")


def _schedule(fields: list[str], zone: str) -> CronSchedule:
    minutes, hours, days, months, weekdays = (
        _field(text, bounds) for text, bounds in zip(fields, _FIELDS, strict=True)
    )
    any_day, any_weekday = _is_any(fields[2]), _is_any(fields[4])
    return CronSchedule(minutes, hours, days, months, weekdays, any_day, any_weekday, zone=zone)


def _is_any(field: str) -> bool:
    """A star without a step among the field's ranges leaves it open."""
    return any(
        part.partition("-")[0].partition("/")[0] in ("*", "?") and "/" not in part for part in field.split(",")
    )


def _descriptor(text: str, zone: str) -> CronSchedule:
    if fields := _DESCRIPTORS.get(text):
        return _schedule(fields.split(), zone)
    if not text.startswith("@every "):
        raise ValueError(f"unrecognized descriptor: {text}")
    seconds = _duration(text.removeprefix("@every "))
    if seconds is None:
        duration = text.removeprefix("@every ")
        raise ValueError(f'failed to parse duration {text}: time: invalid duration "{duration}"')
    return CronSchedule(every=max(1.0, float(int(seconds))), zone=zone)


def _duration(text: str) -> float | None:
    """Seconds of a Go duration such as `1h30m`; None if it is none."""
    if text == "0":
        return 0.0
    if not text or len(text) > 100 or not re.fullmatch(rf"[-+]?(?:{_DURATION_PART.pattern})+", text):
        return None
    total = sum(float(amount) * _UNITS[unit] for amount, unit in _DURATION_PART.findall(text))
    return -total if text.startswith("-") else total


def _field(text: str, bounds: _Bounds) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        if part:  # Go's FieldsFunc skips empty parts
            found |= _range(part, bounds)
    return frozenset(found)


def _range(text: str, bounds: _Bounds) -> set[int]:
    span, *steps = text.split("/")
    low, *highs = span.split("-")
    start, end, alone = _ends(text, low, highs, bounds)
    step = 1
    if len(steps) > 1:
        raise ValueError(f"too many slashes: {text}")
    if steps:
        step = _number(steps[0])
        end = bounds.high if alone else end
    _check(start, end, step, text, bounds)
    return set(range(start, end + 1, step))


def _ends(text: str, low: str, highs: list[str], bounds: _Bounds) -> tuple[int, int, bool]:
    """(first, last, whether a single number was given)."""
    if low in ("*", "?"):
        return bounds.low, bounds.high, False
    start = _named(low, bounds)
    if len(highs) > 1:
        raise ValueError(f"too many hyphens: {text}")
    return start, _named(highs[0], bounds) if highs else start, not highs


def _check(start: int, end: int, step: int, text: str, bounds: _Bounds) -> None:
    if start < bounds.low:
        raise ValueError(f"beginning of range ({start}) below minimum ({bounds.low}): {text}")
    if end > bounds.high:
        raise ValueError(f"end of range ({end}) above maximum ({bounds.high}): {text}")
    if start > end:
        raise ValueError(f"beginning of range ({start}) beyond end of range ({end}): {text}")
    if step == 0:
        raise ValueError(f"step of range should be a positive number: {text}")


def _named(text: str, bounds: _Bounds) -> int:
    number = bounds.names.get(text.lower())
    return _number(text) if number is None else number


def _number(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        problem = "value out of range" if re.fullmatch("[-+]?[0-9]+", text) else "invalid syntax"
        raise ValueError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": {problem}')
    number = int(text)
    if number < 0:
        raise ValueError(f"negative number ({number}) not allowed: {text}")
    return number


_HOUR = 3600


def _next(schedule: CronSchedule, second: int) -> int | None:
    """The first time not before `second` whose fields all match: month, day, hour, minute in turn.

    A field that does not match moves the time to the beginning of its next value; when that turns a larger field
    over, the search begins again from there.
    """
    zone = zone_of(schedule.zone)
    time = _local(second, zone)
    last_year = min(time.year + 5, 9998)
    while time.year <= last_year:
        moved = _next_day(schedule, time, zone, last_year)
        if moved is None:
            return None
        time = moved
        found = _time_of_day(schedule, time, zone)
        if found is not None:
            return found
        time = _midnight(time.date().toordinal() + 1, zone)
    return None


def _next_day(schedule: CronSchedule, time: datetime, zone: tzinfo, last_year: int) -> datetime | None:
    """The time itself if its day matches, else the beginning of the next day that does."""
    if _day_matches(schedule, time):
        return time
    day = datetime(time.year, time.month, time.day)
    while day.year <= last_year:
        if day.month not in schedule.months:
            day = datetime(day.year + day.month // 12, day.month % 12 + 1, 1)
        else:
            day += timedelta(days=1)
        if _day_matches(schedule, day):
            return _midnight(day.toordinal(), zone)
    return None


def _day_matches(schedule: CronSchedule, day: datetime) -> bool:
    in_month = day.day in schedule.days
    in_week = day.isoweekday() % 7 in schedule.weekdays
    if day.month not in schedule.months:
        return False
    if schedule.any_day or schedule.any_weekday:
        return in_month and in_week
    return in_month or in_week


def _time_of_day(schedule: CronSchedule, time: datetime, zone: tzinfo) -> int | None:
    """The first matching time from `time` to the end of its day, counted in real minutes and hours."""
    day, instant = time.day, _instant(time)
    instant += -instant % 60
    while (time := _local(instant, zone)).day == day:
        if time.hour not in schedule.hours:
            instant += _HOUR - time.minute * 60
        elif time.minute not in schedule.minutes:
            instant += 60
        else:
            return instant
    return None


def _midnight(ordinal: int, zone: tzinfo) -> datetime:
    """The first moment of a day; where clocks skip midnight, the day begins later."""
    wall = datetime.fromordinal(ordinal)
    moment = _local(_instant(wall.replace(tzinfo=zone)), zone)
    if moment.day != wall.day:
        moment = _local(_instant(moment) + _HOUR, zone)
    return moment


def _local(instant: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(instant, zone)


def _instant(time: datetime) -> int:
    return int(time.timestamp())

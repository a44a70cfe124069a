"""Durations as people read them (apimachinery `util/duration`): two or three significant figures."""

from __future__ import annotations

_MINUTE = 60
_HOUR = 3600


def short_human_duration(seconds: float) -> str:
    """One unit only, `5d`; `<invalid>` from two seconds in the future on (duration.ShortHumanDuration)."""
    whole = int(seconds)
    if whole < 0:
        return _future(whole)
    if whole < 60:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m"
    hours = whole // _HOUR
    if hours < 24:
        return f"{hours}h"
    days = hours // 24
    return f"{days}d" if days < 365 else f"{days // 365}y"


def human_duration(seconds: float) -> str:
    """As `kubectl get` shows an age: `119s`, `2m30s`, `7h59m`, `7d23h`, `2y1d` (duration.HumanDuration)."""
    whole = int(seconds)
    if whole < 0:
        return _future(whole)
    if whole < 2 * _MINUTE:
        return f"{whole}s"
    minutes, second = divmod(whole, _MINUTE)
    if minutes < 10:
        return _two(minutes, "m", second, "s")
    if minutes < 180:
        return f"{minutes}m"
    hours, minute = divmod(minutes, 60)
    return _two(hours, "h", minute, "m") if hours < 8 else _from_hours(hours)


def _from_hours(hours: int) -> str:
    if hours < 48:
        return f"{hours}h"
    days, hour = divmod(hours, 24)
    if days < 8:
        return _two(days, "d", hour, "h")
    if days < 365 * 2:
        return f"{days}d"
    years, day = divmod(days, 365)
    return _two(years, "y", day, "d") if years < 8 else f"{years}y"


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"


def _future(whole: int) -> str:
    """Clocks differ a little: one second ahead is still now."""
    return "<invalid>" if whole < -1 else "0s"

"""Durations in words, as kubectl shows ages (apimachinery `util/duration`)."""

from __future__ import annotations

MINUTE = 60
HOUR = 3600


def human_duration(seconds: float) -> str:
    """Two or three significant figures: `119s`, `2m5s`, `3h`, `7d23h`, `2y10d`; `<invalid>` well before now."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 2 * MINUTE:
        return f"{max(whole, 0)}s"
    minutes, hours = whole // MINUTE, whole // HOUR
    if minutes < 10:
        return _two(minutes, "m", whole % MINUTE, "s")
    if minutes < 3 * 60:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    return _days(hours)


def _days(hours: int) -> str:
    days = hours // 24
    if hours < 48:
        return f"{hours}h"
    if hours < 24 * 8:
        return _two(days, "d", hours % 24, "h")
    if hours < 24 * 365 * 2:
        return f"{days}d"
    if hours < 24 * 365 * 8:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(large: int, unit: str, small: int, small_unit: str) -> str:
    return f"{large}{unit}{small}{small_unit}" if small else f"{large}{unit}"

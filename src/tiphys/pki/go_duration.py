"""Durations as Go writes them (`time.ParseDuration`): `8760h`, `1h30m`, `-5m`, `1.5s`."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_TERM = re.compile(r"(\d+\.?\d*|\.\d+)([^\d.]*)")
_LONGEST = 2**63 / 1e9
"""Seconds in the largest time.Duration, some 292 years."""


def parse_duration(text: str) -> timedelta:
    """Raises ValueError in Go's words."""
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return timedelta()
    if not rest:
        raise _invalid(text)
    seconds = 0.0
    while rest:
        term = _TERM.match(rest)
        if term is None:
            raise _invalid(text)
        number, unit = term.groups()
        if not unit:
            raise ValueError(f'time: missing unit in duration "{text}"')
        if unit not in _UNITS:
            raise ValueError(f'time: unknown unit "{unit}" in duration "{text}"')
        seconds += float(number) * _UNITS[unit]
        rest = rest[term.end() :]
    if seconds > _LONGEST:
        raise _invalid(text)
    return timedelta(seconds=-seconds if text[0] == "-" else seconds)


def _invalid(text: str) -> ValueError:
    return ValueError(f'time: invalid duration "{text}"')

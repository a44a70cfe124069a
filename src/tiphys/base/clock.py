"""Time, injected: everything that asks what time it is asks a Clock."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol


class Clock(Protocol):
    """Wall time, monotonic time and waiting, so that tests and simulations can move it."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go backwards."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait on this clock."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        import asyncio  # half the time it takes to start a command that never waits

        await asyncio.sleep(seconds)


def rfc3339(seconds: float) -> str:
    """metav1.Time on the wire: whole seconds in UTC, `2022-06-07T01:23:10Z`."""
    return _rfc3339(math.floor(seconds))


@lru_cache(maxsize=64)
def _rfc3339(seconds: int) -> str:
    """Many objects are made in the same second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def rfc3339_micro(seconds: float) -> str:
    """metav1.MicroTime on the wire: microseconds in UTC, `2022-06-07T01:23:10.000000Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_rfc3339(text: str) -> float:
    """Seconds since the epoch of a metav1.Time or MicroTime. Raises ValueError."""
    return datetime.fromisoformat(text).timestamp()

"""How long to wait before trying the API again (client-go's reflector: 0.8 s doubling to 30 s, jittered)."""

from __future__ import annotations

import random

from tiphys.base.clock import Clock

FIRST = 0.8
LONGEST = 30.0
CALM = 120.0
"""After this long without a failure the delay starts over."""


class Backoff:
    """Call `wait` after each failure."""

    def __init__(self, clock: Clock, first: float = FIRST, longest: float = LONGEST) -> None:
        self._clock = clock
        self._first = first
        self._longest = longest
        self._delay = first
        self._last = clock.monotonic()

    async def wait(self) -> None:
        now = self._clock.monotonic()
        if now - self._last > CALM:
            self._delay = self._first
        self._last = now
        delay, self._delay = self._delay, min(self._delay * 2, self._longest)
        await self._clock.sleep(delay * (1 + random.random()))

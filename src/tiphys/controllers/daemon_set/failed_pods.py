"""How long to wait before a failed daemon pod is deleted again (client-go `util/flowcontrol` Backoff).

A node may refuse every pod it is given: each is then failed at once, and deleting it at once would never end.
"""

from __future__ import annotations

from dataclasses import dataclass

from tiphys.base.clock import Clock

FIRST = 1.0
LONGEST = 900.0
FORGOTTEN = 2 * LONGEST
"""So long after the last failure, in seconds, it counts as the first again."""


@dataclass(slots=True)
class _Entry:
    delay: float
    at: float


class FailedPods:
    """By key (set, generation and node): `delay` before the next deletion, `failed` when one is done."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: dict[str, _Entry] = {}

    def delay(self, key: str) -> float:
        """Seconds to wait; 0 when it may be done now."""
        entry = self._entries.get(key)
        if entry is None:
            return 0.0
        return max(0.0, entry.at + entry.delay - self._clock.monotonic())

    def failed(self, key: str) -> None:
        now = self._clock.monotonic()
        entry = self._entries.get(key)
        if entry is None or now - entry.at > FORGOTTEN:
            self._entries[key] = _Entry(FIRST, now)
        else:
            entry.delay, entry.at = min(2 * entry.delay, LONGEST), now

    async def forget_old(self) -> None:
        now = self._clock.monotonic()
        self._entries = {key: entry for key, entry in self._entries.items() if now - entry.at <= FORGOTTEN}

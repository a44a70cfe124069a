"""What a controller has done and not yet seen through its informers (controller.UIDTrackingControllerExpectations).

Between a create and its ADDED event the cache shows too few; acting on it then would create too many.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tiphys.base.clock import Clock

TIMEOUT = 300.0
"""After this long, in seconds, what was expected counts as seen: an event may have been missed."""


@dataclass(slots=True)
class _Expected:
    at: float
    creations: int = 0
    deletions: set[str] = field(default_factory=set)

    @property
    def fulfilled(self) -> bool:
        return self.creations <= 0 and not self.deletions


class Expectations:
    """Per controller key, how many creations and which deletions (by key) are still to be seen."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._expected: dict[str, _Expected] = {}

    def satisfied(self, key: str) -> bool:
        """Whether the cache can be acted on: all was seen, or too long ago to wait for."""
        expected = self._expected.get(key)
        return expected is None or expected.fulfilled or self._clock.monotonic() - expected.at > TIMEOUT

    def expect_creations(self, key: str, count: int) -> None:
        self.expect(key, count, ())

    def expect_deletions(self, key: str, deleted: Iterable[str]) -> None:
        self.expect(key, 0, deleted)

    def expect(self, key: str, creations: int, deleted: Iterable[str]) -> None:
        """From now on these and nothing else are expected of the key."""
        self._expected[key] = _Expected(self._clock.monotonic(), creations, set(deleted))

    def creation_observed(self, key: str, count: int = 1) -> None:
        expected = self._expected.get(key)
        if expected is not None:
            expected.creations -= count

    def deletion_observed(self, key: str, deleted: str) -> None:
        expected = self._expected.get(key)
        if expected is not None:
            expected.deletions.discard(deleted)

    def forget(self, key: str) -> None:
        self._expected.pop(key, None)

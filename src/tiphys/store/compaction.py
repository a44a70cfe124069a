"""How long history is kept: five minutes, as upstream's API server has etcd keep it, and never more than fits.

The age is etcd's compaction interval (apiserver `storagebackend.DefaultCompactInterval`); the bounds on count and
size are ours, since here history lives in the server's memory. Each revision is one event, so revisions count them.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from dataclasses import dataclass
from typing import NoReturn

from tiphys.base.clock import Clock
from tiphys.store.contract import Store, StoreFailure

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Compaction:
    """History younger than `seconds` is kept, unless it is more than `events` or `size` bytes.

    It is looked at `every` so many seconds; in between it may grow beyond the bounds.
    """

    seconds: float = 300.0
    events: int = 100_000
    size: int = 128 << 20
    every: float = 5.0

    async def run(self, store: Store, clock: Clock) -> NoReturn:
        """Compact for ever; to be cancelled. A disk that refuses is logged and tried again the next time."""
        seen: deque[tuple[float, int]] = deque()  # (monotonic time, the revision then)
        while True:
            seen.append((clock.monotonic(), store.revision))
            floor = self._floor(store, _aged(seen, clock.monotonic() - self.seconds))
            if floor > store.compacted:
                await _compact(store, floor)
            await clock.sleep(self.every)

    def _floor(self, store: Store, aged: int) -> int:
        """The revision up to which history may go."""
        return max(aged, store.revision - self.events, store.compacted + self._excess(store))

    def _excess(self, store: Store) -> int:
        """How many of the oldest events make up what is over `size`, by their mean size; the next round corrects."""
        if store.history_bytes <= self.size:
            return 0
        share = 1 - self.size / store.history_bytes
        return math.ceil((store.revision - store.compacted) * share)


def _aged(seen: deque[tuple[float, int]], before: float) -> int:
    """The latest revision seen at or before that time (0: none); what is older than it is dropped from `seen`."""
    revision = 0
    while seen and seen[0][0] <= before:
        revision = seen.popleft()[1]
    return revision


async def _compact(store: Store, revision: int) -> None:
    try:
        await store.compact(revision)
    except StoreFailure as failure:
        _log.warning("history is not compacted: %s", failure)

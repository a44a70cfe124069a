"""One watcher: events that its selection lets through, bookmarks in between, an end in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from tiphys.api.call import Call
from tiphys.api.frame import Framer
from tiphys.api.selection import Selection
from tiphys.base.clock import Clock
from tiphys.store.contract import Event, Watch, WatchOverflow

_BOOKMARK_EVERY = 60.0
_BOOKMARK_BEFORE_END = 2.0


class Ticks:
    """When the next bookmark is due, and when the watch ends; seconds on the clock."""

    def __init__(self, clock: Clock, timeout: float, bookmarks: bool) -> None:
        self._clock = clock
        self._bookmarks = bookmarks
        now = clock.monotonic()
        self._end = now + timeout
        self._last_bookmark = max(self._end - _BOOKMARK_BEFORE_END, now)
        self._next = self._following(now)

    def _following(self, now: float) -> float:
        if not self._bookmarks or now >= self._last_bookmark:
            return self._end
        return min(now + _BOOKMARK_EVERY, self._last_bookmark)

    async def wait(self) -> bool:
        """Until the next tick; True for a bookmark, False for the end."""
        await self._clock.sleep(max(self._next - self._clock.monotonic(), 0.0))
        due, self._next = self._next, self._following(self._next)
        return due < self._end


class WatchStream:
    """An async iterator of chunks, each any number of whole frames. `close` must be called."""

    def __init__(self, watch: Watch, ticks: Ticks, framer: Framer, selection: Selection, call: Call) -> None:
        self._watch = watch
        self._batches = watch.__aiter__()
        self._ticks = ticks
        self._framer = framer
        self._selection = selection
        self._kind = call.kind
        self._key = call.resource.key(call.namespace, selection.name) if _one_key(call, selection) else ""
        self._next: asyncio.Task[list[Event]] | None = None
        self._tick: asyncio.Task[bool] | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        while True:
            chunk = await self._wait()
            if chunk:
                return chunk

    async def _wait(self) -> bytes:
        """What the next batch or tick brings, maybe nothing. Raises StopAsyncIteration at the end."""
        if self._next is None:
            self._next = asyncio.ensure_future(_take(self._batches))
        if self._tick is None:
            self._tick = asyncio.ensure_future(self._ticks.wait())
        await asyncio.wait((self._next, self._tick), return_when=asyncio.FIRST_COMPLETED)
        if self._next.done():
            batch, self._next = self._next.result(), None
            if not batch:
                raise StopAsyncIteration
            return self.frames(batch)
        bookmark, self._tick = self._tick.result(), None
        if not bookmark:
            raise StopAsyncIteration
        return self._framer.bookmark(self._watch.position)

    def frames(self, batch: list[Event]) -> bytes:
        key = self._key
        if self._selection.everything:
            return b"".join([self._framer.event(event) for event in batch])
        chosen = (event for event in batch if not key or event.key == key)
        return b"".join([self._selected(event) for event in chosen])

    def _selected(self, event: Event) -> bytes:
        """A change into or out of the selection is an addition or deletion to this watcher (cacheWatcher.convert)."""
        matches, kind = self._selection.matches, self._kind
        before = event.previous is not None and matches(kind, event.previous)
        after = event.record is not None and matches(kind, event.record)
        if after:
            return self._framer.event(event) if before or event.previous is None else self._framer.entered(event)
        if before:
            return self._framer.event(event) if event.record is None else self._framer.left(event)
        return b""

    async def close(self) -> None:
        """End the watch and whatever waits for it."""
        self._watch.close()
        tasks = [task for task in (self._next, self._tick) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _take(batches: AsyncIterator[list[Event]]) -> list[Event]:
    """The next batch; empty at the end, and when the watcher was too slow: it must list anew."""
    try:
        return await anext(batches, [])
    except WatchOverflow:
        return []


def _one_key(call: Call, selection: Selection) -> bool:
    return bool(selection.name) and (bool(call.namespace) or not call.kind.namespaced)

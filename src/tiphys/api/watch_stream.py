"""One watcher: events that its selection lets through, bookmarks in between, an end in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

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
    """An async iterator of chunks, each any number of whole frames. `close` must be called.

    It waits for events in the task that iterates it, with nothing in between, as most watchers sleep most of the
    time. A tick that falls due interrupts that wait the way `asyncio.timeout` does.
    """

    def __init__(self, watch: Watch, ticks: Ticks, framer: Framer, selection: Selection, call: Call) -> None:
        self._watch = watch
        self._batches = watch.__aiter__()
        self._ticks = ticks
        self._framer = framer
        self._selection = selection
        self._kind = call.kind
        self._key = call.resource.key(call.namespace, selection.name) if _one_key(call, selection) else ""
        self._due: list[bool] = []
        self._ticking: asyncio.Task[None] | None = None
        self._waiting: asyncio.Task[Any] | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._ticking is None:
            self._ticking = asyncio.ensure_future(self._tick())
        while True:
            batch = None if self._due else await self._next_batch()
            if batch is None:
                return self._bookmark()
            if not batch:
                raise StopAsyncIteration
            chunk = self.frames(batch)
            if chunk:
                return chunk

    async def _next_batch(self) -> list[Event] | None:
        """The next events, none at the end, None when a tick fell due. A watcher that was too slow ends, too."""
        task = self._waiting = asyncio.current_task()
        assert task is not None
        try:
            return await self._batches.__anext__()
        except (StopAsyncIteration, WatchOverflow):
            return []
        except asyncio.CancelledError:
            if self._due and task.uncancel() <= 0:
                return None
            raise
        finally:
            self._waiting = None

    async def _tick(self) -> None:
        going_on = True
        while going_on:
            going_on = await self._ticks.wait()
            self._due.append(going_on)
            if self._waiting is not None:
                self._waiting.cancel()
                self._waiting = None

    def _bookmark(self) -> bytes:
        """What a tick is for. Raises StopAsyncIteration when it is the last."""
        if not self._due.pop(0):
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
        """End the watch and what ticks for it."""
        self._watch.close()
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)


def _one_key(call: Call, selection: Selection) -> bool:
    return bool(selection.name) and (bool(call.namespace) or not call.kind.namespaced)

"""The queue of keys between informers and a controller's workers (client-go `util/workqueue`).

A key waits at most once, is never handed to two workers at a time, and if it is added while being worked on
it waits again when that is done. Failures come back after 5 ms, 10 ms, 20 ms … 1000 s.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from tiphys.base.clock import Clock

Key = TypeVar("Key", bound=Hashable)

BASE_DELAY = 0.005
LONGEST_DELAY = 1000.0


class ShutDown(Exception):
    """The queue is shut down and empty: the worker may go home."""


class WorkQueue(Generic[Key]):
    """Use: `key = await queue.get()`, work, then `queue.done(key)`, always."""

    def __init__(self, clock: Clock, base_delay: float = BASE_DELAY, longest_delay: float = LONGEST_DELAY) -> None:
        self._clock = clock
        self._base_delay = base_delay
        self._longest_delay = longest_delay
        self._ready: deque[Key] = deque()
        self._dirty: set[Key] = set()
        self._processing: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._getters: deque[asyncio.Future[None]] = deque()
        self._delayed = _Delayed(clock, self.add)
        self._closed = False

    def __len__(self) -> int:
        return len(self._ready)

    def add(self, key: Key) -> None:
        """Have the key worked on, now or, if a worker has it, once more afterwards."""
        if self._closed or key in self._dirty:
            return
        self._dirty.add(key)
        if key not in self._processing:
            self._push(key)

    def add_after(self, key: Key, seconds: float) -> None:
        """Add the key in `seconds`; of several such wishes for a key the earliest counts."""
        if seconds <= 0:
            self.add(key)
        elif not self._closed:
            self._delayed.add(key, self._clock.monotonic() + seconds)

    def add_rate_limited(self, key: Key) -> None:
        """Add the key after its own exponential delay; `forget` resets that."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = self._longest_delay if failures > 60 else self._base_delay * 2**failures
        self.add_after(key, min(delay, self._longest_delay))

    def failures(self, key: Key) -> int:
        """How often the key was added rate limited since it was last forgotten."""
        return self._failures.get(key, 0)

    def forget(self, key: Key) -> None:
        self._failures.pop(key, None)

    async def get(self) -> Key:
        """The next key, which is then being processed until `done`. Raises ShutDown."""
        while not self._ready:
            if self._closed:
                raise ShutDown
            getter = asyncio.get_running_loop().create_future()
            self._getters.append(getter)
            try:
                await getter
            except asyncio.CancelledError:
                # Woken and cancelled at once: the wake-up is another's.
                if getter.done() and not getter.cancelled():
                    self._wake()
                raise
        key = self._ready.popleft()
        self._processing.add(key)
        self._dirty.discard(key)
        return key

    def done(self, key: Key) -> None:
        self._processing.discard(key)
        if key in self._dirty:
            self._push(key)

    def shut_down(self) -> None:
        """Take no more keys; workers finish what is ready, then `get` raises ShutDown."""
        self._closed = True
        self._delayed.close()
        while self._getters:
            self._wake()

    def _push(self, key: Key) -> None:
        self._ready.append(key)
        self._wake()

    def _wake(self) -> None:
        while self._getters:
            getter = self._getters.popleft()
            if not getter.done():
                getter.set_result(None)
                return


class _Delayed(Generic[Key]):
    """Keys that become ready later: a heap and one task that sleeps until the first is due."""

    def __init__(self, clock: Clock, add: Callable[[Key], None]) -> None:
        self._clock = clock
        self._add = add
        self._heap: list[tuple[float, int, Key]] = []
        self._due: dict[Key, float] = {}
        self._count = 0
        self._task: asyncio.Task[None] | None = None
        self._sleeping_until = 0.0

    def add(self, key: Key, due: float) -> None:
        if self._due.get(key, float("inf")) <= due:
            return
        self._due[key] = due
        self._count += 1
        heapq.heappush(self._heap, (due, self._count, key))
        if self._task is None or self._task.done():
            self._start()
        elif due < self._sleeping_until:
            self._task.cancel()
            self._start()

    def close(self) -> None:
        self._heap.clear()
        self._due.clear()
        if self._task is not None:
            self._task.cancel()

    def _start(self) -> None:
        self._sleeping_until = self._heap[0][0]
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        while self._heap:
            self._sleeping_until = self._heap[0][0]
            wait = self._sleeping_until - self._clock.monotonic()
            if wait > 0:
                await self._clock.sleep(wait)
                continue
            due, _, key = heapq.heappop(self._heap)
            if self._due.get(key) == due:
                del self._due[key]
                self._add(key)

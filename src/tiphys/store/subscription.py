"""Watches: bounded queues between the commit and whoever reads.

A change finds its watchers by the prefixes of its own key, so a thousand watches of other namespaces cost it
nothing. A watcher that lets its queue grow over the limit is ended; what has been queued is given back at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

from tiphys.store.contract import Event, WatchOverflow
from tiphys.store.state import State

QUEUE = 10_000
"""Events a watcher may be behind, beyond the history it asked for when it started."""


class Subscription:
    """One watch. Handing out the queue is one assignment, however long it is."""

    def __init__(self, subscriptions: Subscriptions, prefix: str, after: int, backlog: list[Event]) -> None:
        self.prefix = prefix
        self._subscriptions = subscriptions
        self._after = after
        self._queue = backlog
        self._room = len(backlog) + subscriptions.limit
        self._ended_at: int | None = None
        self._overflowed = False
        self._waiter: asyncio.Future[None] | None = None

    @property
    def position(self) -> int:
        if self._ended_at is not None:
            return self._ended_at
        if self._queue:
            return self._queue[0].revision - 1
        return max(self._after, self._subscriptions.state.revision)

    def __aiter__(self) -> AsyncIterator[list[Event]]:
        return self

    async def __anext__(self) -> list[Event]:
        while not self._queue:
            if self._overflowed:
                raise WatchOverflow(f"more than {self._subscriptions.limit} events behind on {self.prefix}")
            if self._ended_at is not None:
                raise StopAsyncIteration
            await self._wait()
        batch, self._queue = self._queue, []
        self._room = self._subscriptions.limit
        return batch

    def close(self) -> None:
        if self._ended_at is None:
            self._ended_at = self.position
            self._queue = []
            self._subscriptions.drop(self)
            self._wake()

    def push(self, events: Sequence[Event]) -> None:
        """Queue events, all of this prefix and in order; end the watch if that is more than it may have."""
        if events[0].revision <= self._after:
            events = [event for event in events if event.revision > self._after]
        self._queue += events
        if len(self._queue) > self._room:
            self._overflowed = True
            self.close()
        elif self._queue:
            self._wake()

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Subscriptions:
    """All watches of a store, by prefix."""

    def __init__(self, state: State, limit: int = QUEUE) -> None:
        self.state = state
        self.limit = limit
        self._by_prefix: dict[str, dict[Subscription, None]] = {}  # an ordered set

    def add(self, prefix: str, after: int) -> Subscription:
        """Start a watch with what already happened. Raises Compacted."""
        subscription = Subscription(self, prefix, after, self.state.since(prefix, after))
        self._by_prefix.setdefault(prefix, {})[subscription] = None
        return subscription

    def drop(self, subscription: Subscription) -> None:
        watchers = self._by_prefix[subscription.prefix]
        del watchers[subscription]
        if not watchers:
            del self._by_prefix[subscription.prefix]

    def deliver(self, events: Sequence[Event]) -> None:
        """Queue durable events, in order, for those who watch them."""
        batches: dict[str, list[Event]] = {}
        for event in events:
            for prefix in _prefixes(event.key):
                if prefix in self._by_prefix:
                    batches.setdefault(prefix, []).append(event)
        for prefix, batch in batches.items():
            for subscription in tuple(self._by_prefix[prefix]):
                subscription.push(batch)

    def close(self) -> None:
        for watchers in tuple(self._by_prefix.values()):
            for subscription in tuple(watchers):
                subscription.close()


def _prefixes(key: str) -> Iterator[str]:
    slash = key.find("/")
    while slash >= 0:
        yield key[: slash + 1]
        slash = key.find("/", slash + 1)

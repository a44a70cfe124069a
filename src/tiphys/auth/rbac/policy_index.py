"""The policy as it stands in the store.

Fed by one watch of the whole group. The store hands a change to its watches before it answers the writer; the index
takes in what has been handed to it before it answers. So a decision right after a role was written knows it, which
upstream's informers do not promise.
"""

from __future__ import annotations

import orjson

from tiphys.auth.rbac.known_policy import GROUP, KnownPolicy
from tiphys.store.contract import Event, Record, Store, Watch, WatchOverflow

_PREFIX = f"/registry/{GROUP}/"


class PolicyIndex:
    """`version` grows with every change that `refresh` takes in."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._watch: Watch | None = None
        self.policy = KnownPolicy()
        self.version = 0

    @property
    def fresh(self) -> bool:
        """Whether all that is durable has been taken in."""
        return self._watch is not None and self._watch.position >= self._store.revision

    async def refresh(self) -> None:
        """Take in every change there has been. Does not wait for others: a watch that is behind has them queued."""
        try:
            if self._watch is None:
                await self._read_all()
            while self._watch is not None and self._watch.position < self._store.revision:
                self._take(await anext(aiter(self._watch)))
        except WatchOverflow:
            self._watch = None
            await self.refresh()
        except StopAsyncIteration:
            """The store is closed: what was known last is what there is."""

    async def _read_all(self) -> None:
        page = await self._store.list(_PREFIX)
        self.policy = KnownPolicy()
        for record in page.records:
            self._put(record)
        self._watch = self._store.watch(_PREFIX, after=page.revision)
        self.version += 1

    def _take(self, events: list[Event]) -> None:
        for event in events:
            if event.record is not None:
                self._put(event.record)
            else:
                plural, *place, name = event.key[len(_PREFIX) :].split("/")
                self.policy.drop(plural, place[0] if place else "", name)
        self.version += 1

    def _put(self, record: Record) -> None:
        plural = record.key[len(_PREFIX) :].partition("/")[0]
        self.policy.put(plural, orjson.loads(record.value))

"""The store that every embedded backend is: reads from memory, writes through a journal, one sequence of revisions.

A write is decided in the event loop, against what is *pending* (the durable state and all accepted changes), gets
its revision and its bytes at once, and then waits for its batch. A write that loses against a pending change
waits too: what it is told must be as durable as what a winner is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from tiphys.store.change import Change, put, remove
from tiphys.store.contract import (
    Event,
    FutureRevision,
    KeyExists,
    KeyMissing,
    Page,
    Record,
    RevisionMismatch,
)
from tiphys.store.group_commit import GroupCommit
from tiphys.store.journal import Journal
from tiphys.store.replay import replay
from tiphys.store.state import State
from tiphys.store.subscription import QUEUE, Subscription, Subscriptions

Check = Callable[[str, Record | None], Exception | None]


class RevisionedStore:
    """Implements `contract.Store` over a journal. To be used from one event loop.

    `queue` is how many events a watcher may be behind before it is ended.
    """

    def __init__(self, journal: Journal, *, queue: int = QUEUE) -> None:
        self._journal = journal
        self._queue = queue
        self._commits = GroupCommit(journal, self._apply)
        self._compacting = asyncio.Lock()
        self._begin(State(), [])

    def _begin(self, state: State, orphans: list[int]) -> None:
        self._state = state
        self._orphans = orphans
        self._subscriptions = Subscriptions(state, self._queue)

    @property
    def revision(self) -> int:
        return self._state.revision

    @property
    def compacted(self) -> int:
        return self._state.compacted

    @property
    def history_bytes(self) -> int:
        return self._state.history_bytes

    async def open(self) -> None:
        contents = await self._journal.open()
        try:
            self._begin(*replay(contents))
        except BaseException:
            await self._journal.close()
            raise
        self._commits.start(self.revision)

    async def close(self) -> None:
        await self._commits.stop()
        self._subscriptions.close()
        async with self._compacting:
            await self._journal.close()

    async def get(self, key: str) -> Record | None:
        return self._state.get(key)

    async def list(self, prefix: str, *, at: int | None = None, after: str = "", limit: int = 0) -> Page:
        return self._state.page(prefix, at, after, limit)

    async def count(self, prefix: str) -> int:
        return self._state.count(prefix)

    async def create(self, key: str, value: bytes, facts: Any = None) -> Record:
        key.encode()  # a ValueError for this writer here, not a failure of its whole batch later
        await self._expect(key, _absent)
        change = put(key, value, facts, None, self._commits.next_revision())
        await self._commits.write(change)
        return _outcome(change.event)

    async def update(self, key: str, value: bytes, facts: Any = None, *, expected: int) -> Record:
        previous = await self._expect(key, _at(expected))
        change = put(key, value, facts, previous, self._commits.next_revision())
        await self._commits.write(change)
        return _outcome(change.event)

    async def delete(self, key: str, *, expected: int, value: bytes | None = None) -> Record:
        previous = await self._expect(key, _at(expected))
        assert previous is not None  # _at refuses None
        change = remove(previous, value, self._commits.next_revision())
        await self._commits.write(change)
        return _outcome(change.event)

    def watch(self, prefix: str, *, after: int) -> Subscription:
        return self._subscriptions.add(prefix, after)

    async def compact(self, revision: int) -> None:
        if revision > self.revision:
            raise FutureRevision(self.revision)
        async with self._compacting:
            if revision <= self.compacted:
                return
            obsolete = sorted([*self._orphans, *self._state.obsolete(revision)])
            await self._journal.compact(revision, obsolete)
            self._orphans = []
            self._state.forget(revision)

    async def _expect(self, key: str, check: Check) -> Record | None:
        """What stands at the key, pending changes included, if `check` has no objection.

        Otherwise raises the objection, once what it rests on is durable; if that failed, looks again. It does
        not wait between the look and the return, so the caller's write follows on what was seen.
        """
        while True:
            pending = self._commits.pending(key)
            found = pending.event.record if pending else self._state.get(key)
            objection = check(key, found)
            if objection is None:
                return found
            if pending is None or await pending.durable() is None:
                raise objection

    def _apply(self, changes: Sequence[Change]) -> None:
        events = [change.event for change in changes]
        for event in events:
            self._state.apply(event)
        self._subscriptions.deliver(events)


def _absent(key: str, found: Record | None) -> Exception | None:
    return KeyExists(key) if found is not None else None


def _at(expected: int) -> Check:
    def check(key: str, found: Record | None) -> Exception | None:
        if found is None:
            return KeyMissing(key)
        return RevisionMismatch(found) if found.revision != expected else None

    return check


def _outcome(event: Event) -> Record:
    record = event.record or event.last
    assert record is not None  # a change has the one or the other
    return record

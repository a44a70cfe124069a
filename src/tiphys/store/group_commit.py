"""Group commit: while one batch of changes is on its way to the disk, the next one gathers.

Many concurrent writers thus share one fsync. A change is *pending* from its acceptance to its durability; only
then is it handed on, in revision order. If the disk refuses a batch, everything pending fails with it, since later
changes were accepted on the strength of earlier ones; then nothing is pending and the next change starts afresh.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from tiphys.store.change import Change
from tiphys.store.contract import StoreFailure
from tiphys.store.journal import Journal

BATCH_CHANGES = 256
BATCH_BYTES = 4 << 20
"""A batch ends before it would pass this; a single larger change goes alone."""


class GroupCommit:
    """`apply` is called with each durable batch, just before the writers hear of it."""

    def __init__(self, journal: Journal, apply: Callable[[Sequence[Change]], None]) -> None:
        self._journal = journal
        self._apply = apply
        self._durable = 0
        self._accepted = 0
        self._newest: dict[str, Change] = {}
        self._flying: list[Change] = []
        self._gathering: list[Change] = []
        self._task: asyncio.Task[None] | None = None
        self._stopped = "the store is not open"

    def start(self, revision: int) -> None:
        """Accept changes, the first of them at the revision after this one."""
        self._durable = self._accepted = revision
        self._stopped = ""

    async def stop(self) -> None:
        """Accept no more changes, and finish those that were accepted."""
        self._stopped = self._stopped or "the store is closed"
        if self._task is not None:
            await asyncio.wait([self._task])

    def next_revision(self) -> int:
        """The revision of the change that is to be written now."""
        return self._accepted + 1

    def pending(self, key: str) -> Change | None:
        """The newest change of this key that is accepted and not yet durable."""
        return self._newest.get(key)

    async def write(self, change: Change) -> None:
        """Accept a change and wait until it is durable. Raises StoreFailure."""
        if self._stopped:
            raise StoreFailure(self._stopped)
        self._accepted = change.event.revision
        self._newest[change.event.key] = change
        self._gathering.append(change)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
        failure = await change.durable()
        if failure is not None:
            raise StoreFailure(str(failure))  # a fresh one: several writers raise it

    async def _run(self) -> None:
        try:
            while self._gathering:
                self._take()
                await self._commit()
                await asyncio.sleep(0)  # lets the writers just answered join the next batch
        except BaseException:
            # Cancelled with a batch in the journal's hands: whether it landed only the disk can tell.
            self._stopped = "the store was stopped in the middle of a write; open it again to see how far it came"
            self._fail(StoreFailure(self._stopped))
            raise
        finally:
            self._task = None

    def _take(self) -> None:
        size = count = 0
        for change in self._gathering[:BATCH_CHANGES]:
            size += len(change.row.value or b"")
            if count and size > BATCH_BYTES:
                break
            count += 1
        self._flying = self._gathering[:count]
        del self._gathering[:count]

    async def _commit(self) -> None:
        try:
            await self._journal.append([change.row for change in self._flying])
        except StoreFailure as failure:
            self._fail(failure)
        else:
            self._settle()

    def _settle(self) -> None:
        batch = self._flying
        self._durable = batch[-1].event.revision
        for change in batch:
            if self._newest[change.event.key] is change:
                del self._newest[change.event.key]
        self._apply(batch)
        self._flying = []
        for change in batch:
            change.settle()

    def _fail(self, failure: StoreFailure) -> None:
        batch = self._flying + self._gathering
        self._flying, self._gathering = [], []
        self._newest.clear()
        self._accepted = self._durable  # nobody has seen the revisions given out since
        for change in batch:
            change.settle(failure)

"""The store without a disk: for tests, and for clusters that may be forgotten."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.store.journal import Contents, Row
from tiphys.store.revisioned import RevisionedStore
from tiphys.store.subscription import QUEUE


class NoJournal:
    """Keeps nothing and so is always done at once."""

    async def open(self) -> Contents:
        return Contents()

    async def append(self, rows: Sequence[Row]) -> None:
        pass

    async def compact(self, revision: int, obsolete: Sequence[int]) -> None:
        pass

    async def close(self) -> None:
        pass


class MemoryStore(RevisionedStore):
    """Empty whenever it is opened; the same core as every other backend otherwise."""

    def __init__(self, *, queue: int = QUEUE) -> None:
        super().__init__(NoJournal(), queue=queue)

"""What a backend must be able to do: keep rows, in order, for good.

Everything else (revisions, compare-and-swap, lists, history, watches) is the shared core in memory, so a
backend is small. A journal never thinks about meaning; it is told which rows nothing needs any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class Row(NamedTuple):
    """One write. A deletion carries a value only if the caller gave a final state of its own."""

    revision: int
    key: str
    deleted: int
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Contents:
    """All that a journal holds: rows sorted by revision, and the revision up to which history is gone."""

    compacted: int = 0
    rows: Sequence[Row] = ()


class Journal(Protocol):
    """Calls of `append` never overlap; one of `compact` may run beside them."""

    async def open(self) -> Contents:
        """Lock the journal and read all of it. Raises StoreFailure with the remedy."""
        ...

    async def append(self, rows: Sequence[Row]) -> None:
        """Make all rows durable, or none. Raises StoreFailure."""
        ...

    async def compact(self, revision: int, obsolete: Sequence[int]) -> None:
        """Note `revision` as compacted for good, then drop the rows with the `obsolete` revisions, sorted, in order.

        In order, because a deletion's row must not go before the row of the object it deleted: cut short
        between the two, the object would rise from the dead. Raises StoreFailure.
        """
        ...

    async def close(self) -> None:
        """Let go of the lock and of everything else."""
        ...

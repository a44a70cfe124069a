"""The store's whole contract: what every backend does, and what `tests/contract` holds it to.

A *value* is the encoded JSON of an object and is kept, answered, listed and sent to watchers as the same
bytes. It carries its own revision: the first `"resourceVersion":"…"` in it is the stamp, written by the
store (`stamp`) when it gives the write its revision. Encoders put it right at the head of the document
(apiVersion, kind, metadata.resourceVersion), where nothing a user wrote can come before it.

Keys are paths, `/registry/<plural or group/plural>/<namespace>/<name>`; a *prefix* ends in `/`.
Revisions are one sequence for the whole store and never go backwards, over restarts too.
A write returns only after it is durable, and a read never shows what is not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Protocol

_MARK = b'"resourceVersion":"'


def stamp(value: bytes, revision: int) -> bytes:
    """The value with `revision` as its resource version. Raises ValueError if it has no place for one."""
    start = value.index(_MARK) + len(_MARK)
    return b"%b%d%b" % (value[:start], revision, value[value.index(b'"', start) :])


@dataclass(slots=True, eq=False)
class Record:
    """One object at one revision.

    `facts` belongs to the caller: the few things selection needs, so that a list need not decode. It is given
    with the write, and None on records read back from disk, where the caller may fill it in.
    """

    key: str
    value: bytes
    revision: int
    facts: Any = None


@dataclass(slots=True, eq=False)
class Event:
    """One change. `record` is the object after it, None when it was deleted; `previous` before it.

    For a deletion `last` is the final state stamped with the deletion's revision.
    `frames` is the caller's: encoded once, shared by all watchers. It is a cache: the store empties it when the
    event is no longer fresh.
    """

    revision: int
    key: str
    record: Record | None
    previous: Record | None
    last: Record | None = None
    frames: dict[Any, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list, sorted by key, consistent at `revision`. `remaining` counts the keys after it."""

    records: list[Record]
    revision: int
    remaining: int


class KeyExists(Exception):
    """create: there is an object at this key."""


class KeyMissing(Exception):
    """update or delete: there is no object at this key."""


class RevisionMismatch(Exception):
    """update or delete: the object is no longer at the expected revision.

    `current` is the record a retry must start from; it is durable by the time this is raised.
    """

    def __init__(self, current: Record) -> None:
        super().__init__(f"{current.key} is at revision {current.revision}")
        self.current = current


class Compacted(Exception):
    """The revision asked for is older than history reaches; `floor` is the oldest that can be had."""

    def __init__(self, floor: int) -> None:
        super().__init__(f"compacted up to revision {floor}")
        self.floor = floor


class FutureRevision(Exception):
    """The revision asked for has not happened yet; `current` is the latest."""

    def __init__(self, current: int) -> None:
        super().__init__(f"the latest revision is {current}")
        self.current = current


class WatchOverflow(Exception):
    """This watcher fell so far behind that it was ended; it must list anew."""


class StoreFailure(Exception):
    """The backend could not make a write durable (disk full, read-only, I/O error). Nothing was acknowledged."""


class Watch(Protocol):
    """A subscription of one consumer. Iterate it for batches of events in revision order; it never skips one.

    It counts from the call of `Store.watch`, not from the first step of the iteration. Raises WatchOverflow out of
    the iteration when ended for slowness. `close` is idempotent and ends iteration, as does closing the store.
    """

    @property
    def position(self) -> int:
        """Every event of this watch up to this revision has been handed out: what a bookmark may say."""
        ...

    def __aiter__(self) -> AsyncIterator[list[Event]]: ...

    def close(self) -> None: ...


class Store(Protocol):
    """A revisioned map of keys to values. Backends: memory, sqlite; later etcd."""

    @property
    def revision(self) -> int:
        """The latest durable revision."""
        ...

    @property
    def compacted(self) -> int:
        """History at or below this revision is gone; the state at exactly this revision can still be listed."""
        ...

    @property
    def history_bytes(self) -> int:
        """Bytes of values in memory that nothing but history keeps: what `compact` would give back."""
        ...

    async def open(self) -> None:
        """Read what is on disk. Raises StoreFailure with the remedy when it cannot be used."""
        ...

    async def close(self) -> None:
        """Finish writes under way and let go of everything."""
        ...

    async def get(self, key: str) -> Record | None:
        """The latest durable state of one key."""
        ...

    async def list(self, prefix: str, *, at: int | None = None, after: str = "", limit: int = 0) -> Page:
        """Records below `prefix` whose key sorts after `after`, at most `limit` (0: all), at revision `at`.

        `at` None means the latest; continue a list by passing its `revision` as `at` and its last key as `after`.
        Raises Compacted or FutureRevision, and ValueError for a prefix that does not end in `/`.
        """
        ...

    async def count(self, prefix: str) -> int:
        """How many keys there are below the prefix."""
        ...

    async def create(self, key: str, value: bytes, facts: Any = None) -> Record:
        """Add an object. Raises KeyExists, StoreFailure, and ValueError for a value without place for the stamp."""
        ...

    async def update(self, key: str, value: bytes, facts: Any = None, *, expected: int) -> Record:
        """Replace the object if it is at revision `expected`. Raises KeyMissing, RevisionMismatch, StoreFailure."""
        ...

    async def delete(self, key: str, *, expected: int, value: bytes | None = None) -> Record:
        """Remove the object if it is at revision `expected`; returns its final state at the deletion's revision.

        `value` replaces the final state shown to watchers, which keeps the object's facts either way.
        Raises KeyMissing, RevisionMismatch, StoreFailure.
        """
        ...

    def watch(self, prefix: str, *, after: int) -> Watch:
        """Every change below `prefix` with a revision greater than `after`, past ones first.

        `after` may lie in the future; events up to it are then left out. Raises Compacted.
        """
        ...

    async def compact(self, revision: int) -> None:
        """Forget history at or below `revision`; the latest state of every key stays.

        Nothing happens if that is forgotten already. Raises FutureRevision, StoreFailure.
        """
        ...

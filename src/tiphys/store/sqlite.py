"""The store on disk: one SQLite file that is used as a log.

`log` has a row for each write and is only ever appended to; the state is the last row of each key. So a commit
writes at the end of one B-tree, needs no index, and history costs nothing extra. Everything is read back into
memory on open; compaction deletes the rows that nothing needs.

WAL with synchronous=FULL: a commit returns after the fsync of the WAL. SQLite's exclusive locking mode keeps
a second server out, and lets go by itself when the process dies. See docs/decisions/0001-one-log-in-sqlite.md.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import orjson

from tiphys.store import sqlite_failure
from tiphys.store.contract import StoreFailure
from tiphys.store.journal import Contents, Row
from tiphys.store.revisioned import RevisionedStore
from tiphys.store.sqlite_file import connect, read_meta, transaction
from tiphys.store.subscription import QUEUE

OBSOLETE_AT_ONCE = 2_000
"""Rows a compaction deletes in one transaction; commits of writers come between two of them."""

T = TypeVar("T")


class SqliteJournal:
    """All calls into SQLite happen in one thread of their own, since they wait for the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._failed = False

    async def open(self) -> Contents:
        self._thread = ThreadPoolExecutor(1, "store")
        try:
            return await self._do(self._open)
        except BaseException:
            await self.close()
            raise

    async def append(self, rows: Sequence[Row]) -> None:
        await self._do(self._append, rows)

    async def compact(self, revision: int, obsolete: Sequence[int]) -> None:
        # At least one round, which notes the revision in the same transaction as its first deletions.
        for start in range(0, len(obsolete) or 1, OBSOLETE_AT_ONCE):
            await self._do(self._forget, revision, obsolete[start : start + OBSOLETE_AT_ONCE])

    async def close(self) -> None:
        if self._thread is None:
            return
        try:
            await self._do(self._close)
        finally:
            self._thread.shutdown()
            self._thread = None

    async def _do(self, work: Callable[..., T], *arguments: Any) -> T:
        """Run in the writer's thread, telling SQLite's errors as StoreFailure."""
        if self._thread is None:
            raise StoreFailure(f"{self._path} is not open")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
        except sqlite3.Error as error:
            raise sqlite_failure.failure(error, self._path) from error

    # From here on: in the writer's thread.

    @property
    def _sql(self) -> sqlite3.Connection:
        assert self._connection is not None  # set by the first call in this thread, _open
        return self._connection

    def _open(self) -> Contents:
        self._connection = connect(self._path)
        self._failed = False
        rows = self._sql.execute("SELECT revision, key, deleted, value FROM log ORDER BY revision")
        return Contents(read_meta(self._sql)["compacted"], list(map(Row._make, rows)))

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _append(self, rows: Sequence[Row]) -> None:
        if self._failed:
            # Whatever the error of the last commit meant, make sure that nothing of it is on disk.
            self._sql.execute("DELETE FROM log WHERE revision >= ?", (rows[0].revision,))
        self._failed = True
        self._sql.execute(*_insert(rows))
        self._failed = False

    def _forget(self, revision: int, obsolete: Sequence[int]) -> None:
        with transaction(self._sql):
            self._sql.execute("UPDATE meta SET value = ? WHERE name = 'compacted'", (revision,))
            numbers = orjson.dumps(obsolete).decode()
            self._sql.execute("DELETE FROM log WHERE revision IN (SELECT value FROM json_each(?))", (numbers,))


def _insert(rows: Sequence[Row]) -> tuple[str, list[Any]]:
    """One statement that inserts all rows, and its parameters.

    One statement is one call that leaves and takes the interpreter's lock once, however many rows there are; a
    call for each row would meet a busy event loop at each. Its length is rounded up to a power of two with rows
    of NULL that are left out, so that few different statements have to be prepared.
    """
    length = 1 << (len(rows) - 1).bit_length()
    parameters: list[Any] = [field for row in rows for field in row]
    parameters += [None] * ((length - len(rows)) * len(Row._fields))
    values = ",".join(["(?,?,?,?)"] * length)
    return f"INSERT INTO log SELECT * FROM (VALUES {values}) WHERE column1 IS NOT NULL", parameters


class SqliteStore(RevisionedStore):
    """The store in the file at `path`, whose directory must exist. Opening it locks it.

    A durable write alone costs one fsync; 64 at once cost little more than that together.
    """

    def __init__(self, path: Path, *, queue: int = QUEUE) -> None:
        super().__init__(SqliteJournal(path), queue=queue)

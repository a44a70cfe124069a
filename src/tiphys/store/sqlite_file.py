"""The SQLite file itself: how it is opened, locked, recognised and laid out."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tiphys.store import sqlite_failure
from tiphys.store.contract import StoreFailure

FORMAT = 1
"""The layout below; a change of it takes the next number and a migration."""

APPLICATION = int.from_bytes(b"Tphy", "big")
"""SQLite's application_id, by which `file` and we know our files from others'."""

_LAYOUT = (
    f"PRAGMA application_id = {APPLICATION}",
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL)",
    "CREATE TABLE log (revision INTEGER PRIMARY KEY, key TEXT NOT NULL, deleted INTEGER NOT NULL, value BLOB)",
    f"INSERT INTO meta VALUES ('format', {FORMAT}), ('compacted', 0)",
)
_SETTINGS = (
    "PRAGMA journal_mode = WAL",  # in exclusive mode: needs no shared memory file
    "PRAGMA synchronous = FULL",  # fsync the WAL at each commit
    "PRAGMA fullfsync = ON",  # macOS: a real one
    "PRAGMA wal_autocheckpoint = 2000",  # pages, 16 MiB: what a crash leaves to read on open
    "PRAGMA journal_size_limit = 67108864",
)


def connect(path: Path) -> sqlite3.Connection:
    """A connection that holds the file's exclusive lock. Raises sqlite3.Error, StoreFailure."""
    if path.exists() and not os.access(path, os.W_OK):
        raise sqlite_failure.read_only(path)  # SQLite would speak of an I/O error when it cannot lock
    connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA page_size = 8192")  # heeded when the file is made
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    new = _is_new(connection, path)  # before anything is written to it
    for setting in _SETTINGS:
        connection.execute(setting)
    with transaction(connection):  # takes the lock, which exclusive mode keeps, and proves we may write
        for statement in _LAYOUT if new else ():
            connection.execute(statement)
    meta = read_meta(connection)
    if not isinstance(meta.get("compacted"), int):
        raise sqlite_failure.damaged(path, "it does not say how far it is compacted")
    if meta.get("format") != FORMAT:
        why = f"its format is {meta.get('format')}, this version of Tiphys knows {FORMAT}"
        raise StoreFailure(f"{path} was written by another version of Tiphys: use that one [{why}]")


def _is_new(connection: sqlite3.Connection, path: Path) -> bool:
    ((tables,),) = connection.execute("SELECT count(*) FROM sqlite_master")
    ((application,),) = connection.execute("PRAGMA application_id")
    if tables and application != APPLICATION:
        raise sqlite_failure.damaged(path, "an SQLite file of some other program")
    return not tables


def read_meta(connection: sqlite3.Connection) -> dict[str, int]:
    """The store's few numbers: its format, and the revision up to which history is gone."""
    return dict(connection.execute("SELECT name, value FROM meta"))


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the block or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # some errors have rolled it back already
            connection.execute("ROLLBACK")
        raise

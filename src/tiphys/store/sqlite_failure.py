"""SQLite's errors in words that say what happened to which file and how to mend it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tiphys.store.contract import StoreFailure

_DAMAGED = (
    "{path} is damaged or is no store: restore it from a backup, or move it away to begin with an empty one "
    "(mv {path} {path}.damaged)"
)
_UNREACHABLE = (
    "cannot open {path}: its directory must exist and this user be able to write there (ls -ld {directory})"
)
_READ_ONLY = "{path} cannot be written: give this user the right to write it and its directory (ls -l {directory})"
_FULL = "no room is left for {path}: free some (df -h {directory}) and writes go on"
_IN_USE = "{path} is in use by another server: stop that one, or choose another store"
_REFUSED = (
    "the disk refused {path}: see the kernel's log for its reason (dmesg), and the room left (df -h {directory})"
)

_REMEDIES = {
    sqlite3.SQLITE_BUSY: _IN_USE,
    sqlite3.SQLITE_LOCKED: _IN_USE,
    sqlite3.SQLITE_CANTOPEN: _UNREACHABLE,
    sqlite3.SQLITE_AUTH: _UNREACHABLE,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: _REFUSED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
}
_PRIMARY = 0xFF  # the low byte of an extended result code


def failure(error: Exception, path: Path) -> StoreFailure:
    """The StoreFailure for an error of SQLite on this file."""
    code = getattr(error, "sqlite_errorcode", None)
    remedy = _REMEDIES.get(code & _PRIMARY) if isinstance(code, int) else None
    return explain(remedy or "{path} failed", path, str(error))


def damaged(path: Path, why: str) -> StoreFailure:
    """The StoreFailure for a file that is not what it should be."""
    return explain(_DAMAGED, path, why)


def read_only(path: Path) -> StoreFailure:
    """The StoreFailure for a file that may not be written."""
    return explain(_READ_ONLY, path, "permission denied")


def explain(template: str, path: Path, why: str) -> StoreFailure:
    return StoreFailure(f"{template.format(path=path, directory=path.parent)} [{why}]")

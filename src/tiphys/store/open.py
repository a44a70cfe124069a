"""From a URL to a store."""

from __future__ import annotations

from pathlib import Path

from tiphys.store.contract import Store
from tiphys.store.memory import MemoryStore
from tiphys.store.sqlite import SqliteStore

_SQLITE = "sqlite:///"


def open_store(url: str) -> Store:
    """The store of `memory://` or `sqlite:///absolute/path`, still to be opened by `await store.open()`.

    The path is taken as it stands, without percent-decoding. Raises ValueError with one sentence for a user.
    """
    if url == "memory://":
        return MemoryStore()
    if url.startswith(_SQLITE) and len(url) > len(_SQLITE):
        return SqliteStore(Path(url[len(_SQLITE) - 1 :]))
    if url.startswith("etcd://"):
        raise ValueError(f"the store {url} is not supported yet: use memory:// or sqlite:///absolute/path")
    raise ValueError(f"{url!r} names no store: use memory:// or sqlite:///absolute/path")

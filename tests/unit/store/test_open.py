"""Store URLs. Ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiphys.store.memory import MemoryStore
from tiphys.store.open import open_store
from tiphys.store.sqlite import SqliteStore


async def test_memory() -> None:
    store = open_store("memory://")
    assert isinstance(store, MemoryStore)


async def test_sqlite_takes_the_path_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "a b%20?#.db"
    store = open_store(f"sqlite://{path}")
    assert isinstance(store, SqliteStore)
    await store.open()
    await store.close()
    assert path.exists()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("etcd://127.0.0.1:2379", "not supported yet"),
        ("sqlite:///", "names no store"),
        ("sqlite://relative/path", "names no store"),
        ("sqlite:store.db", "names no store"),
        ("memory", "names no store"),
        ("", "names no store"),
        ("postgres://x", "names no store"),
    ],
)
def test_anything_else_is_refused_in_one_sentence(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        open_store(url)
    assert "\n" not in str(caught.value)

"""The backends that the contract suite runs on. A new backend is one more entry here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tiphys.store.contract import Store
from tiphys.store.memory import MemoryStore
from tiphys.store.sqlite import SqliteStore

Make = Callable[[int], Store]


@pytest.fixture(params=["memory", "sqlite"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Makes a store, not opened yet, whose watchers may be so many events behind."""
    if request.param == "memory":
        return lambda queue: MemoryStore(queue=queue)
    return lambda queue: SqliteStore(tmp_path / "store.db", queue=queue)


@pytest.fixture
async def store(make: Make) -> AsyncIterator[Store]:
    opened = make(10_000)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def narrow(make: Make) -> AsyncIterator[Store]:
    """A store whose watchers may be three events behind."""
    opened = make(3)
    await opened.open()
    yield opened
    await opened.close()

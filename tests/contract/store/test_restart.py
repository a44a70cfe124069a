"""Backends that last: what was written is there when it is opened anew. Expectations: the contract's (ours)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tiphys.store.contract import Compacted, KeyExists, Record, Store
from tiphys.store.open import open_store

PODS = "/registry/pods/"


def value(note: str = "", at: int = 0) -> bytes:
    return b'{"metadata":{"resourceVersion":"%b","name":"%b"}}' % (b"%d" % at if at else b"", note.encode())


@pytest.fixture(params=["sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"{request.param}://{tmp_path}/store.db"


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    store = open_store(url)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def plain(records: list[Record]) -> list[tuple[str, int, bytes]]:
    return [(record.key, record.revision, record.value) for record in records]


async def test_objects_and_revision_are_there_again(url: str) -> None:
    async with opened(url) as store:
        await store.create(PODS + "a/x", value("ünï"), "facts")
        await store.create(PODS + "a/y", value())
        await store.update(PODS + "a/x", value("two"), expected=1)
        await store.delete(PODS + "a/y", expected=2)
    async with opened(url) as store:
        assert store.revision == 4
        assert plain((await store.list(PODS)).records) == [(PODS + "a/x", 3, value("two", at=3))]
        assert (await store.get(PODS + "a/x")).facts is None  # type: ignore[union-attr]
        assert (await store.create(PODS + "a/z", value())).revision == 5
        with pytest.raises(KeyExists):
            await store.create(PODS + "a/x", value())


async def test_watches_resume_over_a_restart(url: str) -> None:
    async with opened(url) as store:
        await store.create(PODS + "a/x", value("1"))
        await store.update(PODS + "a/x", value("2"), expected=1)
        await store.delete(PODS + "a/x", expected=2)
        await store.create(PODS + "a/x", value("4"))
        await store.delete(PODS + "a/x", expected=4, value=value("farewell"))
    async with opened(url) as store:
        batch = await anext(aiter(store.watch(PODS, after=1)))
    assert [event.revision for event in batch] == [2, 3, 4, 5]
    update, removal, addition, farewell = batch
    assert plain([r for r in (update.previous, update.record) if r]) == [
        (PODS + "a/x", 1, value("1", at=1)),
        (PODS + "a/x", 2, value("2", at=2)),
    ]
    assert removal.record is None and removal.last is not None and farewell.last is not None
    assert removal.last.value == value("2", at=3)
    assert addition.previous is None
    assert farewell.last.value == value("farewell", at=5)


async def test_the_past_can_be_listed_after_a_restart(url: str) -> None:
    async with opened(url) as store:
        for name in "xyz":
            await store.create(PODS + name, value())
        await store.delete(PODS + "y", expected=2)
    async with opened(url) as store:
        assert [record.key for record in (await store.list(PODS, at=2)).records] == [PODS + "x", PODS + "y"]


async def test_compaction_lasts(url: str) -> None:
    async with opened(url) as store:
        await store.create(PODS + "a/x", value())
        await store.update(PODS + "a/x", value(), expected=1)
        await store.update(PODS + "a/x", value(), expected=2)
        await store.compact(2)
    async with opened(url) as store:
        assert (store.compacted, store.revision, store.history_bytes) == (2, 3, len(value(at=2)))
        with pytest.raises(Compacted):
            store.watch(PODS, after=1)
        assert [event.revision for event in await anext(aiter(store.watch(PODS, after=2)))] == [3]
        assert [record.revision for record in (await store.list(PODS, at=2)).records] == [2]


async def test_the_revision_does_not_go_back_when_all_is_deleted_and_compacted(url: str) -> None:
    async with opened(url) as store:
        await store.create(PODS + "a/x", value())
        await store.delete(PODS + "a/x", expected=1)
        await store.compact(2)
    async with opened(url) as store:
        assert (store.revision, await store.count(PODS)) == (2, 0)
        assert (await store.create(PODS + "a/x", value())).revision == 3


async def test_one_store_object_can_be_closed_and_opened_again(url: str) -> None:
    store = open_store(url)
    for expected in (1, 2, 3):
        await store.open()
        assert (await store.create(f"{PODS}a/{expected}", value())).revision == expected
        await store.close()
        await store.close()

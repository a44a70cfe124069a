"""Compaction: what goes and what stays. Expectations: the contract's (ours)."""

from __future__ import annotations

import asyncio

import pytest

from tiphys.store.contract import Compacted, FutureRevision, Store

VALUE = b'{"metadata":{"resourceVersion":""}}'
PODS = "/registry/pods/"


async def write(store: Store, name: str) -> None:
    found = await store.get(PODS + name)
    if found is None:
        await store.create(PODS + name, VALUE)
    else:
        await store.update(PODS + name, VALUE, expected=found.revision)


async def test_the_present_stays(store: Store) -> None:
    for name in ("a/x", "a/y", "a/x", "a/x"):
        await write(store, name)
    await store.compact(4)
    assert (store.compacted, store.revision) == (4, 4)
    assert [(r.key, r.revision) for r in (await store.list(PODS)).records] == [(PODS + "a/x", 4), (PODS + "a/y", 2)]


async def test_compaction_never_goes_back(store: Store) -> None:
    for _ in range(4):
        await write(store, "a/x")
    await store.compact(3)
    await store.compact(2)
    await store.compact(3)
    assert store.compacted == 3


async def test_the_future_cannot_be_compacted(store: Store) -> None:
    await write(store, "a/x")
    with pytest.raises(FutureRevision):
        await store.compact(2)
    assert store.compacted == 0


async def test_history_bytes_are_those_that_only_history_keeps(store: Store) -> None:
    await write(store, "a/x")
    assert store.history_bytes == 0
    first = await store.get(PODS + "a/x")
    await write(store, "a/x")
    second = await store.get(PODS + "a/x")
    assert first is not None and second is not None
    assert store.history_bytes == len(first.value)
    gone = await store.delete(PODS + "a/x", expected=2)
    assert store.history_bytes == len(first.value) + len(second.value) + len(gone.value)
    await store.compact(2)
    assert store.history_bytes == len(second.value) + len(gone.value)
    await store.compact(3)
    assert store.history_bytes == 0


async def test_compaction_beside_writes(store: Store) -> None:
    async def storm(name: str) -> None:
        for _ in range(100):
            await write(store, name)

    async def compact() -> None:
        while store.revision < 400:
            await store.compact(store.revision)
            await asyncio.sleep(0)

    await asyncio.gather(compact(), *(storm(f"a/{n}") for n in range(4)))
    assert store.revision == 400
    await store.compact(400)
    assert len((await store.list(PODS)).records) == 4
    with pytest.raises(Compacted):
        store.watch(PODS, after=399)

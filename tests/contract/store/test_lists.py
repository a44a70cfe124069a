"""Lists: order, prefixes, pages consistent at one revision, the past. Expectations: the contract's (ours)."""

from __future__ import annotations

import asyncio
import random

import pytest

from tiphys.store.contract import Compacted, FutureRevision, Page, Store

VALUE = b'{"metadata":{"resourceVersion":""}}'
PODS = "/registry/pods/"


async def fill(store: Store, *keys: str) -> None:
    for key in keys:
        await store.create(key, VALUE)


def keys(page: Page) -> list[str]:
    return [record.key for record in page.records]


async def test_a_list_is_sorted_by_key(store: Store) -> None:
    await fill(store, PODS + "b/2", PODS + "a/9", PODS + "b/10", PODS + "a/10")
    page = await store.list(PODS)
    assert keys(page) == [PODS + "a/10", PODS + "a/9", PODS + "b/10", PODS + "b/2"]
    assert (page.revision, page.remaining) == (4, 0)


async def test_a_prefix_ends_at_its_slash(store: Store) -> None:
    """As upstream tests, a list of `pods/a/` has none of `pods/ab/` (store_tests.go RunTestListPaging and kin)."""
    await fill(store, PODS + "a/x", PODS + "ab/x", PODS + "a-b/x", PODS + "a", PODS + "a0/x", "/registry/podsx/a/x")
    assert keys(await store.list(PODS + "a/")) == [PODS + "a/x"]
    assert await store.count(PODS + "a/") == 1
    assert await store.count(PODS) == 5


async def test_a_prefix_without_its_slash_is_refused(store: Store) -> None:
    with pytest.raises(ValueError):
        await store.list("/registry/pods")
    with pytest.raises(ValueError):
        await store.count("/registry/pods")
    with pytest.raises(ValueError):
        store.watch("/registry/pods", after=0)


async def test_a_list_over_several_resources_is_sorted_too(store: Store) -> None:
    wanted = ["/odd", "/registry/apps/deployments/a/x", "/registry/pods-x/a/b", PODS + "a/x", "/registry/secrets/a/x"]
    await fill(store, *reversed(wanted))
    assert keys(await store.list("/")) == wanted
    assert keys(await store.list("/registry/")) == wanted[1:]
    page = await store.list("/registry/", after=wanted[1], limit=2)
    assert (keys(page), page.remaining) == (wanted[2:4], 1)


async def test_an_empty_list_has_the_present_revision(store: Store) -> None:
    await fill(store, PODS + "a/x")
    assert await store.list("/registry/secrets/") == Page([], 1, 0)


async def test_limit_and_after_page_through(store: Store) -> None:
    await fill(store, *(f"{PODS}a/{n}" for n in range(7)))
    first = await store.list(PODS, limit=3)
    assert (keys(first), first.remaining) == ([f"{PODS}a/{n}" for n in (0, 1, 2)], 4)
    second = await store.list(PODS, limit=3, at=first.revision, after=first.records[-1].key)
    assert (keys(second), second.remaining) == ([f"{PODS}a/{n}" for n in (3, 4, 5)], 1)
    third = await store.list(PODS, limit=3, at=first.revision, after=second.records[-1].key)
    assert (keys(third), third.remaining) == ([f"{PODS}a/6"], 0)


async def test_after_need_not_exist_nor_lie_within(store: Store) -> None:
    await fill(store, PODS + "a/1", PODS + "a/3")
    assert keys(await store.list(PODS, after=PODS + "a/2")) == [PODS + "a/3"]
    assert await store.list(PODS, after="/zzz") == Page([], 2, 0)
    assert keys(await store.list(PODS, after="/a")) == [PODS + "a/1", PODS + "a/3"]


async def test_pages_are_of_one_revision_while_writes_go_on(store: Store) -> None:
    await asyncio.gather(*(store.create(f"{PODS}a/{n:03}", VALUE) for n in range(0, 200, 2)))
    wanted = [(record.key, record.revision) for record in (await store.list(PODS)).records]
    found, page = [], await store.list(PODS, limit=7)
    chance = random.Random(1)
    while True:
        found += [(record.key, record.revision) for record in page.records]
        assert page.remaining == len(wanted) - len(found)
        if not page.remaining:
            break
        await _disturb(store, chance)
        page = await store.list(PODS, at=page.revision, after=page.records[-1].key, limit=7)
    assert found == wanted


async def _disturb(store: Store, chance: random.Random) -> None:
    for _ in range(5):
        key = f"{PODS}a/{chance.randrange(200):03}"
        found = await store.get(key)
        if found is None:
            await store.create(key, VALUE)
        elif chance.random() < 0.5:
            await store.update(key, VALUE, expected=found.revision)
        else:
            await store.delete(key, expected=found.revision)


async def test_the_past_can_be_listed(store: Store) -> None:
    await fill(store, PODS + "a/x", PODS + "a/y")
    await store.update(PODS + "a/x", VALUE, expected=1)
    await store.delete(PODS + "a/y", expected=2)
    await store.create(PODS + "a/y", VALUE)
    seen = [[(r.key[-1], r.revision) for r in (await store.list(PODS, at=at)).records] for at in range(6)]
    assert seen == [
        [],
        [("x", 1)],
        [("x", 1), ("y", 2)],
        [("x", 3), ("y", 2)],
        [("x", 3)],
        [("x", 3), ("y", 5)],
    ]


async def test_a_list_of_the_future_is_refused(store: Store) -> None:
    await fill(store, PODS + "a/x")
    with pytest.raises(FutureRevision) as caught:
        await store.list(PODS, at=2)
    assert caught.value.current == 1


async def test_a_list_of_the_compacted_past_is_refused(store: Store) -> None:
    await fill(store, PODS + "a/x", PODS + "a/y", PODS + "a/z")
    await store.compact(2)
    assert keys(await store.list(PODS, at=2)) == [PODS + "a/x", PODS + "a/y"]
    with pytest.raises(Compacted) as caught:
        await store.list(PODS, at=1)
    assert caught.value.floor == 2

"""Watches: order, the past, the future, overflow, the end. Expectations: the contract's (ours)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tiphys.store.contract import Compacted, Event, Store, Watch, WatchOverflow

PODS = "/registry/pods/"
KEY = PODS + "a/x"


def value(note: str = "", at: int = 0) -> bytes:
    return b'{"metadata":{"resourceVersion":"%b","name":"%b"}}' % (b"%d" % at if at else b"", note.encode())


async def take(watch: Watch, count: int) -> list[Event]:
    """The next `count` events; fails if the batches do not add up to them."""
    events: list[Event] = []
    async with asyncio.timeout(5):
        async for batch in watch:
            assert batch, "an empty batch"
            events += batch
            if len(events) >= count:
                break
    assert len(events) == count
    return events


async def churn(store: Store, count: int) -> None:
    """`count` revisions of KEY."""
    for _ in range(count):
        found = await store.get(KEY)
        if found is None:
            await store.create(KEY, value())
        else:
            await store.update(KEY, value(), expected=found.revision)


async def test_a_watch_tells_what_changes(store: Store) -> None:
    watch = store.watch(PODS, after=0)
    created = await store.create(KEY, value("1"))
    updated = await store.update(KEY, value("2"), expected=1)
    deleted = await store.delete(KEY, expected=2)
    add, change, removal = await take(watch, 3)
    assert (add.revision, add.key, add.record, add.previous, add.last) == (1, KEY, created, None, None)
    assert (change.revision, change.record, change.previous, change.last) == (2, updated, created, None)
    assert (removal.revision, removal.record, removal.previous, removal.last) == (3, None, updated, deleted)


async def test_a_deletion_carries_the_last_state_at_its_revision(store: Store) -> None:
    watch = store.watch(PODS, after=0)
    await store.create(KEY, value("1"), "facts")
    await store.delete(KEY, expected=1, value=value("farewell"))
    removal = (await take(watch, 2))[1]
    assert removal.last is not None and removal.previous is not None
    assert (removal.last.value, removal.last.revision) == (value("farewell", at=2), 2)
    assert (removal.last.facts, removal.previous.facts) == ("facts", "facts")


async def test_a_watch_sees_only_its_prefix(store: Store) -> None:
    narrow, wide, all_ = (store.watch(prefix, after=0) for prefix in (PODS + "a/", PODS, "/registry/"))
    for key in (PODS + "ab/x", "/registry/secrets/a/x", PODS + "a/x"):
        await store.create(key, value())
    assert [event.revision for event in await take(narrow, 1)] == [3]
    assert [event.revision for event in await take(wide, 2)] == [1, 3]
    assert [event.revision for event in await take(all_, 3)] == [1, 2, 3]


async def test_a_watch_begins_with_the_past_then_goes_on(store: Store) -> None:
    await churn(store, 5)
    watch = store.watch(PODS, after=2)
    assert [event.revision for event in await take(watch, 3)] == [3, 4, 5]
    await churn(store, 2)
    assert [event.revision for event in await take(watch, 2)] == [6, 7]


async def test_the_past_over_several_resources_is_in_order(store: Store) -> None:
    for n, resource in enumerate(["pods", "secrets", "apps/deployments", "pods", "secrets"]):
        await store.create(f"/registry/{resource}/a/{n}", value())
    events = await take(store.watch("/registry/", after=1), 4)
    assert [event.revision for event in events] == [2, 3, 4, 5]


async def test_a_watch_counts_from_its_call(store: Store) -> None:
    watch = store.watch(PODS, after=store.revision)
    await churn(store, 1)
    assert [event.revision for event in await take(watch, 1)] == [1]


async def test_all_watchers_get_the_same_event(store: Store) -> None:
    first, second = store.watch(PODS, after=0), store.watch(PODS + "a/", after=0)
    await churn(store, 1)
    assert (await take(first, 1))[0] is (await take(second, 1))[0]


async def test_a_storm_is_seen_in_order_without_a_gap(store: Store) -> None:
    watch = store.watch(PODS, after=0)
    seen = asyncio.ensure_future(take(watch, 400))
    await asyncio.gather(*(store.create(f"{PODS}a/{n}", value()) for n in range(400)))
    assert [event.revision for event in await seen] == list(range(1, 401))


async def test_what_is_seen_is_durable(store: Store) -> None:
    """Whoever sees an event finds its revision as the store's, and the object by get."""
    watch = store.watch(PODS, after=0)
    writes = [asyncio.ensure_future(store.create(f"{PODS}a/{n}", value())) for n in range(100)]
    count = 0
    async for batch in watch:
        assert store.revision >= batch[-1].revision
        assert await store.get(batch[-1].key) is batch[-1].record
        count += len(batch)
        if count == len(writes):
            break
    await asyncio.gather(*writes)


async def test_after_may_lie_in_the_future(store: Store) -> None:
    watch = store.watch(PODS, after=3)
    assert watch.position == 3
    await churn(store, 5)
    assert [event.revision for event in await take(watch, 2)] == [4, 5]


async def test_a_watch_of_the_compacted_past_is_refused(store: Store) -> None:
    await churn(store, 5)
    await store.compact(3)
    with pytest.raises(Compacted) as caught:
        store.watch(PODS, after=2)
    assert caught.value.floor == 3
    assert [event.revision for event in await take(store.watch(PODS, after=3), 2)] == [4, 5]


async def test_a_running_watch_outlives_compaction(store: Store) -> None:
    watch = store.watch(PODS, after=0)
    await churn(store, 5)
    await store.compact(5)
    assert [event.revision for event in await take(watch, 5)] == [1, 2, 3, 4, 5]


async def test_position_is_what_has_been_handed_out(store: Store) -> None:
    watch = store.watch(PODS, after=0)
    assert watch.position == 0
    await churn(store, 3)
    assert watch.position == 0
    await take(watch, 3)
    assert watch.position == 3
    await store.create("/registry/secrets/a/x", value())
    assert watch.position == 4, "another resource's revision is passed without an event"


async def test_position_before_a_first_event_that_is_not_the_next_revision(store: Store) -> None:
    watch = store.watch(PODS, after=0)
    await store.create("/registry/secrets/a/x", value())
    await churn(store, 1)
    assert watch.position == 1


async def test_closing_ends_the_iteration(store: Store) -> None:
    watch = store.watch(PODS, after=0)
    waiting = asyncio.ensure_future(_drain(watch))
    await asyncio.sleep(0)
    watch.close()
    watch.close()
    assert await waiting == []
    await churn(store, 1)
    assert await _drain(watch) == []
    assert watch.position == 0


async def test_closing_the_store_ends_its_watches(store: Store) -> None:
    waiting = asyncio.ensure_future(_drain(store.watch(PODS, after=0)))
    await asyncio.sleep(0)
    await store.close()
    assert await waiting == []


async def test_a_cancelled_reader_may_come_back(store: Store) -> None:
    watch = store.watch(PODS, after=0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await anext(aiter(watch))
    await churn(store, 1)
    assert [event.revision for event in await take(watch, 1)] == [1]


async def test_a_slow_watcher_is_ended_and_the_others_go_on(narrow: Store) -> None:
    slow, quick = narrow.watch(PODS, after=0), narrow.watch(PODS, after=0)
    for revision in range(1, 6):
        await churn(narrow, 1)
        assert [event.revision for event in await take(quick, 1)] == [revision]
    with pytest.raises(WatchOverflow):
        await anext(aiter(slow))
    assert slow.position == 0


async def test_a_watcher_just_within_the_bound_is_kept(narrow: Store) -> None:
    watch = narrow.watch(PODS, after=0)
    await churn(narrow, 3)
    assert len(await take(watch, 3)) == 3
    await churn(narrow, 3)
    assert len(await take(watch, 3)) == 3


async def test_the_past_asked_for_does_not_count_as_slowness(narrow: Store) -> None:
    await churn(narrow, 10)
    watch = narrow.watch(PODS, after=0)
    await churn(narrow, 3)
    assert len(await take(watch, 13)) == 13


async def test_once_the_past_is_read_the_bound_is_the_usual_one(narrow: Store) -> None:
    await churn(narrow, 10)
    watch = narrow.watch(PODS, after=0)
    await take(watch, 10)
    await churn(narrow, 4)
    with pytest.raises(WatchOverflow):
        await anext(aiter(watch))


async def test_frames_are_emptied_when_an_event_is_no_longer_fresh(store: Store) -> None:
    watch = store.watch(PODS, after=0)
    await churn(store, 1)
    event = (await take(watch, 1))[0]
    event.frames["json"] = b"encoded"
    await asyncio.gather(*(store.create(f"{PODS}b/{n}", value()) for n in range(1023)))
    assert event.frames
    await churn(store, 1)
    assert not event.frames


async def _drain(watch: AsyncIterator[list[Event]] | Watch) -> list[Event]:
    async with asyncio.timeout(5):
        return [event async for batch in watch for event in batch]

"""Writes: revisions, stamps, compare-and-swap, races. Expectations are the contract's (ours), and where they are
etcd's too (apiserver `storage/testing/store_tests.go`), so much the better."""

from __future__ import annotations

import asyncio

import pytest

from tiphys.store.contract import KeyExists, KeyMissing, Record, RevisionMismatch, Store

KEY = "/registry/pods/a/x"


def value(note: str = "", at: int = 0) -> bytes:
    return b'{"kind":"Pod","metadata":{"resourceVersion":"%b","name":"%b"}}' % (
        b"%d" % at if at else b"",
        note.encode(),
    )


async def test_a_new_store_is_empty_at_revision_zero(store: Store) -> None:
    assert (store.revision, store.compacted, store.history_bytes) == (0, 0, 0)
    assert await store.get(KEY) is None
    assert await store.count("/registry/") == 0


async def test_create_stamps_the_value_with_its_revision(store: Store) -> None:
    record = await store.create(KEY, value("one"))
    assert (record.key, record.revision) == (KEY, 1)
    assert record.value == value("one", at=1)
    assert store.revision == 1


async def test_get_answers_what_create_returned(store: Store) -> None:
    record = await store.create(KEY, value())
    assert await store.get(KEY) is record


async def test_each_write_of_any_key_takes_the_next_revision(store: Store) -> None:
    first = await store.create(KEY, value())
    second = await store.create("/registry/apps/deployments/a/y", value())
    third = await store.update(KEY, value("new"), expected=first.revision)
    fourth = await store.delete(second.key, expected=second.revision)
    assert [first.revision, second.revision, third.revision, fourth.revision] == [1, 2, 3, 4]


async def test_update_replaces_an_old_stamp(store: Store) -> None:
    first = await store.create(KEY, value())
    second = await store.update(KEY, first.value, expected=1)
    assert second.value == value(at=2)
    assert first.value == value(at=1)


async def test_only_the_first_resource_version_is_the_stamp(store: Store) -> None:
    body = b'{"metadata":{"resourceVersion":""},"data":{"resourceVersion":"mine"}}'
    record = await store.create(KEY, body)
    assert record.value == b'{"metadata":{"resourceVersion":"1"},"data":{"resourceVersion":"mine"}}'


async def test_a_value_without_place_for_the_stamp_is_refused_and_takes_no_revision(store: Store) -> None:
    with pytest.raises(ValueError):
        await store.create(KEY, b"{}")
    assert (await store.create(KEY, value())).revision == 1


async def test_a_key_that_is_no_text_is_refused_without_harm_to_others(store: Store) -> None:
    results = await asyncio.gather(
        store.create(KEY, value()), store.create("/registry/pods/a/\ud800", value()), return_exceptions=True
    )
    assert isinstance(results[0], Record) and isinstance(results[1], ValueError)


async def test_create_of_what_exists(store: Store) -> None:
    await store.create(KEY, value("first"))
    with pytest.raises(KeyExists):
        await store.create(KEY, value("second"))
    assert store.revision == 1


async def test_update_and_delete_of_what_is_not_there(store: Store) -> None:
    with pytest.raises(KeyMissing):
        await store.update(KEY, value(), expected=1)
    with pytest.raises(KeyMissing):
        await store.delete(KEY, expected=1)
    assert store.revision == 0


async def test_a_mismatch_tells_the_current_record(store: Store) -> None:
    await store.create(KEY, value())
    current = await store.update(KEY, value("new"), expected=1)
    for attempt in (store.update(KEY, value(), expected=1), store.delete(KEY, expected=1)):
        with pytest.raises(RevisionMismatch) as caught:
            await attempt
        assert caught.value.current is current
    assert store.revision == 2


async def test_delete_returns_the_final_state_at_its_own_revision(store: Store) -> None:
    await store.create(KEY, value("last words"))
    gone = await store.delete(KEY, expected=1)
    assert (gone.revision, gone.value) == (2, value("last words", at=2))
    assert await store.get(KEY) is None


async def test_delete_with_a_final_state_of_its_own(store: Store) -> None:
    await store.create(KEY, value("before"))
    gone = await store.delete(KEY, expected=1, value=value("after"))
    assert gone.value == value("after", at=2)


async def test_a_key_can_be_created_again(store: Store) -> None:
    await store.create(KEY, value())
    await store.delete(KEY, expected=1)
    assert (await store.create(KEY, value())).revision == 3
    with pytest.raises(RevisionMismatch):
        await store.update(KEY, value(), expected=1)


async def test_facts_are_kept_with_the_record(store: Store) -> None:
    facts, others = object(), object()
    assert (await store.create(KEY, value(), facts)).facts is facts
    assert (await store.get(KEY)).facts is facts  # type: ignore[union-attr]
    assert (await store.update(KEY, value(), others, expected=1)).facts is others
    assert (await store.delete(KEY, expected=2)).facts is others


async def test_of_fifty_creates_of_one_key_one_wins(store: Store) -> None:
    results = await asyncio.gather(*(store.create(KEY, value(str(n))) for n in range(50)), return_exceptions=True)
    assert sum(isinstance(result, Record) for result in results) == 1
    assert sum(isinstance(result, KeyExists) for result in results) == 49
    assert store.revision == 1


async def test_of_fifty_updates_from_one_revision_one_wins(store: Store) -> None:
    await store.create(KEY, value())
    results = await asyncio.gather(
        *(store.update(KEY, value(str(n)), expected=1) for n in range(50)), return_exceptions=True
    )
    winners = [result for result in results if isinstance(result, Record)]
    losers = [result for result in results if isinstance(result, RevisionMismatch)]
    assert (len(winners), len(losers)) == (1, 49)
    assert all(loser.current is winners[0] for loser in losers)


async def test_fifty_writers_that_retry_all_get_through(store: Store) -> None:
    await store.create(KEY, value())

    async def add_one() -> None:
        current = await store.get(KEY)
        while current is not None:
            count = int(current.facts or 0)
            try:
                await store.update(KEY, value(), count + 1, expected=current.revision)
                return
            except RevisionMismatch as mismatch:
                current = mismatch.current

    await asyncio.gather(*(add_one() for _ in range(50)))
    assert (await store.get(KEY)).facts == 50  # type: ignore[union-attr]
    assert store.revision == 51


async def test_concurrent_creates_get_distinct_revisions_in_order(store: Store) -> None:
    records = await asyncio.gather(*(store.create(f"/registry/pods/a/{n}", value()) for n in range(300)))
    assert [record.revision for record in records] == list(range(1, 301))
    assert store.revision == 300


async def test_a_chain_of_writes_may_be_under_way_at_once(store: Store) -> None:
    """Accepted and not yet durable is what the next write of the key is compared with."""
    created, updated, deleted, again = await asyncio.gather(
        store.create(KEY, value("1")),
        store.update(KEY, value("2"), expected=1),
        store.delete(KEY, expected=2),
        store.create(KEY, value("4")),
    )
    assert [record.revision for record in (created, updated, deleted, again)] == [1, 2, 3, 4]
    assert deleted.value == value("2", at=3)
    assert await store.get(KEY) is again


async def test_a_writer_that_is_cancelled_leaves_the_others_alone(store: Store) -> None:
    impatient = asyncio.ensure_future(store.create(KEY, value()))
    others = asyncio.gather(store.create(KEY, value()), store.create(KEY + "2", value()), return_exceptions=True)
    await asyncio.sleep(0)
    impatient.cancel()
    loser, other = await others
    assert isinstance(loser, KeyExists) and isinstance(other, Record)
    assert await store.get(KEY) is not None


async def test_closing_finishes_the_writes_under_way(store: Store) -> None:
    writes = [asyncio.ensure_future(store.create(f"/registry/pods/a/{n}", value())) for n in range(500)]
    await asyncio.sleep(0)
    await store.close()
    assert [write.result().revision for write in writes if write.done()] == list(range(1, 501))

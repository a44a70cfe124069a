"""What is seen, and by whom, while a batch is on its way to the disk and when the disk refuses it. Ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from tiphys.store import group_commit
from tiphys.store.contract import KeyExists, KeyMissing, Record, RevisionMismatch, StoreFailure
from tiphys.store.journal import Contents, Row
from tiphys.store.revisioned import RevisionedStore

VALUE = b'{"metadata":{"resourceVersion":""}}'
KEY = "/registry/pods/a/x"
OTHER = "/registry/pods/a/y"
PODS = "/registry/pods/"


class GatedJournal:
    """A disk in the test's hand: each batch waits to be let through or refused."""

    def __init__(self) -> None:
        self.batches: list[list[Row]] = []
        self._gates: list[asyncio.Future[None]] = []

    async def open(self) -> Contents:
        return Contents()

    async def append(self, rows: Sequence[Row]) -> None:
        gate = asyncio.get_running_loop().create_future()
        self.batches.append(list(rows))
        self._gates.append(gate)
        await gate

    async def compact(self, revision: int, obsolete: Sequence[int]) -> None:
        raise AssertionError("not in these tests")

    async def close(self) -> None:
        pass

    def finish(self, failure: Exception | None = None) -> None:
        gate = self._gates.pop(0)
        if failure:
            gate.set_exception(failure)
        else:
            gate.set_result(None)


@pytest.fixture
def journal() -> GatedJournal:
    return GatedJournal()


@pytest.fixture
async def store(journal: GatedJournal) -> AsyncIterator[RevisionedStore]:
    store = RevisionedStore(journal)
    await store.open()
    yield store
    closing = asyncio.ensure_future(store.close())
    while not closing.done():
        await settle()
        if journal._gates:
            journal.finish()
    await closing


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def begin(*writes: object) -> list[asyncio.Future[Record]]:
    tasks = [asyncio.ensure_future(write) for write in writes]  # type: ignore[call-overload]
    await settle()
    return tasks


async def test_nothing_shows_before_it_is_durable(store: RevisionedStore, journal: GatedJournal) -> None:
    watch = store.watch(PODS, after=0)
    (write,) = await begin(store.create(KEY, VALUE))
    reader = asyncio.ensure_future(anext(watch))
    await settle()
    assert not write.done() and not reader.done()
    assert (store.revision, await store.get(KEY), await store.count(PODS)) == (0, None, 0)
    assert (await store.list(PODS)).records == []
    assert watch.position == 0
    journal.finish()
    assert (await write).revision == store.revision == 1
    assert [event.revision for event in await reader] == [1]


async def test_while_one_batch_is_written_the_next_gathers(store: RevisionedStore, journal: GatedJournal) -> None:
    tasks = await begin(store.create(f"{PODS}a/0", VALUE))
    tasks += await begin(*(store.create(f"{PODS}a/{n}", VALUE) for n in range(1, 6)))
    assert [len(batch) for batch in journal.batches] == [1]
    journal.finish()
    await settle()
    assert [len(batch) for batch in journal.batches] == [1, 5]
    assert [task.done() for task in tasks] == [True] + [False] * 5
    journal.finish()
    assert [(await task).revision for task in tasks] == [1, 2, 3, 4, 5, 6]


async def test_a_batch_is_bounded_in_changes(store: RevisionedStore, journal: GatedJournal) -> None:
    count = group_commit.BATCH_CHANGES + 3
    await begin(*(store.create(f"{PODS}a/{n}", VALUE) for n in range(count)))
    journal.finish()
    await settle()
    assert [len(batch) for batch in journal.batches] == [group_commit.BATCH_CHANGES, 3]


async def test_a_batch_is_bounded_in_bytes(store: RevisionedStore, journal: GatedJournal) -> None:
    big = VALUE + b" " * (group_commit.BATCH_BYTES // 2)
    await begin(*(store.create(f"{PODS}a/{n}", big) for n in range(2)), store.create(OTHER, VALUE))
    journal.finish()
    await settle()
    assert [len(batch) for batch in journal.batches] == [1, 2]


async def test_a_loser_waits_until_the_winner_is_durable(store: RevisionedStore, journal: GatedJournal) -> None:
    winner, loser = await begin(store.create(KEY, VALUE), store.create(KEY, VALUE))
    assert not loser.done()
    journal.finish()
    await winner
    with pytest.raises(KeyExists):
        await loser


async def test_a_mismatch_against_a_pending_update_tells_what_became_durable(
    store: RevisionedStore, journal: GatedJournal
) -> None:
    (write,) = await begin(store.create(KEY, VALUE))
    journal.finish()
    await write
    winner, loser = await begin(store.update(KEY, VALUE, expected=1), store.update(KEY, VALUE, expected=1))
    assert not loser.done()
    journal.finish()
    with pytest.raises(RevisionMismatch) as caught:
        await loser
    assert caught.value.current is await winner is await store.get(KEY)


async def test_missing_because_of_a_pending_deletion(store: RevisionedStore, journal: GatedJournal) -> None:
    (write,) = await begin(store.create(KEY, VALUE))
    journal.finish()
    await write
    _, loser = await begin(store.delete(KEY, expected=1), store.update(KEY, VALUE, expected=1))
    assert not loser.done() and await store.get(KEY) is not None
    journal.finish()
    with pytest.raises(KeyMissing):
        await loser


async def test_a_refused_batch_fails_everything_pending(store: RevisionedStore, journal: GatedJournal) -> None:
    watch = store.watch(PODS, after=0)
    tasks = await begin(store.create(KEY, VALUE))
    tasks += await begin(store.update(KEY, VALUE, expected=1), store.create(OTHER, VALUE))
    journal.finish(StoreFailure("no room"))
    await settle()
    for task in tasks:
        with pytest.raises(StoreFailure, match="no room"):
            await task
    assert (store.revision, await store.get(KEY), watch.position) == (0, None, 0)
    assert len(journal.batches) == 1, "the second batch never reached the disk"


async def test_after_a_refusal_writes_go_on_with_the_next_durable_revision(
    store: RevisionedStore, journal: GatedJournal
) -> None:
    (failed,) = await begin(store.create(KEY, VALUE))
    journal.finish(StoreFailure("no room"))
    await settle()
    (again,) = await begin(store.create(KEY, VALUE))
    journal.finish()
    assert isinstance(failed.exception(), StoreFailure)
    assert (await again).revision == store.revision == 1


async def test_who_lost_against_a_refused_write_is_let_in(store: RevisionedStore, journal: GatedJournal) -> None:
    winner, loser = await begin(store.create(KEY, VALUE), store.create(KEY, VALUE + b" "))
    journal.finish(StoreFailure("no room"))
    await settle()
    assert isinstance(winner.exception(), StoreFailure) and not loser.done()
    journal.finish()
    assert (await loser).value.endswith(b" ")


async def test_a_cancelled_writer_does_not_wake_a_loser_early(store: RevisionedStore, journal: GatedJournal) -> None:
    winner, loser = await begin(store.create(KEY, VALUE), store.create(KEY, VALUE))
    winner.cancel()
    await settle()
    assert winner.cancelled() and not loser.done()
    journal.finish()
    with pytest.raises(KeyExists):
        await loser
    assert (await store.get(KEY)) is not None


async def test_a_cancelled_commit_stops_the_store(store: RevisionedStore, journal: GatedJournal) -> None:
    (write,) = await begin(store.create(KEY, VALUE))
    task = store._commits._task
    assert task is not None
    task.cancel()
    await settle()
    with pytest.raises(StoreFailure, match="stopped in the middle"):
        await write
    with pytest.raises(StoreFailure, match="stopped in the middle"):
        await store.create(OTHER, VALUE)
    journal._gates.clear()


async def test_a_fault_of_our_own_leaves_no_writer_waiting(store: RevisionedStore, journal: GatedJournal) -> None:
    (write,) = await begin(store.create(KEY, VALUE))
    task = store._commits._task
    assert task is not None
    journal._gates.pop().set_exception(RuntimeError("a bug"))
    with pytest.raises(RuntimeError, match="a bug"):
        await task
    with pytest.raises(StoreFailure, match="stopped in the middle"):
        await write


async def test_writes_before_open_and_after_close_are_refused() -> None:
    store = RevisionedStore(GatedJournal())
    with pytest.raises(StoreFailure, match="not open"):
        await store.create(KEY, VALUE)
    await store.open()
    await store.close()
    with pytest.raises(StoreFailure, match="closed"):
        await store.create(KEY, VALUE)

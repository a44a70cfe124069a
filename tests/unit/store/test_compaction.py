"""The policy on history. The age is upstream's (DefaultCompactInterval, 5 minutes), the bounds are ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tiphys.store.compaction import Compaction
from tiphys.store.contract import StoreFailure
from tiphys.store.memory import MemoryStore

KEY = "/registry/pods/a/x"


class StepClock:
    """Time that moves only when the test says so; `sleeping` tells when the policy has done its round."""

    def __init__(self) -> None:
        self.time = 0.0
        self.sleeping = asyncio.Event()
        self._moved = asyncio.Event()

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        until = self.time + seconds
        self.sleeping.set()
        while self.time < until:
            await self._moved.wait()

    async def move(self, seconds: float, step: float = 5.0) -> None:
        """Move on in steps, each time until the policy sleeps again."""
        for _ in range(int(seconds / step)):
            await self.sleeping.wait()
            self.sleeping.clear()
            self.time += step
            moved, self._moved = self._moved, asyncio.Event()
            moved.set()
            await self.sleeping.wait()


@pytest.fixture
async def store() -> AsyncIterator[MemoryStore]:
    store = MemoryStore()
    await store.open()
    yield store
    await store.close()


async def churn(store: MemoryStore, count: int, size: int = 0) -> None:
    body = b'{"metadata":{"resourceVersion":""},"data":"%b"}' % (b"x" * size)
    for _ in range(count):
        found = await store.get(KEY)
        if found is None:
            await store.create(KEY, body)
        else:
            await store.update(KEY, body, expected=found.revision)


async def start(policy: Compaction, store: MemoryStore) -> tuple[StepClock, asyncio.Task[object]]:
    clock = StepClock()
    task: asyncio.Task[object] = asyncio.ensure_future(policy.run(store, clock))
    await clock.sleeping.wait()
    return clock, task


async def test_history_is_kept_for_five_minutes(store: MemoryStore) -> None:
    await churn(store, 10)
    clock, task = await start(Compaction(), store)
    await clock.move(150)
    await churn(store, 10)
    await clock.move(145)
    assert store.compacted == 0, "295 seconds"
    await clock.move(5)
    assert store.compacted == 10, "300 seconds: what was there at the start goes"
    await clock.move(155)
    assert store.compacted == 20
    task.cancel()


async def test_history_is_bounded_in_events(store: MemoryStore) -> None:
    clock, task = await start(Compaction(events=30), store)
    await churn(store, 100)
    await clock.move(5)
    assert store.compacted == 70
    task.cancel()


async def test_history_is_bounded_in_bytes(store: MemoryStore) -> None:
    clock, task = await start(Compaction(size=50_000), store)
    await churn(store, 100, size=1_000)
    assert store.history_bytes > 99_000
    await clock.move(10)
    assert 45_000 < store.history_bytes <= 50_000
    task.cancel()


async def test_an_idle_store_is_left_alone(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    async def compact(revision: int) -> None:
        calls.append(revision)

    clock, task = await start(Compaction(), store)
    monkeypatch.setattr(store, "compact", compact)
    await clock.move(1000)
    assert calls == []
    task.cancel()


async def test_a_refusal_is_logged_and_tried_again(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse(revision: int) -> None:
        raise StoreFailure("no room")

    clock, task = await start(Compaction(events=1), store)
    with monkeypatch.context() as patched:
        patched.setattr(store, "compact", refuse)
        await churn(store, 10)
        await clock.move(5)
    assert "no room" in caplog.text and store.compacted == 0
    await clock.move(5)
    assert store.compacted == 9
    task.cancel()

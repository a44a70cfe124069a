"""The work queue: client-go `util/workqueue` (queue_test.go, delaying_queue.go, default_rate_limiters.go)."""

from __future__ import annotations

import asyncio

import pytest

from tiphys.client.work_queue import ShutDown, WorkQueue


class StillClock:
    """Stands still until moved; remembers what it was asked to wait."""

    def __init__(self) -> None:
        self.time = 0.0
        self._moved = asyncio.Event()

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        due = self.time + seconds
        while self.time < due:
            await self._moved.wait()

    async def move(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.time += seconds
        self._moved.set()
        self._moved = asyncio.Event()
        for _ in range(5):
            await asyncio.sleep(0)


@pytest.fixture
async def clock() -> StillClock:
    return StillClock()


@pytest.fixture
async def queue(clock: StillClock) -> WorkQueue[str]:
    return WorkQueue(clock)


async def test_a_key_waits_once(queue: WorkQueue[str]) -> None:
    for key in ("a", "b", "a"):
        queue.add(key)
    assert [await queue.get(), await queue.get()] == ["a", "b"]
    assert len(queue) == 0


async def test_added_while_worked_on_it_comes_again_when_done(queue: WorkQueue[str]) -> None:
    queue.add("a")
    assert await queue.get() == "a"
    queue.add("a")
    queue.add("a")
    assert len(queue) == 0
    queue.done("a")
    assert await queue.get() == "a"
    queue.done("a")
    assert len(queue) == 0


async def test_two_workers_never_have_the_same_key(queue: WorkQueue[str]) -> None:
    busy: set[str] = set()
    worked = 0

    async def worker() -> None:
        nonlocal worked
        while True:
            try:
                key = await queue.get()
            except ShutDown:
                return
            assert key not in busy
            busy.add(key)
            await asyncio.sleep(0)
            busy.remove(key)
            worked += 1
            queue.done(key)

    workers = [asyncio.create_task(worker()) for _ in range(4)]
    for number in range(200):
        queue.add(f"key{number % 7}")
        if number % 3 == 0:
            await asyncio.sleep(0)
    queue.shut_down()
    await asyncio.gather(*workers)
    assert 7 <= worked <= 200 and not busy


async def test_later_means_later_and_the_earliest_wish_counts(queue: WorkQueue[str], clock: StillClock) -> None:
    queue.add_after("a", 10)
    queue.add_after("a", 5)
    queue.add_after("b", 7)
    await clock.move(4.9)
    assert len(queue) == 0
    await clock.move(0.2)
    assert len(queue) == 1 and await queue.get() == "a"
    queue.done("a")
    await clock.move(10)
    assert len(queue) == 1 and await queue.get() == "b"


async def test_failures_wait_twice_as_long_each_time(queue: WorkQueue[str], clock: StillClock) -> None:
    """5 ms, 10 ms, 20 ms … (ItemExponentialFailureRateLimiter)."""
    for expected in (0.005, 0.01, 0.02, 0.04):
        queue.add_rate_limited("a")
        await clock.move(expected * 0.9)
        assert len(queue) == 0
        await clock.move(expected * 0.2)
        assert await queue.get() == "a"
        queue.done("a")
    assert queue.failures("a") == 4
    queue.forget("a")
    queue.add_rate_limited("a")
    await clock.move(0.0051)
    assert await queue.get() == "a"


async def test_never_longer_than_1000_seconds(queue: WorkQueue[str], clock: StillClock) -> None:
    for _ in range(100):
        queue.add_rate_limited("a")
    await clock.move(0.006)
    queue.done(await queue.get())
    for _ in range(2000):
        queue.add_rate_limited("b")
    queue.forget("b")
    for _ in range(70):
        queue._failures["c"] = queue.failures("c") + 1
    queue.add_rate_limited("c")
    await clock.move(999)
    before = len(queue)
    await clock.move(2)
    assert len(queue) == before + 1


async def test_a_cancelled_getter_does_not_swallow_a_key(queue: WorkQueue[str]) -> None:
    first = asyncio.create_task(queue.get())
    second = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.add("a")
    first.cancel()
    assert await second == "a"
    assert first.cancelled()


async def test_shut_down_ends_waiting(queue: WorkQueue[str]) -> None:
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.shut_down()
    with pytest.raises(ShutDown):
        await waiting
    queue.add("a")
    with pytest.raises(ShutDown):
        await queue.get()

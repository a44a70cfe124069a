"""The scheduling queue. Times and order: scheduler `backend/queue/scheduling_queue.go`."""

from __future__ import annotations

import asyncio
from typing import Any

from tiphys.scheduler.pod_info import read_pod
from tiphys.scheduler.queue import SchedulingQueue, Waiting


class _Clock:
    """A clock that a sleeper moves: sleeping returns at once, later."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.time += seconds


def _info(name: str, priority: int = 0, **spec: Any) -> Any:
    return read_pod(
        {
            "metadata": {"name": name, "namespace": "n", "uid": name},
            "spec": {"containers": [{"name": "c"}], "priority": priority, **spec},
        }
    )


async def _next(queue: SchedulingQueue) -> Waiting:
    return await asyncio.wait_for(queue.pop(), 5)


async def test_priority_then_age() -> None:
    queue = SchedulingQueue(_Clock())
    for name, priority in (("a", 0), ("b", 10), ("c", 0)):
        queue.add(_info(name, priority))
    assert [(await _next(queue)).info.uid for _ in range(3)] == ["b", "a", "c"]


async def test_a_parked_pod_waits_for_a_change_and_its_backoff() -> None:
    clock = _Clock()
    queue = SchedulingQueue(clock)
    queue.add(_info("a"))
    queue.failed(await _next(queue))
    queue.changed()
    await _next(queue)
    assert clock.time == 1.0


async def test_backoff_doubles_up_to_ten_seconds() -> None:
    clock = _Clock()
    queue = SchedulingQueue(clock)
    queue.add(_info("a"))
    waits = []
    waiting = await _next(queue)
    for _ in range(6):
        before = clock.time
        queue.failed(waiting, retry=True)
        waiting = await _next(queue)
        waits.append(clock.time - before)
    assert waits == [1, 2, 4, 8, 10, 10]


async def test_without_a_change_it_is_tried_again_after_five_minutes() -> None:
    clock = _Clock()
    queue = SchedulingQueue(clock)
    queue.add(_info("a"))
    queue.failed(await _next(queue))
    await _next(queue)
    assert clock.time == 300.0


async def test_a_change_during_the_cycle_counts() -> None:
    clock = _Clock()
    queue = SchedulingQueue(clock)
    queue.add(_info("a"))
    waiting = await _next(queue)
    queue.changed()
    queue.failed(waiting)
    await _next(queue)
    assert clock.time == 1.0


async def test_only_a_new_spec_wakes_a_parked_pod() -> None:
    clock = _Clock()
    queue = SchedulingQueue(clock)
    queue.add(_info("a"))
    queue.failed(await _next(queue))
    queue.add(_info("a"))
    queue.add(_info("b"))
    assert (await _next(queue)).info.uid == "b"
    queue.add(_info("a", nodeSelector={"x": "y"}))
    assert (await _next(queue)).info.uid == "a"
    assert clock.time == 1.0


async def test_a_pod_that_is_gone_is_not_tried() -> None:
    queue = SchedulingQueue(_Clock())
    queue.add(_info("a"))
    queue.add(_info("b"))
    queue.remove("a")
    assert (await _next(queue)).info.uid == "b"


async def test_a_placed_pod_helps_those_that_want_company() -> None:
    """An assigned pod is news to them (EventsToRegister of `interpodaffinity` and `podtopologyspread`)."""
    clock = _Clock()
    queue = SchedulingQueue(clock)
    term = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "db"}}}
    near = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    for info in (_info("plain"), _info("near", affinity=near), _info("even", topologySpreadConstraints=[{}])):
        queue.add(info)
        queue.failed(await _next(queue))
    clock.time = 20.0
    queue.placed()
    assert [(await _next(queue)).info.uid for _ in range(2)] == ["even", "near"]
    assert clock.time == 20.0
    await _next(queue)
    assert clock.time >= 300.0

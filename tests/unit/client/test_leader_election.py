"""Leader election: client-go `tools/leaderelection/leaderelection_test.go`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tiphys.base.document import Document
from tiphys.base.status import conflict, not_found
from tiphys.client.leader_election import Election, LeaderElector


class Clock:
    """Time passes only while everyone sleeps: the next sleeper due wakes."""

    def __init__(self) -> None:
        self.time = 1000.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.time + seconds, future))
        await future

    async def run(self, seconds: float) -> None:
        end = self.time + seconds
        while True:
            for _ in range(20):
                await asyncio.sleep(0)
            self._sleepers = [each for each in self._sleepers if not each[1].done()]
            due, future = min(self._sleepers, default=(end + 1, None), key=lambda each: each[0])
            if due > end or future is None:
                self.time = end
                return
            self.time = due
            future.set_result(None)


class Leases:
    """One lease with optimistic locking; `away` makes every write fail."""

    def __init__(self) -> None:
        self.lease: Document | None = None
        self.away = False

    async def get(self, api_version: str, plural: str, name: str, namespace: str) -> Document:
        if self.away:
            raise ConnectionError("away")
        if self.lease is None:
            raise not_found("leases", name)
        return {**self.lease, "spec": dict(self.lease["spec"]), "metadata": dict(self.lease["metadata"])}

    async def create(self, api_version: str, plural: str, document: Document, namespace: str) -> Document:
        self.lease = {**document, "metadata": {**document["metadata"], "resourceVersion": "1"}}
        return self.lease

    async def update(self, api_version: str, plural: str, document: Document, namespace: str) -> Document:
        assert self.lease is not None
        version = self.lease["metadata"]["resourceVersion"]
        if self.away or document["metadata"]["resourceVersion"] != version:
            raise conflict("leases", "l", "changed")
        self.lease = {**document, "metadata": {**document["metadata"], "resourceVersion": str(int(version) + 1)}}
        return self.lease


def elector(leases: Leases, clock: Clock, identity: str) -> tuple[LeaderElector, list[str]]:
    client: Any = leases
    found = LeaderElector(client, Election("kube-system", "l", identity), clock)
    return found, []


async def lead_for_ever(told: list[str]) -> None:
    told.append("start")
    try:
        await asyncio.Event().wait()
    finally:
        told.append("stop")


async def test_one_leads_and_the_other_takes_over_after_its_death() -> None:
    clock, leases = Clock(), Leases()
    first, told_first = elector(leases, clock, "a")
    second, told_second = elector(leases, clock, "b")
    one = asyncio.create_task(first.run(lambda: lead_for_ever(told_first)))
    await clock.run(1)
    two = asyncio.create_task(second.run(lambda: lead_for_ever(told_second)))
    await clock.run(60)
    assert (told_first, told_second) == (["start"], []) and first.is_leader and second.leader == "a"
    assert leases.lease is not None and leases.lease["spec"]["leaseTransitions"] == 0
    one.cancel()
    await asyncio.wait([one])
    assert told_first == ["start", "stop"] and leases.lease["spec"]["holderIdentity"] == ""
    await clock.run(10)
    assert told_second == ["start"] and second.is_leader
    assert leases.lease["spec"]["holderIdentity"] == "b" and leases.lease["spec"]["leaseTransitions"] == 1
    two.cancel()
    await asyncio.wait([two])


async def test_a_lease_is_taken_only_after_its_duration_without_renewal() -> None:
    clock, leases = Clock(), Leases()
    leases.lease = {
        "metadata": {"name": "l", "resourceVersion": "1"},
        "spec": {"holderIdentity": "dead", "leaseDurationSeconds": 15, "renewTime": "long ago"},
    }
    found, told = elector(leases, clock, "b")
    task = asyncio.create_task(found.run(lambda: lead_for_ever(told)))
    await clock.run(14)
    assert told == []
    await clock.run(7)
    assert told == ["start"]
    task.cancel()
    await asyncio.wait([task])


async def test_who_cannot_renew_steps_down() -> None:
    clock, leases = Clock(), Leases()
    found, told = elector(leases, clock, "a")
    task = asyncio.create_task(found.run(lambda: lead_for_ever(told)))
    await clock.run(5)
    leases.away = True
    await clock.run(8)
    assert told == ["start"]
    await clock.run(6)
    assert told == ["start", "stop"] and task.done()


async def test_what_the_leader_raises_is_raised() -> None:
    clock, leases = Clock(), Leases()
    found, _ = elector(leases, clock, "a")

    async def fail() -> None:
        raise ValueError("broken")

    task = asyncio.create_task(found.run(fail))
    await clock.run(1)
    with pytest.raises(ValueError, match="broken"):
        await task


def test_impossible_times_are_refused() -> None:
    """NewLeaderElector's checks, in its words."""
    with pytest.raises(ValueError, match="leaseDuration must be greater than renewDeadline"):
        Election("n", "l", "a", lease_duration=10, renew_deadline=10)
    with pytest.raises(ValueError, match=r"renewDeadline must be greater than retryPeriod\*JitterFactor"):
        Election("n", "l", "a", renew_deadline=2, retry_period=2)

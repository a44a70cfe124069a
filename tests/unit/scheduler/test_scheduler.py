"""The scheduler against an API: what it writes when it makes room. Conditions, events and their words: scheduler
`framework/preemption/preemption.go` and `schedule_one.go`."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.controllers.fake_api import FakeApi
from tests.unit.controllers.skippable_clock import SkippableClock
from tests.unit.scheduler.world import node

from tiphys.api.request_info import RequestInfo
from tiphys.base.document import Document
from tiphys.base.names import RandomIds
from tiphys.base.user import MASTERS, User
from tiphys.client.client import Client
from tiphys.client.in_process import InProcessTransport
from tiphys.client.informers import Informers
from tiphys.scheduler.scheduler import Scheduler


class _Api(FakeApi):
    """One that binds."""

    def _create(self, info: RequestInfo, options: dict[str, str], body: Document) -> Document:
        if info.subresource != "binding":
            return super()._create(info, options, body)
        old = self._found(info)
        new = {**old, "spec": {**old["spec"], "nodeName": body["target"]["name"]}}
        return self._change(replace(info, subresource=""), old, new)


class _Cluster:
    def __init__(self) -> None:
        self.clock = SkippableClock()
        self.api = _Api(self.clock, RandomIds(random.Random(7)))
        self.client = Client(InProcessTransport(self.api, User("test", (MASTERS,))))

    async def create(self, name: str, priority: int, **spec: Any) -> Document:
        container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": "1"}}}
        whole = {"containers": [container], "priority": priority, "schedulerName": "default-scheduler", **spec}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": whole}
        return await self.client.create("v1", "pods", pod, "n")

    def pod(self, name: str) -> Document:
        return self.api.objects["", "pods", "n", name]

    def messages(self, reason: str) -> list[str]:
        return [event["message"] for event in self.api.of("events") if event["reason"] == reason]

    async def at_last(self, condition: Any) -> Any:
        """Wait for writes, with time passing for those who back off."""
        async with asyncio.timeout(10):
            while not (found := condition()):
                await asyncio.sleep(0)
                self.clock.skip(0.05)
        return found


@pytest.fixture
async def cluster() -> AsyncIterator[_Cluster]:
    cluster = _Cluster()
    await cluster.client.create("v1", "nodes", {"apiVersion": "v1", "kind": "Node", **node("a", cpu="1")})
    async with Informers(cluster.client, cluster.clock) as informers:
        scheduler = Scheduler(cluster.client, informers, cluster.clock, 37, source=random.Random(1))
        scheduler.listen()
        task = asyncio.create_task(scheduler.run())
        yield cluster
        task.cancel()
        await asyncio.wait([task])
        await scheduler.close()
    cluster.api.end_watches()


async def test_preemption_from_beginning_to_end(cluster: _Cluster) -> None:
    low = await cluster.create("low", 1)
    await cluster.at_last(lambda: cluster.pod("low")["spec"].get("nodeName") == "a")
    high = await cluster.create("high", 10)
    await cluster.at_last(lambda: "deletionTimestamp" in cluster.pod("low")["metadata"])
    (target,) = cluster.pod("low")["status"]["conditions"]
    assert (target["type"], target["status"], target["reason"], target["message"]) == (
        "DisruptionTarget",
        "True",
        "PreemptionByScheduler",
        "default-scheduler: preempting to accommodate a higher priority pod",
    )
    await cluster.at_last(lambda: cluster.messages("Preempted"))
    assert cluster.messages("Preempted") == [f"Preempted by pod {high['metadata']['uid']} on node a"]
    status = cluster.pod("high")["status"]
    assert status["nominatedNodeName"] == "a"
    assert status["conditions"][0]["message"] == "0/1 nodes are available: 1 Insufficient cpu."
    await cluster.create("middle", 5)
    await cluster.at_last(lambda: cluster.pod("middle")["status"].get("conditions"))
    await cluster.client.delete("v1", "pods", "low", "n", grace_period=0, uid=low["metadata"]["uid"])
    await cluster.at_last(lambda: cluster.pod("high")["spec"].get("nodeName") == "a")
    assert "nodeName" not in cluster.pod("middle")["spec"]


async def test_a_greater_one_takes_the_nomination(cluster: _Cluster) -> None:
    await cluster.create("low", 1)
    await cluster.at_last(lambda: cluster.pod("low")["spec"].get("nodeName") == "a")
    await cluster.create("high", 10)
    await cluster.at_last(lambda: cluster.pod("high")["status"].get("nominatedNodeName") == "a")
    await cluster.at_last(lambda: "deletionTimestamp" in cluster.pod("low")["metadata"])
    await cluster.create("higher", 20)
    await cluster.at_last(lambda: cluster.pod("higher")["status"].get("nominatedNodeName") == "a")
    await cluster.at_last(lambda: not cluster.pod("high")["status"].get("nominatedNodeName"))
    await cluster.client.delete("v1", "pods", "low", "n", grace_period=0)
    await cluster.at_last(lambda: cluster.pod("higher")["spec"].get("nodeName") == "a")
    assert "nodeName" not in cluster.pod("high")["spec"]


async def test_a_label_given_later_lets_a_pod_in(cluster: _Cluster) -> None:
    await cluster.create("db", 0)
    await cluster.at_last(lambda: cluster.pod("db")["spec"].get("nodeName") == "a")
    await cluster.client.patch("v1", "nodes", "a", {"status": {"allocatable": {"cpu": "4"}}}, subresource="status")
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "db"}}}
    near = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    await cluster.create("web", 0, affinity=near)
    message = await cluster.at_last(
        lambda: (cluster.pod("web")["status"].get("conditions") or [{}])[0].get("message")
    )
    assert message.startswith("0/1 nodes are available: 1 node(s) didn't match pod affinity rules.")
    await cluster.client.patch("v1", "pods", "db", {"metadata": {"labels": {"app": "db"}}}, "n")
    await cluster.at_last(lambda: cluster.pod("web")["spec"].get("nodeName") == "a")

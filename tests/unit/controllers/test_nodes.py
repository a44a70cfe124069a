"""Nodes that fall silent, their taints and their pods: `pkg/controller/nodelifecycle`, `tainteviction`, `podgc`."""

from __future__ import annotations

from typing import Any

import pytest

from tiphys.base.clock import rfc3339, rfc3339_micro
from tiphys.base.document import Document
from tiphys.controllers.node_lifecycle import taints, zone
from tiphys.controllers.node_lifecycle.controller import CONTROLLER as LIFECYCLE
from tiphys.controllers.pod_garbage_collector import CONTROLLER as POD_GC
from tiphys.controllers.taint_eviction import CONTROLLER as EVICTION
from tiphys.controllers.toleration import seconds_tolerated

SCHEDULE = "NoSchedule"
EXECUTE = "NoExecute"


async def node(cluster: Any, name: str, ready: str = "True") -> Document:
    now = rfc3339(cluster.clock.now())
    document = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}},
        "spec": {"taints": [{"key": taints.NOT_READY, "effect": SCHEDULE}]},
        "status": {
            "conditions": [
                {"type": "Ready", "status": ready, "lastHeartbeatTime": now, "lastTransitionTime": now, "reason": "r"}
            ]
        },
    }
    await beat(cluster, name, create=True)
    made: Document = await cluster.client.create("v1", "nodes", document)
    return made


async def beat(cluster: Any, name: str, create: bool = False) -> None:
    lease = {"metadata": {"name": name}, "spec": {"renewTime": rfc3339_micro(cluster.clock.now())}}
    if create:
        await cluster.client.create("coordination.k8s.io/v1", "leases", lease, "kube-node-lease")
    else:
        await cluster.client.patch("coordination.k8s.io/v1", "leases", name, lease, "kube-node-lease")


async def pod(cluster: Any, name: str, on: str, *tolerations: Document) -> Document:
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": rfc3339(cluster.clock.now())}
    document = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"nodeName": on, "tolerations": list(tolerations), "containers": []},
        "status": {"phase": "Running", "conditions": [ready]},
    }
    made: Document = await cluster.client.create("v1", "pods", document, "default")
    return made


def of(cluster: Any, name: str) -> Document:
    found: Document = cluster.api.objects["", "nodes", "", name]
    return found


def tainted(cluster: Any, name: str) -> set[tuple[str, str]]:
    return {(each["key"].partition("/")[2], each["effect"]) for each in of(cluster, name)["spec"].get("taints") or ()}


def ready(cluster: Any, name: str) -> Document:
    return next(each for each in of(cluster, name)["status"]["conditions"] if each["type"] == "Ready")


async def test_a_ready_node_loses_its_first_taint(cluster: Any) -> None:
    async with cluster.running(LIFECYCLE):
        await node(cluster, "n1")
        await cluster.api.until(lambda: not tainted(cluster, "n1"))
        await cluster.api.until(lambda: "beta.kubernetes.io/arch" in of(cluster, "n1")["metadata"]["labels"])
        await cluster.pass_time(10)
        await cluster.api.until(lambda: cluster.messages("RegisteredNode"))
    assert of(cluster, "n1")["metadata"]["labels"]["beta.kubernetes.io/os"] == "linux"
    assert cluster.messages("RegisteredNode") == ["Node n1 event: Registered Node n1 in Controller"]


@pytest.mark.parametrize(("minor", "grace"), [(31, 40), (32, 50)])
async def test_a_silent_node(cluster: Any, minor: int, grace: int) -> None:
    async with cluster.running(LIFECYCLE, minor=minor):
        await node(cluster, "n1")
        await node(cluster, "n2")
        await pod(cluster, "p", "n1")
        await cluster.api.until(lambda: not tainted(cluster, "n1") and not tainted(cluster, "n2"))
        for _ in range(grace // 10 - 1):
            await cluster.pass_time(10)
            await beat(cluster, "n2")
        assert ready(cluster, "n1")["status"] == "True"
        await cluster.pass_time(20)
        await cluster.api.until(lambda: ready(cluster, "n1")["status"] == "Unknown")
        await cluster.api.until(
            lambda: tainted(cluster, "n1") == {("unreachable", SCHEDULE), ("unreachable", EXECUTE)}
        )
        told = ready(cluster, "n1")
        assert told["reason"] == "NodeStatusUnknown" and told["message"] == "Kubelet stopped posting node status."
        never = next(each for each in of(cluster, "n1")["status"]["conditions"] if each["type"] == "PIDPressure")
        assert never["reason"] == "NodeStatusNeverUpdated"
        assert never["message"] == "Kubelet never posted node status."
        await cluster.api.until(lambda: cluster.api.of("pods")[0]["status"]["conditions"][0]["status"] == "False")
        await cluster.api.until(lambda: len(cluster.messages("NodeNotReady")) == 2)
        assert sorted(cluster.messages("NodeNotReady")) == [
            "Node is not ready",
            "Node n1 status is now: NodeNotReady",
        ]
        assert not tainted(cluster, "n2")
        await beat(cluster, "n1")
        conditions = [{**told, "status": "True", "lastHeartbeatTime": rfc3339(cluster.clock.now())}]
        await cluster.client.patch("v1", "nodes", "n1", {"status": {"conditions": conditions}}, subresource="status")
        await cluster.api.until(lambda: not tainted(cluster, "n1"))


async def test_when_all_are_silent_nobody_is_evicted(cluster: Any) -> None:
    """handleDisruption: master disruption mode."""
    async with cluster.running(LIFECYCLE):
        await node(cluster, "n1")
        await cluster.api.until(lambda: not tainted(cluster, "n1"))
        await cluster.pass_time(70)
        await cluster.api.until(lambda: tainted(cluster, "n1") == {("unreachable", SCHEDULE)})


async def test_eviction_after_toleration_seconds(cluster: Any) -> None:
    await node(cluster, "n1")
    tolerating = {"key": taints.UNREACHABLE, "operator": "Exists", "effect": EXECUTE}
    await pod(cluster, "later", "n1", {**tolerating, "tolerationSeconds": 300})
    await pod(cluster, "never", "n1", tolerating)
    await pod(cluster, "now", "n1")

    def deleting() -> list[str]:
        return [p["metadata"]["name"] for p in cluster.api.of("pods") if p["metadata"].get("deletionTimestamp")]

    async with cluster.running(EVICTION):
        patch = {"spec": {"taints": [{"key": taints.UNREACHABLE, "effect": EXECUTE}]}}
        await cluster.client.patch("v1", "nodes", "n1", patch)
        await cluster.api.until(lambda: deleting() == ["now"])
        await cluster.api.until(lambda: cluster.messages("TaintManagerEviction"))
        assert cluster.messages("TaintManagerEviction") == ["Marking for deletion Pod default/now"]
        condition = next(
            each
            for each in cluster.api.objects["", "pods", "default", "now"]["status"]["conditions"]
            if each["type"] == "DisruptionTarget"
        )
        assert condition["reason"] == "DeletionByTaintManager"
        assert condition["message"] == "Taint manager: deleting due to NoExecute taint"
        await cluster.pass_time(299, step=299)
        assert deleting() == ["now"]
        cluster.clock.skip(2)
        await cluster.api.until(lambda: deleting() == ["later", "now"])


async def test_eviction_is_cancelled_with_the_taint(cluster: Any) -> None:
    await node(cluster, "n1")
    tolerating = {"key": taints.UNREACHABLE, "operator": "Exists", "tolerationSeconds": 300}
    async with cluster.running(EVICTION):
        patch = {"spec": {"taints": [{"key": taints.UNREACHABLE, "effect": EXECUTE}]}}
        await cluster.client.patch("v1", "nodes", "n1", patch)
        await pod(cluster, "p", "n1", tolerating)
        await pod(cluster, "q", "n1")
        await cluster.api.until(lambda: len(cluster.messages("TaintManagerEviction")) == 1)
        await cluster.client.patch("v1", "nodes", "n1", {"spec": {"taints": None}})
        await cluster.api.until(lambda: len(cluster.messages("TaintManagerEviction")) == 2)
    assert "Cancelling deletion of Pod default/p" in cluster.messages("TaintManagerEviction")


async def test_pod_gc(cluster: Any) -> None:
    await node(cluster, "n1")
    await pod(cluster, "kept", "n1")
    await pod(cluster, "orphan", "gone")
    for name in ("old", "young"):
        await pod(cluster, name, "n1")
        await cluster.set_pod(cluster.api.objects["", "pods", "default", name], "Succeeded", ready=False)
        cluster.api.objects["", "pods", "default", name]["metadata"]["creationTimestamp"] = {
            "old": "2020-01-01T00:00:00Z",
            "young": "2021-01-01T00:00:00Z",
        }[name]

    def names() -> list[str]:
        return [each["metadata"]["name"] for each in cluster.api.of("pods")]

    async with cluster.running(POD_GC, options={"terminated-pod-gc-threshold": 1}):
        await cluster.api.until(lambda: names() == ["kept", "orphan", "young"])
        await cluster.pass_time(39)
        assert "orphan" in names()
        await cluster.pass_time(25)
        assert names() == ["kept", "young"]


def test_zones() -> None:
    """ComputeZoneState and ReducedQPSFunc."""
    assert zone.state_of([False]) == zone.FULL
    assert zone.state_of([True, False, False]) == zone.NORMAL
    assert zone.state_of([True, True] + [False] * 3) == zone.PARTIAL
    limiter = zone.Limiter()
    assert limiter.allows(100.0) and not limiter.allows(109.0) and limiter.allows(110.0)
    limiter.set(zone.PARTIAL, 10)
    assert not limiter.allows(1000.0)
    limiter.set(zone.PARTIAL, 51)
    assert limiter.allows(1000.0) and not limiter.allows(1099.0)


def test_tolerations() -> None:
    """getMinTolerationTime: the shortest of those used, 0 if one taint is not tolerated, None for ever."""
    taint = {"key": "a", "effect": EXECUTE}
    assert seconds_tolerated([taint], []) == 0
    assert seconds_tolerated([taint], [{"operator": "Exists"}]) is None
    assert seconds_tolerated([taint], [{"key": "a", "operator": "Exists", "tolerationSeconds": 5}]) == 5
    assert seconds_tolerated([taint], [{"key": "a", "operator": "Exists", "tolerationSeconds": -5}]) == 0
    assert seconds_tolerated([taint], [{"key": "a", "value": "x"}]) == 0

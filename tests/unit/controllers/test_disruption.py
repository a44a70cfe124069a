"""The disruption controller, by upstream's `pkg/controller/disruption/disruption_test.go`."""

from __future__ import annotations

from typing import Any

import pytest
from services import pod
from tests.unit.controllers.conftest import Cluster

from tiphys.base.clock import parse_rfc3339, rfc3339
from tiphys.base.document import Document
from tiphys.controllers.disruption import CONTROLLER
from tiphys.controllers.label_index import delay


def budget(name: str = "web", selector: Any = "app", **spec: Any) -> Document:
    chosen = {"matchLabels": {"app": "web"}} if selector == "app" else selector
    meta = {"name": name}
    spec = {"selector": chosen, **spec}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta, "spec": spec, "status": {}}


async def make(cluster: Cluster, version: str, plural: str, document: Document) -> Document:
    return await cluster.client.create(version, plural, document, "default")


async def owner(cluster: Cluster, version: str, plural: str, kind: str, replicas: int, **meta: Any) -> Document:
    document = {"apiVersion": version, "kind": kind, "metadata": {"name": "web", **meta}}
    made = await make(cluster, version, plural, {**document, "spec": {"replicas": replicas}})
    uid = made["metadata"]["uid"]
    return {"apiVersion": version, "kind": kind, "name": "web", "uid": uid, "controller": True}


async def pods(cluster: Cluster, count: int, reference: Document | None = None, ready: bool = True) -> None:
    for number in range(count):
        made = pod(number, ready=ready)
        if reference:
            made["metadata"]["ownerReferences"] = [reference]
        await make(cluster, "v1", "pods", made)


async def deployment(cluster: Cluster, replicas: int) -> Document:
    """A deployment and its replica set: a reference to the latter."""
    above = await owner(cluster, "apps/v1", "deployments", "Deployment", replicas)
    return await owner(cluster, "apps/v1", "replicasets", "ReplicaSet", 0, ownerReferences=[above])


def status(cluster: Cluster, name: str = "web") -> Document:
    found: Document = cluster.api.objects["policy", "poddisruptionbudgets", "default", name].get("status") or {}
    return found


def numbers(cluster: Cluster) -> tuple[int, int, int, int]:
    found = status(cluster)
    fields = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
    a, b, c, d = (found[field] for field in fields)
    return a, b, c, d


async def known(cluster: Cluster) -> Document:
    return await cluster.api.until(lambda: status(cluster).get("conditions") and status(cluster))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("spec", "replicas", "count", "expected"),
    [
        ({"minAvailable": 3}, 0, 5, (2, 5, 3, 5)),  # TestIntegerMaxUnavailable's sibling: no owners looked up
        ({"minAvailable": 3}, 0, 2, (0, 2, 3, 2)),  # TestReplicaSet…
        ({"maxUnavailable": 1}, 7, 7, (1, 7, 6, 7)),
        ({"maxUnavailable": 5}, 2, 2, (2, 2, 0, 2)),
        ({"maxUnavailable": "30%"}, 10, 8, (1, 8, 7, 10)),  # TestPercentageMaxUnavailableWithScaleSubresource
        ({"minAvailable": "67%"}, 9, 9, (2, 9, 7, 9)),  # TestPercentage…: rounded up
        ({"minAvailable": "67%"}, 0, 0, (0, 0, 0, 0)),
        ({}, 3, 3, (0, 3, 0, 0)),
    ],
)
async def test_arithmetic(
    cluster: Cluster, spec: dict[str, Any], replicas: int, count: int, expected: tuple[int, ...]
) -> None:
    reference = await deployment(cluster, replicas)
    await pods(cluster, count, reference)
    await make(cluster, "policy/v1", "poddisruptionbudgets", budget(**spec))
    async with cluster.running(CONTROLLER):
        found = await known(cluster)
    assert numbers(cluster) == expected
    (condition,) = found["conditions"]
    allowed = expected[0] > 0
    assert (condition["type"], condition["status"]) == ("DisruptionAllowed", str(allowed))
    assert condition["reason"] == ("SufficientPods" if allowed else "InsufficientPods")
    assert condition["message"] == "" and condition["observedGeneration"] == found["observedGeneration"] == 1


@pytest.mark.parametrize(
    ("version", "plural", "kind"),
    [
        ("v1", "replicationcontrollers", "ReplicationController"),
        ("apps/v1", "statefulsets", "StatefulSet"),
        ("apps/v1", "replicasets", "ReplicaSet"),
    ],
)
async def test_scales_of_workloads(cluster: Cluster, version: str, plural: str, kind: str) -> None:
    """TestReplicationController, TestStatefulSetController, TestReplicaSet."""
    await pods(cluster, 2, await owner(cluster, version, plural, kind, 4))
    await make(cluster, "policy/v1", "poddisruptionbudgets", budget(maxUnavailable=3))
    async with cluster.running(CONTROLLER):
        await known(cluster)
    assert numbers(cluster) == (1, 2, 1, 4)


@pytest.mark.parametrize(
    ("version", "kind", "why"),
    [
        ("v1", "ConfigMap", "configmaps does not implement the scale subresource"),
        ("example.com/v1", "Database", 'no matches for kind "Database" in version "example.com/v1"'),
    ],
)
async def test_no_disruption_where_no_scale_is_known(cluster: Cluster, version: str, kind: str, why: str) -> None:
    """TestScaleFinderNoResource, failSafe: the condition says what failed."""
    reference = {"apiVersion": version, "kind": kind, "name": "x", "uid": "u", "controller": True}
    await pods(cluster, 2, reference)
    await make(cluster, "policy/v1", "poddisruptionbudgets", budget(maxUnavailable=1))
    async with cluster.running(CONTROLLER):
        found = await known(cluster)
        await cluster.api.until(lambda: cluster.messages("CalculateExpectedPodCountFailed"))
    (condition,) = found["conditions"]
    assert (found["disruptionsAllowed"], condition["reason"], condition["message"]) == (0, "SyncFailed", why)
    assert cluster.messages("CalculateExpectedPodCountFailed")[0] == (
        f"Failed to calculate the number of expected pods: {why}"
    )


async def test_unmanaged_pods_are_told(cluster: Cluster) -> None:
    """TestPDBPodNotManaged…: the selector as Go prints it."""
    await pods(cluster, 1)
    terms = [{"key": "tier", "operator": "NotIn", "values": ["a", "b"]}]
    selector = {"matchLabels": {"app": "web"}, "matchExpressions": terms}
    await make(cluster, "policy/v1", "poddisruptionbudgets", budget(selector=selector, maxUnavailable=1))
    async with cluster.running(CONTROLLER):
        (message,) = await cluster.api.until(lambda: cluster.messages("UnmanagedPods"))
    assert (
        "(selector: &LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:"
        "[]LabelSelectorRequirement{LabelSelectorRequirement{Key:tier,Operator:NotIn,Values:[a b],},},}) were found"
    ) in message


@pytest.mark.parametrize(
    ("selector", "healthy"),
    [
        (None, 0),  # TestNilSelector… selects nothing
        ({}, 2),  # TestEmptySelector: everything in the namespace
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, 2),
        ({"matchLabels": {"pod-template-hash": "abc"}}, 2),
    ],
)
async def test_selectors(cluster: Cluster, selector: Any, healthy: int) -> None:
    await pods(cluster, 2)
    await make(cluster, "policy/v1", "poddisruptionbudgets", budget(selector=selector, minAvailable=1))
    async with cluster.running(CONTROLLER):
        await known(cluster)
    assert numbers(cluster)[1] == healthy


async def test_changes_of_pods_are_followed(cluster: Cluster) -> None:
    """TestUpdateDisruptedPods' neighbours: ready, not ready, deleted, new ones."""
    await pods(cluster, 2, ready=False)
    await make(cluster, "policy/v1", "poddisruptionbudgets", budget(minAvailable=1))
    async with cluster.running(CONTROLLER):
        await cluster.api.until(lambda: status(cluster).get("expectedPods") == 2)
        assert numbers(cluster) == (0, 0, 1, 2)
        for name in ("web-0", "web-1"):
            ready = {
                "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2031-01-01T00:00:00Z"}]
            }
            await cluster.client.patch("v1", "pods", name, {"status": ready}, "default", subresource="status")
        await cluster.api.until(lambda: numbers(cluster) == (1, 2, 1, 2))
        await cluster.client.delete("v1", "pods", "web-0", "default")
        await cluster.api.until(lambda: numbers(cluster) == (0, 1, 1, 2))
        await cluster.client.delete("v1", "pods", "web-0", "default", grace_period=0)
        await cluster.api.until(lambda: numbers(cluster) == (0, 1, 1, 1))


async def test_disrupted_pods_are_forgotten_in_time(cluster: Cluster) -> None:
    """TestUpdateDisruptedPods: gone or deleted ones at once, others after two minutes, with an event."""
    await pods(cluster, 3)
    now = rfc3339(cluster.clock.now())
    made = budget(minAvailable=1)
    made["status"] = {"disruptedPods": {"web-0": now, "gone": now}}
    await make(cluster, "policy/v1", "poddisruptionbudgets", made)
    async with cluster.running(CONTROLLER):
        await cluster.api.until(lambda: status(cluster).get("disruptedPods") == {"web-0": now})
        assert numbers(cluster) == (1, 2, 1, 3)
        await cluster.settle()
        cluster.clock.skip(122)
        await cluster.api.until(lambda: "disruptedPods" not in status(cluster))
        await cluster.api.until(lambda: cluster.messages("NotDeleted"))
        assert numbers(cluster) == (2, 3, 1, 3)
    assert cluster.messages("NotDeleted") == ["Pod was expected by PDB default/default to be deleted but it wasn't"]


async def test_two_budgets_of_a_pod_are_told(cluster: Cluster) -> None:
    """TestMultiplePodDisruptionBudgets."""
    for name in ("a", "b"):
        await make(cluster, "policy/v1", "poddisruptionbudgets", budget(name, minAvailable=1))
    async with cluster.running(CONTROLLER):
        await cluster.api.until(lambda: all(status(cluster, name) for name in ("a", "b")))
        await pods(cluster, 1)
        await cluster.api.until(lambda: cluster.messages("MultiplePodDisruptionBudgets"))
        await cluster.api.until(lambda: all(status(cluster, name)["expectedPods"] == 1 for name in ("a", "b")))
    assert cluster.messages("MultiplePodDisruptionBudgets")[0] == (
        'Pod "default"/"web-0" matches multiple PodDisruptionBudgets.  Chose "a" arbitrarily.'
    )


@pytest.mark.parametrize(("reason", "after"), [("EvictionByEvictionAPI", "False"), ("TerminationByKubelet", "True")])
async def test_stale_conditions_are_taken_back(cluster: Cluster, reason: str, after: str) -> None:
    """TestStalePodDisruption: two minutes after a disruption that did not come."""
    made = pod(0)
    then = rfc3339(cluster.clock.now())
    target = {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": reason,
        "message": "m",
        "lastTransitionTime": then,
    }
    made["status"]["conditions"].append(target)
    await make(cluster, "v1", "pods", made)

    def condition() -> Document:
        conditions = cluster.api.objects["", "pods", "default", "web-0"]["status"]["conditions"]
        return next(each for each in conditions if each["type"] == "DisruptionTarget")

    async with cluster.running(CONTROLLER):
        await cluster.pass_time(110, 10)
        assert condition()["status"] == "True"
        await cluster.pass_time(15, 5)
        assert condition()["status"] == after
    if after == "False":
        assert "reason" not in condition()
        assert parse_rfc3339(condition()["lastTransitionTime"]) >= parse_rfc3339(then) + 120


async def test_events_of_many_pods_are_few_writes(cluster: Cluster) -> None:
    """Ours: a budget over hundreds of pods is not counted anew for each."""
    await pods(cluster, 200, ready=False)
    await make(cluster, "policy/v1", "poddisruptionbudgets", budget(minAvailable=1))
    async with cluster.running(CONTROLLER):
        await cluster.api.until(lambda: status(cluster).get("expectedPods") == 200)
        await cluster.settle()
        cluster.api.requests.clear()
        began = cluster.clock.monotonic()
        ready = {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2031-01-01T00:00:00Z"}]}
        for number in range(200):
            await cluster.client.patch(
                "v1", "pods", f"web-{number}", {"status": ready}, "default", subresource="status"
            )
        took = cluster.clock.monotonic() - began
        cluster.clock.skip(1)
        await cluster.api.until(lambda: numbers(cluster) == (199, 200, 1, 200))
    writes = [request for request in cluster.api.requests if request[1].startswith("poddisruptionbudgets")]
    assert len(writes) <= took / delay(200) + 5

"""Deleting namespaces: words and order of `pkg/controller/namespace/deletion`."""

from __future__ import annotations

from typing import Any

from tiphys.base.document import Document
from tiphys.controllers.namespace.condition import Findings, updated
from tiphys.controllers.namespace.controller import CONTROLLER

NAMES = [
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
    "NamespaceContentRemaining",
    "NamespaceFinalizersRemaining",
]


async def make(cluster: Any, plural: str, name: str, namespace: str = "team", **more: Any) -> Document:
    document = {"metadata": {"name": name, **more.pop("metadata", {})}, **more}
    made: Document = await cluster.client.create("v1", plural, document, namespace)
    return made


async def namespace(cluster: Any, name: str = "team") -> None:
    await cluster.client.create("v1", "namespaces", {"metadata": {"name": name}})


def conditions(cluster: Any, name: str = "team") -> dict[str, Document]:
    found = cluster.api.objects["", "namespaces", "", name]["status"].get("conditions") or ()
    return {each["type"]: each for each in found}


def gone(cluster: Any) -> bool:
    return ("", "namespaces", "", "team") not in cluster.api.objects


async def test_empties_and_finalizes(cluster: Any) -> None:
    await namespace(cluster)
    await namespace(cluster, "other")
    await make(cluster, "configmaps", "a")
    await make(cluster, "secrets", "b")
    await make(cluster, "configmaps", "kept", "other")
    async with cluster.running(CONTROLLER):
        await cluster.client.delete("v1", "namespaces", "team")
        await cluster.api.until(lambda: gone(cluster))
    assert [each["metadata"]["name"] for each in cluster.api.of("configmaps")] == ["kept"]
    assert cluster.api.of("secrets") == []


async def test_pods_go_first_with_their_grace(cluster: Any) -> None:
    await namespace(cluster)
    await make(cluster, "configmaps", "a")
    pod = await make(cluster, "pods", "p", spec={"nodeName": "n", "terminationGracePeriodSeconds": 30})
    async with cluster.running(CONTROLLER):
        await cluster.client.delete("v1", "namespaces", "team")
        await cluster.api.until(lambda: conditions(cluster))
        assert list(conditions(cluster)) == NAMES
        remaining = conditions(cluster)["NamespaceContentRemaining"]
        assert remaining["status"] == "True" and remaining["reason"] == "SomeResourcesRemain"
        assert remaining["message"] == "Some resources are remaining: pods. has 1 resource instances"
        fine = conditions(cluster)["NamespaceDeletionContentFailure"]
        assert (fine["status"], fine["reason"]) == ("False", "ContentDeleted")
        assert fine["message"] == "All content successfully deleted, may be waiting on finalization"
        assert len(cluster.api.of("configmaps")) == 1
        await cluster.client.delete("v1", "pods", pod["metadata"]["name"], "team", grace_period=0)
        await cluster.api.until(lambda: gone(cluster))


async def test_before_1_33_all_is_deleted_at_once(cluster: Any) -> None:
    await namespace(cluster)
    await make(cluster, "configmaps", "a")
    await make(cluster, "pods", "p", spec={"nodeName": "n", "terminationGracePeriodSeconds": 30})
    async with cluster.running(CONTROLLER, minor=32):
        await cluster.client.delete("v1", "namespaces", "team")
        await cluster.api.until(lambda: conditions(cluster))
        assert cluster.api.of("configmaps") == []


async def test_waits_for_finalizers(cluster: Any) -> None:
    await namespace(cluster)
    await make(cluster, "configmaps", "a", metadata={"finalizers": ["example.com/hold"]})
    async with cluster.running(CONTROLLER):
        await cluster.client.delete("v1", "namespaces", "team")
        await cluster.api.until(lambda: conditions(cluster))
        told = conditions(cluster)["NamespaceFinalizersRemaining"]
        assert told["status"] == "True" and told["reason"] == "SomeFinalizersRemain"
        words = "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances"
        assert told["message"] == words
        await cluster.client.patch("v1", "configmaps", "a", {"metadata": {"finalizers": None}}, "team")
        cluster.clock.skip(10)
        await cluster.api.until(lambda: gone(cluster))


def test_conditions_move_their_time_only_with_their_status() -> None:
    first = updated((), Findings(failures=["b", "a"]), 1000.0)
    failure = next(each for each in first if each["type"] == "NamespaceDeletionContentFailure")
    assert failure["message"] == "Failed to delete all resource types, 2 remaining: a, b"
    second = updated(first, Findings(failures=["c"]), 2000.0)
    assert [each["lastTransitionTime"] for each in second] == [each["lastTransitionTime"] for each in first]
    third = updated(second, Findings(), 3000.0)
    moved = {each["type"] for each, old in zip(third, second, strict=True) if each != old}
    assert moved == {"NamespaceDeletionContentFailure"}
    assert updated(third, Findings(), 4000.0) == third

"""Garbage collection: rules of `pkg/controller/garbagecollector` (garbagecollector.go, graph_builder.go)."""

from __future__ import annotations

from typing import Any

from tiphys.base.document import Document
from tiphys.controllers.garbage_collector.controller import CONTROLLER


def owner(document: Document, block: bool = True, **change: Any) -> Document:
    meta = document["metadata"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": meta["name"], "uid": meta["uid"]}
    return {**reference, "blockOwnerDeletion": block, **change}


async def make(cluster: Any, name: str, *owners: Document, namespace: str = "default", **more: Any) -> Document:
    document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "ownerReferences": list(owners)}}
    document["metadata"].update(more)
    made: Document = await cluster.client.create("v1", "configmaps", document, namespace)
    return made


async def delete(cluster: Any, name: str, policy: str = "Background") -> None:
    await cluster.client.delete("v1", "configmaps", name, "default", propagation=policy)


def names(cluster: Any) -> list[str]:
    return [each["metadata"]["name"] for each in cluster.api.of("configmaps")]


def references(cluster: Any, name: str) -> list[str]:
    found = cluster.api.objects["", "configmaps", "default", name]["metadata"].get("ownerReferences") or ()
    return [each["name"] for each in found]


async def test_background_deletes_down_the_line(cluster: Any) -> None:
    top = await make(cluster, "top")
    middle = await make(cluster, "middle", owner(top))
    await make(cluster, "leaf", owner(middle))
    await make(cluster, "stranger")
    async with cluster.running(CONTROLLER):
        await delete(cluster, "top")
        await cluster.api.until(lambda: names(cluster) == ["stranger"])


async def test_dependents_made_while_running(cluster: Any) -> None:
    async with cluster.running(CONTROLLER):
        top = await make(cluster, "top")
        for number in range(50):
            await make(cluster, f"leaf-{number}", owner(top))
        await delete(cluster, "top")
        await cluster.api.until(lambda: names(cluster) == [])


async def test_foreground_waits_for_blocking_dependents(cluster: Any) -> None:
    top = await make(cluster, "top")
    await make(cluster, "blocks", owner(top), finalizers=["example.com/hold"])
    await make(cluster, "loose", owner(top, block=False), finalizers=["example.com/hold"])
    async with cluster.running(CONTROLLER):
        await delete(cluster, "top", "Foreground")

        def deleting(name: str) -> bool:
            return bool(cluster.api.objects["", "configmaps", "default", name]["metadata"].get("deletionTimestamp"))

        await cluster.api.until(lambda: deleting("blocks") and deleting("loose"))
        assert "top" in names(cluster)
        await cluster.client.patch("v1", "configmaps", "blocks", {"metadata": {"finalizers": None}}, "default")
        await cluster.api.until(lambda: names(cluster) == ["loose"])


async def test_foreground_goes_down_the_line(cluster: Any) -> None:
    top = await make(cluster, "top")
    middle = await make(cluster, "middle", owner(top))
    await make(cluster, "leaf", owner(middle))
    async with cluster.running(CONTROLLER):
        await delete(cluster, "top", "Foreground")
        await cluster.api.until(lambda: names(cluster) == [])


async def test_foreground_survives_a_circle(cluster: Any) -> None:
    one = await make(cluster, "one")
    two = await make(cluster, "two", owner(one))
    patch = {"metadata": {"ownerReferences": [owner(two)]}}
    await cluster.client.patch("v1", "configmaps", "one", patch, "default")
    async with cluster.running(CONTROLLER):
        await delete(cluster, "one", "Foreground")
        await cluster.api.until(lambda: names(cluster) == [])


async def test_orphan_leaves_dependents_without_the_reference(cluster: Any) -> None:
    top = await make(cluster, "top")
    other = await make(cluster, "other")
    await make(cluster, "leaf", owner(top), owner(other))
    async with cluster.running(CONTROLLER):
        await delete(cluster, "top", "Orphan")
        await cluster.api.until(lambda: names(cluster) == ["leaf", "other"])
    assert references(cluster, "leaf") == ["other"]


async def test_a_second_owner_keeps_it_alive(cluster: Any) -> None:
    one, two = await make(cluster, "one"), await make(cluster, "two")
    await make(cluster, "leaf", owner(one), owner(two))
    async with cluster.running(CONTROLLER):
        await delete(cluster, "one")
        await cluster.api.until(lambda: references(cluster, "leaf") == ["two"])
        await delete(cluster, "two")
        await cluster.api.until(lambda: names(cluster) == [])


async def test_owner_that_never_was(cluster: Any) -> None:
    """Also one whose name is there again with another uid."""
    await make(cluster, "top")
    ghost = {"metadata": {"name": "top", "uid": "11111111-1111-4111-8111-111111111111"}}
    async with cluster.running(CONTROLLER):
        await make(cluster, "leaf", owner(ghost))
        await cluster.api.until(lambda: names(cluster) == ["top"])


async def test_owner_in_another_namespace_is_none(cluster: Any) -> None:
    top = await make(cluster, "top", namespace="elsewhere")
    async with cluster.running(CONTROLLER):
        await make(cluster, "leaf", owner(top))
        await cluster.api.until(lambda: names(cluster) == ["top"])
        await cluster.api.until(lambda: cluster.messages("OwnerRefInvalidNamespace"))
    uid = top["metadata"]["uid"]
    who = f"[v1/ConfigMap, namespace: default, name: top, uid: {uid}]"
    assert cluster.messages("OwnerRefInvalidNamespace") == [f'ownerRef {who} does not exist in namespace "default"']


async def test_an_unknown_kind_of_owner_is_left_alone(cluster: Any) -> None:
    ghost = {"metadata": {"name": "x", "uid": "u"}}
    async with cluster.running(CONTROLLER):
        await make(cluster, "leaf", owner(ghost, apiVersion="example.com/v1", kind="Widget"))
        top = await make(cluster, "top")
        await make(cluster, "other", owner(top))
        await delete(cluster, "top")
        await cluster.api.until(lambda: "other" not in names(cluster))
    assert names(cluster) == ["leaf"]

"""The mirroring controller, by upstream's `endpointslicemirroring/{controller,reconciler}_test.go`."""

from __future__ import annotations

from typing import Any

import pytest
from services import service
from tests.unit.controllers.conftest import Cluster

from tiphys.base.document import Document
from tiphys.controllers.endpointslice_mirroring.controller import CONTROLLER
from tiphys.controllers.endpointslice_mirroring.mirror import NAME

PORT = {"name": "http", "port": 8080, "protocol": "TCP"}


def endpoints(*subsets: Document, **meta: Any) -> Document:
    return {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "web", **meta}, "subsets": list(subsets)}


def subset(*ips: str, waiting: tuple[str, ...] = ()) -> Document:
    found = {"addresses": [{"ip": ip} for ip in ips], "notReadyAddresses": [{"ip": ip} for ip in waiting]}
    return {**found, "ports": [PORT]}


def slices(cluster: Cluster) -> list[Document]:
    return cluster.api.of("endpointslices")


async def write(cluster: Cluster, document: Document) -> None:
    plural = {"Service": "services", "Endpoints": "endpoints"}[document["kind"]]
    await cluster.client.create("v1", plural, document, "default")


async def test_manual_endpoints_are_mirrored_and_followed(cluster: Cluster) -> None:
    """TestReconcile: labels and annotations but what is only theirs; ready and not; both families."""
    annotations = {"a": "b", "kubectl.kubernetes.io/last-applied-configuration": "{}"}
    await write(cluster, service(selector=None))
    made = endpoints(subset("10.0.0.1", "fd00::1", waiting=("10.0.0.2",)), labels={"x": "y"}, annotations=annotations)
    await write(cluster, made)
    async with cluster.running(CONTROLLER):
        await cluster.api.until(lambda: len(slices(cluster)) == 2)
        four, six = sorted(slices(cluster), key=lambda each: str(each["addressType"]))
        assert four["metadata"]["labels"] == {
            "x": "y",
            "kubernetes.io/service-name": "web",
            "endpointslice.kubernetes.io/managed-by": NAME,
        }
        assert four["metadata"]["annotations"] == {"a": "b"}
        assert four["metadata"]["ownerReferences"][0]["kind"] == "Endpoints"
        assert four["metadata"]["name"].startswith("web-")
        assert four["ports"] == [PORT]
        assert four["endpoints"] == [
            {"addresses": ["10.0.0.1"], "conditions": {"ready": True}},
            {"addresses": ["10.0.0.2"], "conditions": {"ready": False}},
        ]
        assert [each["addresses"] for each in six["endpoints"]] == [["fd00::1"]]
        await cluster.client.patch("v1", "endpoints", "web", {"subsets": [subset("10.0.0.9")]}, "default")
        await cluster.api.until(lambda: len(slices(cluster)) == 1)
        (left,) = slices(cluster)
        assert left["metadata"]["name"] == four["metadata"]["name"]
        assert [each["addresses"] for each in left["endpoints"]] == [["10.0.0.9"]]
        await cluster.client.delete("v1", "endpoints", "web", "default")
        await cluster.api.until(lambda: not slices(cluster))


@pytest.mark.parametrize(
    ("meta", "spec"),
    [  # TestShouldMirror, TestSyncEndpoints
        ({"labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}}, {"selector": None}),
        ({"annotations": {"control-plane.alpha.kubernetes.io/leader": "{}"}}, {"selector": None}),
        ({}, {}),
    ],
)
async def test_what_is_not_mirrored(cluster: Cluster, meta: dict[str, Any], spec: dict[str, Any]) -> None:
    await write(cluster, service(**spec))
    await write(cluster, endpoints(subset("10.0.0.1"), **meta))
    async with cluster.running(CONTROLLER):
        await cluster.pass_time(2, 1)
    assert slices(cluster) == []


async def test_too_many_addresses_are_told(cluster: Cluster) -> None:
    """TestReconcile, "max endpoints"."""
    await write(cluster, service(selector=None))
    await write(cluster, endpoints(subset(*(f"10.0.{n // 250}.{n % 250}" for n in range(1003)))))
    async with cluster.running(CONTROLLER):
        await cluster.api.until(lambda: cluster.messages("TooManyAddressesToMirror"))
        (made,) = await cluster.api.until(lambda: slices(cluster))
    assert len(made["endpoints"]) == 1000
    assert cluster.messages("TooManyAddressesToMirror") == [
        "A max of 1000 addresses can be mirrored to EndpointSlices per Endpoints subset. 3 addresses were skipped"
    ]

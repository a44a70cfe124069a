"""The endpoints controller, by upstream's `pkg/controller/endpoint/endpoints_controller_test.go`."""

from __future__ import annotations

from typing import Any

import pytest
from services import node, pod, service
from tests.unit.controllers.conftest import Cluster

from tiphys.base.document import Document
from tiphys.controllers.endpoints.controller import CONTROLLER
from tiphys.controllers.endpoints.subsets import CAPACITY, count, pack, truncate
from tiphys.controllers.label_index import delay

HTTP = ("http", 8080, "TCP", None)


async def make(cluster: Cluster, *documents: Document) -> None:
    plurals = {"Service": "services", "Pod": "pods", "Node": "nodes", "Endpoints": "endpoints"}
    for document in documents:
        namespace = "" if document["kind"] == "Node" else "default"
        await cluster.client.create("v1", plurals[document["kind"]], document, namespace)


def endpoints(cluster: Cluster, name: str = "web") -> Document | None:
    return cluster.api.objects.get(("", "endpoints", "default", name))


def ips(cluster: Cluster, field: str = "addresses") -> list[str]:
    found = endpoints(cluster)
    return [each["ip"] for subset in (found or {}).get("subsets") or () for each in subset.get(field) or ()]


async def test_a_service_gets_the_addresses_of_its_pods(cluster: Cluster) -> None:
    """TestSyncEndpointsItems, TestCreateEndpoints: labels, ready and not, target and node."""
    await make(cluster, service(), pod(1), pod(2, ready=False), pod(3, app="other"))
    async with cluster.running(CONTROLLER):
        await cluster.api.until(lambda: endpoints(cluster))
    made = endpoints(cluster)
    assert made is not None
    assert made["metadata"]["labels"] == {"team": "a", "endpoints.kubernetes.io/managed-by": "endpoint-controller"}
    created = cluster.api.objects["", "services", "default", "web"]["metadata"]["creationTimestamp"]
    assert made["metadata"]["annotations"] == {"endpoints.kubernetes.io/last-change-trigger-time": created}
    (subset,) = made["subsets"]
    assert subset["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
    uid = cluster.api.objects["", "pods", "default", "web-1"]["metadata"]["uid"]
    target = {"kind": "Pod", "namespace": "default", "name": "web-1", "uid": uid}
    assert subset["addresses"] == [{"ip": "10.0.0.2", "nodeName": "n1", "targetRef": target}]
    assert [each["ip"] for each in subset["notReadyAddresses"]] == ["10.0.0.3"]


@pytest.mark.parametrize(
    ("spec", "of_pod", "expected"),
    [
        ({"publishNotReadyAddresses": True}, {"ready": False}, ["10.0.0.2"]),  # TestSyncEndpointsItemsPreexisting…
        ({}, {"phase": "Succeeded"}, []),  # TestShouldPodBeInEndpoints
        ({}, {"phase": "Failed"}, []),
        ({"ports": None, "clusterIP": "None"}, {}, ["10.0.0.2"]),  # TestSyncEndpointsHeadlessWithoutPort
        ({"ports": None}, {}, []),
    ],
)
async def test_which_pods_count(
    cluster: Cluster, spec: dict[str, Any], of_pod: dict[str, Any], expected: list[str]
) -> None:
    await make(cluster, service(**spec), pod(1, **of_pod))
    async with cluster.running(CONTROLLER):
        await cluster.api.until(lambda: endpoints(cluster))
    assert ips(cluster) == expected


@pytest.mark.parametrize("spec", [{"selector": None}, {"type": "ExternalName", "externalName": "a.b"}])
async def test_services_without_selector_are_left_alone(cluster: Cluster, spec: dict[str, Any]) -> None:
    """TestSyncEndpointsNewNoSubsets' opposite: syncService returns early."""
    await make(cluster, service(**spec), service("other"), pod(1))
    async with cluster.running(CONTROLLER):
        await cluster.api.until(lambda: endpoints(cluster, "other"))
        await cluster.settle()
    assert endpoints(cluster) is None


async def test_headless_services_are_marked_and_hostnames_told(cluster: Cluster) -> None:
    """TestEndpointsHeadlessLabel, TestShouldSetHostname."""
    await make(cluster, service(clusterIP="None"), pod(1, hostname="a", subdomain="web"), pod(2, hostname="b"))
    async with cluster.running(CONTROLLER):
        made = await cluster.api.until(lambda: endpoints(cluster))
    assert made["metadata"]["labels"]["service.kubernetes.io/headless"] == ""
    assert [each.get("hostname") for each in made["subsets"][0]["addresses"]] == ["a", None]


async def test_changes_of_pods_are_followed_and_nothing_else_writes(cluster: Cluster) -> None:
    """TestUpdatePodPodChanged…: readiness moves an address; an annotation does not write."""
    await make(cluster, service(), pod(1))
    async with cluster.running(CONTROLLER):
        await cluster.api.until(lambda: ips(cluster) == ["10.0.0.2"])
        await cluster.client.patch("v1", "pods", "web-1", {"metadata": {"annotations": {"a": "b"}}}, "default")
        await cluster.settle()
        assert ("update", "endpoints") not in cluster.api.requests
        status = {"conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": "2031-01-01T00:00:00Z"}]}
        await cluster.client.patch("v1", "pods", "web-1", {"status": status}, "default", subresource="status")
        await cluster.api.until(lambda: ips(cluster, "notReadyAddresses") == ["10.0.0.2"])
        made = endpoints(cluster)
        assert made is not None
        told = made["metadata"]["annotations"]["endpoints.kubernetes.io/last-change-trigger-time"]
        assert told == "2031-01-01T00:00:00Z"
        await cluster.client.patch("v1", "pods", "web-1", {"metadata": {"labels": {"app": "x"}}}, "default")
        await cluster.api.until(lambda: not ips(cluster, "notReadyAddresses"))


async def test_endpoints_go_with_their_service_and_come_back_alone(cluster: Cluster) -> None:
    """TestSyncServiceEndpointsItemsDelete…, onEndpointsDelete."""
    await make(cluster, service(), pod(1))
    async with cluster.running(CONTROLLER):
        first = await cluster.api.until(lambda: endpoints(cluster))
        await cluster.client.delete("v1", "endpoints", "web", "default")
        await cluster.api.until(
            lambda: (found := endpoints(cluster)) and found["metadata"]["uid"] != first["metadata"]["uid"]
        )
        await cluster.client.delete("v1", "services", "web", "default")
        await cluster.api.until(lambda: endpoints(cluster) is None)


async def test_left_over_endpoints_are_removed_at_the_start(cluster: Cluster) -> None:
    """TestLeftoverEndpoints…: leader election's stay."""
    leader = {"control-plane.alpha.kubernetes.io/leader": "{}"}
    old = {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "old"}}
    lock = {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "lock", "annotations": leader}}
    await make(cluster, old, lock)
    async with cluster.running(CONTROLLER):
        await cluster.api.until(lambda: endpoints(cluster, "old") is None)
        await cluster.settle()
    assert endpoints(cluster, "lock") is not None


async def test_a_failed_write_is_told(cluster: Cluster) -> None:
    """TestSyncEndpointsServiceOverCapacity's neighbours: FailedToCreateEndpoint."""
    from tiphys.base import status

    cluster.api.refuse = lambda info, body: (
        status.forbidden("endpoints", "web", "no") if info.resource == "endpoints" else None
    )
    await make(cluster, service(), pod(1))
    async with cluster.running(CONTROLLER):
        await cluster.api.until(lambda: cluster.messages("FailedToCreateEndpoint"))
    assert cluster.messages("FailedToCreateEndpoint") == [
        'Failed to create endpoint for service default/web: endpoints "web" is forbidden: no'
    ]


async def test_many_pods_are_few_writes(cluster: Cluster) -> None:
    """Ours: pods of one service that change together are one look, and over 1,000 addresses are cut."""
    await make(cluster, node(), service(), *(pod(number) for number in range(1200)))
    async with cluster.running(CONTROLLER):
        await cluster.api.until(lambda: endpoints(cluster))
        await cluster.settle()
        assert len(ips(cluster)) == CAPACITY
        assert endpoints(cluster)["metadata"]["annotations"]["endpoints.kubernetes.io/over-capacity"] == "truncated"  # type: ignore[index]
        cluster.api.requests.clear()
        began = cluster.clock.monotonic()
        for number in range(300):
            await cluster.client.delete("v1", "pods", f"web-{number}", "default", grace_period=0)
        took = cluster.clock.monotonic() - began
        cluster.clock.skip(1)
        await cluster.api.until(lambda: len(ips(cluster)) == 900)
    writes = [request for request in cluster.api.requests if request[1] == "endpoints"]
    assert len(writes) <= took / delay(900) + 5
    assert "annotations" not in endpoints(cluster)["metadata"]  # type: ignore[index]


def address(ip: str, uid: str = "") -> tuple[tuple[str, str], Document]:
    return (ip, uid), {"ip": ip}


def test_packing() -> None:
    """TestPackSubsets (`pkg/api/v1/endpoints/util_test.go`)."""
    metrics = ("metrics", 9100, "TCP", None)
    other = ("http", 9090, "TCP", None)
    one, two = address("10.0.0.1"), address("10.0.0.2")
    same = pack([(*two, True, (HTTP, metrics)), (*one, False, (HTTP, metrics))])
    assert [(len(s["addresses"]), len(s["notReadyAddresses"]), len(s["ports"])) for s in same] == [(1, 1, 2)]
    apart = pack([(*one, True, (HTTP, metrics)), (*two, True, (other, metrics))])
    found = {tuple(port["port"] for port in s["ports"]): [a["ip"] for a in s["addresses"]] for s in apart}
    assert found == {(9100,): ["10.0.0.1", "10.0.0.2"], (8080,): ["10.0.0.1"], (9090,): ["10.0.0.2"]}
    twice = pack([(*one, True, (HTTP,)), (*one, False, (HTTP,))])  # not ready trumps ready
    assert twice == [
        {"notReadyAddresses": [{"ip": "10.0.0.1"}], "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}]}
    ]
    assert pack([(*one, True, ())]) == [{"addresses": [{"ip": "10.0.0.1"}]}]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(500, 500)], [(500, 500)]),  # TestTruncateEndpoints: at capacity
        ([(1500, 0)], [(1000, 0)]),
        ([(500, 0), (500, 600)], [(500, 0), (500, 0)]),
        ([(200, 1000), (200, 1000)], [(200, 300), (200, 300)]),
        ([(1500, 0), (500, 0)], [(750, 0), (250, 0)]),
    ],
)
def test_truncating(sizes: list[tuple[int, int]], expected: list[tuple[int, int]]) -> None:
    subsets = [
        {"addresses": [{"ip": "a"}] * ready, "notReadyAddresses": [{"ip": "b"}] * not_} for ready, not_ in sizes
    ]
    found, cut = truncate(subsets)
    assert [(len(s.get("addresses") or ()), len(s.get("notReadyAddresses") or ())) for s in found] == expected
    assert cut == (sizes != expected)
    assert count(found) <= CAPACITY

"""The endpointslice controller, by upstream's `staging/src/k8s.io/endpointslice/reconciler_test.go`."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from services import node, pod, service
from tests.unit.controllers.conftest import Cluster

from tiphys.base.document import Document
from tiphys.controllers.endpoint_slice import endpoint_key
from tiphys.controllers.endpointslice.controller import CONTROLLER, NAME
from tiphys.controllers.endpointslice.packing import MOST, pack

LAST_CHANGE = "endpoints.kubernetes.io/last-change-trigger-time"


async def make(cluster: Cluster, *documents: Document) -> None:
    plurals = {"Service": "services", "Pod": "pods", "Node": "nodes"}
    for document in documents:
        namespace = "" if document["kind"] == "Node" else "default"
        await cluster.client.create("v1", plurals[document["kind"]], document, namespace)


def slices(cluster: Cluster) -> list[Document]:
    return cluster.api.of("endpointslices")


def endpoints(cluster: Cluster) -> list[Document]:
    return [endpoint for each in slices(cluster) for endpoint in each.get("endpoints") or ()]


async def ready(cluster: Cluster, number: int, state: bool) -> None:
    status = {"conditions": [{"type": "Ready", "status": str(state), "lastTransitionTime": "2031-01-01T00:00:00Z"}]}
    await cluster.client.patch("v1", "pods", f"web-{number}", {"status": status}, "default", subresource="status")


async def test_a_slice_of_one_pod(cluster: Cluster) -> None:
    """TestReconcile1Pod: labels, owner, name, conditions, zone."""
    await make(cluster, node(zone="z1"), service(), pod(1))
    async with cluster.running(CONTROLLER):
        await cluster.api.until(lambda: slices(cluster))
    (made,) = slices(cluster)
    owner = cluster.api.objects["", "services", "default", "web"]["metadata"]
    meta = made["metadata"]
    assert meta["name"].startswith("web-") and len(meta["name"]) == len("web-") + 5
    assert meta["labels"] == {
        "team": "a",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": NAME,
    }
    assert meta["annotations"] == {LAST_CHANGE: owner["creationTimestamp"]}
    assert [(r["kind"], r["uid"], r["controller"]) for r in meta["ownerReferences"]] == [
        ("Service", owner["uid"], True)
    ]
    assert made["addressType"] == "IPv4"
    assert made["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
    uid = cluster.api.objects["", "pods", "default", "web-1"]["metadata"]["uid"]
    assert made["endpoints"] == [
        {
            "addresses": ["10.0.0.2"],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "targetRef": {"kind": "Pod", "namespace": "default", "name": "web-1", "uid": uid},
            "nodeName": "n1",
            "zone": "z1",
        }
    ]


@pytest.mark.parametrize(
    ("spec", "state", "deleted", "expected"),
    [  # TestPodToEndpoint
        ({}, True, False, (True, True, False)),
        ({}, False, False, (False, False, False)),
        ({}, True, True, (False, True, True)),
        ({}, False, True, (False, False, True)),
        ({"publishNotReadyAddresses": True}, False, False, (True, False, False)),
        ({"publishNotReadyAddresses": True}, True, True, (True, True, True)),
    ],
)
async def test_conditions(
    cluster: Cluster, spec: dict[str, Any], state: bool, deleted: bool, expected: tuple[bool, bool, bool]
) -> None:
    await make(cluster, node(), service(**spec), pod(1, ready=state))
    if deleted:
        await cluster.client.delete("v1", "pods", "web-1", "default")
    async with cluster.running(CONTROLLER):
        await cluster.api.until(lambda: slices(cluster))
    (found,) = endpoints(cluster)
    assert tuple(found["conditions"].values()) == expected


async def test_a_service_without_pods_has_one_empty_slice(cluster: Cluster) -> None:
    """TestReconcileEmpty, and with a pod the same slice is filled: finalize turns a delete into an update."""
    await make(cluster, node(), service())
    async with cluster.running(CONTROLLER):
        (empty,) = await cluster.api.until(lambda: slices(cluster))
        assert empty["endpoints"] is None and empty["ports"] is None
        await make(cluster, pod(1))
        await cluster.api.until(lambda: endpoints(cluster))
        assert [each["metadata"]["name"] for each in slices(cluster)] == [empty["metadata"]["name"]]
        await cluster.client.delete("v1", "pods", "web-1", "default", grace_period=0)
        await cluster.api.until(lambda: not endpoints(cluster))
        await cluster.settle()
    (again,) = slices(cluster)
    assert (again["metadata"]["name"], again["ports"]) == (empty["metadata"]["name"], None)


async def test_named_ports_make_groups(cluster: Cluster) -> None:
    """TestReconcileEndpointSlicesNamedPorts: pods that name other numbers are in other slices."""
    ports = [{"name": "http", "port": 80, "targetPort": "web", "protocol": "TCP"}]

    def named(number: int, port: int) -> Document:
        containers = [{"name": "c", "image": "i", "ports": [{"name": "web", "containerPort": port}]}]
        return pod(number, containers=containers)

    await make(cluster, node(), service(ports=ports), *(named(n, 8000 + n % 3) for n in range(9)))
    async with cluster.running(CONTROLLER):
        await cluster.api.until(lambda: len(endpoints(cluster)) == 9)
    assert sorted((each["ports"][0]["port"], len(each["endpoints"])) for each in slices(cluster)) == [
        (8000, 3),
        (8001, 3),
        (8002, 3),
    ]


async def test_two_families_are_two_slices(cluster: Cluster) -> None:
    """TestReconcile1Pod, "ipv4ipv6 dual stack"."""
    both = pod(1)
    both["status"]["podIPs"].append({"ip": "fd00::1"})
    await make(cluster, node(), service(ipFamilies=["IPv4", "IPv6"]), both)
    async with cluster.running(CONTROLLER):
        await cluster.api.until(lambda: len(slices(cluster)) == 2)
    found = {each["addressType"]: each["endpoints"][0]["addresses"] for each in slices(cluster)}
    assert found == {"IPv4": ["10.0.0.2"], "IPv6": ["fd00::1"]}


async def test_a_pod_of_no_node_is_left_out_and_told(cluster: Cluster) -> None:
    """TestReconcile… with missing nodes: `skipping Pod … Node … Not Found`."""
    await make(cluster, service(), pod(1))
    async with cluster.running(CONTROLLER):
        await cluster.api.until(lambda: cluster.messages("FailedToUpdateEndpointSlices"))
        assert not endpoints(cluster)
        await make(cluster, node())
        await cluster.pass_time(1, 0.05)
        await cluster.api.until(lambda: endpoints(cluster))
    assert cluster.messages("FailedToUpdateEndpointSlices")[0] == (
        "Error updating Endpoint Slices for Service default/web: "
        "skipping Pod web-1 for Service default/web: Node n1 Not Found"
    )


async def test_hints_for_close_traffic(cluster: Cluster) -> None:
    """trafficdist_test.go: ready endpoints only."""
    await make(cluster, node(zone="z1"), service(trafficDistribution="PreferSameNode"), pod(1), pod(2, ready=False))
    async with cluster.running(CONTROLLER):
        await cluster.api.until(lambda: slices(cluster))
    hints = {each["targetRef"]["name"]: each.get("hints") for each in endpoints(cluster)}
    assert hints == {"web-1": {"forZones": [{"name": "z1"}], "forNodes": [{"name": "n1"}]}, "web-2": None}


async def test_one_change_is_one_write(cluster: Cluster) -> None:
    """TestReconcileManyPods and minimal churn: 250 pods in three slices; one pod changes one slice."""
    await make(cluster, node(), service(), *(pod(number) for number in range(250)))
    async with cluster.running(CONTROLLER):
        await cluster.api.until(lambda: len(endpoints(cluster)) == 250)
        await cluster.settle()
        assert sorted(len(each["endpoints"]) for each in slices(cluster)) == [50, 100, 100]
        before = {each["metadata"]["name"]: each["metadata"]["resourceVersion"] for each in slices(cluster)}
        cluster.api.requests.clear()
        await ready(cluster, 7, False)
        cluster.clock.skip(1)
        await cluster.api.until(lambda: any(not each["conditions"]["ready"] for each in endpoints(cluster)))
        await cluster.settle()
    assert [request for request in cluster.api.requests if request[1] == "endpointslices"] == [
        ("update", "endpointslices")
    ]
    changed = [
        each for each in slices(cluster) if before[each["metadata"]["name"]] != each["metadata"]["resourceVersion"]
    ]
    (one,) = changed
    assert one["metadata"]["annotations"] == {LAST_CHANGE: "2031-01-01T00:00:00Z"}


async def test_labels_follow_the_service_and_lost_slices_come_back(cluster: Cluster) -> None:
    """TestReconcileEndpointSlicesUpdatedServiceLabels…, onEndpointSliceDelete."""
    await make(cluster, node(), service(), pod(1))
    async with cluster.running(CONTROLLER):
        (first,) = await cluster.api.until(lambda: slices(cluster))
        await cluster.client.patch("v1", "services", "web", {"metadata": {"labels": {"team": "b"}}}, "default")
        await cluster.api.until(lambda: slices(cluster)[0]["metadata"]["labels"]["team"] == "b")
        name = first["metadata"]["name"]
        await cluster.client.delete("discovery.k8s.io/v1", "endpointslices", name, "default")
        await cluster.api.until(lambda: slices(cluster) and slices(cluster)[0]["metadata"]["name"] != name)
        gone = slices(cluster)[0]["metadata"]["name"]
        empty = {"endpoints": None}
        await cluster.client.patch("discovery.k8s.io/v1", "endpointslices", gone, empty, "default")
        await cluster.api.until(lambda: endpoints(cluster))
    assert [len(each["endpoints"]) for each in slices(cluster)] == [1]


def filled(name: str, numbers: range) -> Document:
    return {"metadata": {"name": name}, "addressType": "IPv4", "endpoints": [endpoint(n) for n in numbers]}


def endpoint(number: int, ready: bool = True) -> Document:
    return {"addresses": [f"10.1.{number // 250}.{number % 250}"], "conditions": {"ready": ready}}


@pytest.mark.parametrize(
    ("existing", "wanted", "writes", "sizes"),
    [  # TestReconcileEndpointSlicesSome…, NeedPacking, ReplaceDeprecated, Recycling
        ([], range(250), {"create": 3}, [100, 100, 50]),
        ([range(62), range(100, 162)], range(62), {"delete": 1}, [62]),
        ([range(50), range(100, 190)], [*range(50), *range(100, 190), *range(200, 208)], {"update": 1}, [50, 98]),
        ([range(50), range(100, 190)], [*range(50), *range(100, 190), *range(200, 260)], {"create": 1}, [50, 90, 60]),
        ([range(50), range(100, 190)], [*range(49), *range(100, 190), *range(200, 260)],
         {"update": 2, "create": 0}, [99, 100]),
        ([range(100)], range(100), {}, [100]),
    ],
)  # fmt: skip
def test_packing(existing: list[range], wanted: list[int], writes: dict[str, int], sizes: list[int]) -> None:
    before = [filled(f"s{number}", numbers) for number, numbers in enumerate(existing)]
    desired = {endpoint_key(endpoint(number)): endpoint(number) for number in wanted}
    plan = pack(list(before), desired, lambda each: None, lambda: {"metadata": {}, "endpoints": []})
    done = Counter(create=len(plan.create), update=len(plan.update), delete=len(plan.delete))
    assert done == Counter(writes)
    touched = {each["metadata"].get("name") for each in (*plan.update, *plan.delete)}
    after = [each for each in before if each["metadata"]["name"] not in touched] + plan.update + plan.create
    assert sorted(len(each["endpoints"]) for each in after) == sorted(sizes)
    assert Counter(e["addresses"][0] for each in after for e in each["endpoints"]) == Counter(
        endpoint(number)["addresses"][0] for number in wanted
    )
    assert all(len(each["endpoints"]) <= MOST for each in after)

"""kr8s: objects that know their API, over httpx; it looks kinds up by discovery and pages by a hundred."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator

import pytest
from kr8s import Api, NotFoundError, ServerError
from kr8s.asyncio import api as new_api
from kr8s.asyncio.objects import ConfigMap, Deployment, Event, Namespace, Node, Pod, new_class

from tests.clients import documents
from tests.clients.conftest import ForgetfulCluster, RunningCluster

pytestmark = pytest.mark.filterwarnings(
    "ignore:Kubernetes version .* is not supported. Supported versions for kr8s .*:UserWarning"
)


@pytest.fixture
async def api(cluster: RunningCluster) -> AsyncIterator[Api]:
    found = await new_api(kubeconfig=cluster.kubeconfig)
    yield found
    await found._session.aclose()


async def test_version_and_discovery(api: Api) -> None:
    assert (await api.version())["minor"] == "37"
    assert await api.lookup_kind("deploy") == ("deployment.apps/v1", "deployments", True)
    assert "apps/v1" in [version async for version in api.api_versions()]
    assert {node.name async for node in api.get("nodes")} == {"node-1", "node-2", "node-3"}


async def test_namespace_and_config_maps(api: Api, fresh: str) -> None:
    space = await Namespace(documents.namespace(f"{fresh}-2", team="red"), api=api)
    await space.create()
    assert [found.name async for found in api.get("ns", label_selector={"team": "red"})] == [space.name]
    await space.delete()

    one = await ConfigMap({**documents.config_map("one", a="1")}, namespace=fresh, api=api)
    await one.create()
    assert one.raw["metadata"]["uid"]
    await one.patch({"data": {"b": "2"}})
    assert one.data == {"a": "1", "b": "2"}
    await one.patch([{"op": "remove", "path": "/data/a"}], type="json")
    assert one.data == {"b": "2"}
    await one.label({"tier": "x", "mark": ""})
    await one.annotate(note="well")
    await one.refresh()
    assert (one.labels["tier"], one.labels["mark"], one.annotations["note"]) == ("x", "", "well")
    await one.remove_label("tier")
    assert "tier" not in one.labels
    again = await ConfigMap.get("one", namespace=fresh, api=api)
    assert again.raw == one.raw
    await one.delete()
    assert not await one.exists()


async def test_refusals(api: Api, fresh: str) -> None:
    """What `ServerError` carries is the Status the server answered."""
    one = await ConfigMap(documents.config_map("one"), namespace=fresh, api=api)
    with pytest.raises(NotFoundError):
        await one.refresh()
    await one.create()
    with pytest.raises(ServerError, match='configmaps "one" already exists') as found:
        await one.create()
    assert (found.value.response.status_code, found.value.status["reason"]) == (409, "AlreadyExists")
    with pytest.raises(ServerError) as found:
        await one.patch({"metadata": {"resourceVersion": "1"}, "data": {"a": "1"}})
    assert (found.value.response.status_code, found.value.status["reason"]) == (409, "Conflict")
    wrong = await Deployment(documents.deployment("wrong", replicas=-1), namespace=fresh, api=api)
    with pytest.raises(ServerError) as found:
        await wrong.create()
    assert (found.value.response.status_code, found.value.status["reason"]) == (422, "Invalid")
    assert found.value.status["details"]["causes"][0]["field"] == "spec.replicas"


async def test_pages(api: Api, fresh: str) -> None:
    """More than its hundred a page."""
    maps = [await ConfigMap(documents.config_map(f"m{n:03}"), namespace=fresh, api=api) for n in range(230)]
    await asyncio.gather(*(entry.create() for entry in maps))
    field = {"metadata.name!": "kube-root-ca.crt"}
    found = [entry.name async for entry in api.get("configmaps", namespace=fresh, field_selector=field)]
    assert found == [f"m{n:03}" for n in range(230)]


async def test_deployment(api: Api, fresh: str) -> None:
    web = await Deployment(documents.deployment("web", replicas=2), namespace=fresh, api=api)
    await web.create()
    await web.wait("condition=Available", timeout=30)
    assert await web.ready()
    pods = await web.pods()
    assert len(pods) == 2
    for pod in pods:
        await pod.wait("condition=Ready", timeout=30)
        assert pod.status.podIP
    await web.scale(3)
    await web.wait("jsonpath='{.status.availableReplicas}'=3", timeout=30)
    running = api.get("pods", namespace=fresh, field_selector="status.phase=Running", label_selector="app=web")
    assert len([pod async for pod in running]) == 3
    reasons = {event.raw.reason async for event in Event.list(namespace=fresh, api=api)}
    assert {"ScalingReplicaSet", "SuccessfulCreate", "Scheduled"} <= reasons
    await web.delete(propagation_policy="Foreground")
    await web.wait("delete", timeout=30)
    assert [pod async for pod in api.get("pods", namespace=fresh, label_selector="app=web")] == []


async def test_status_and_events(api: Api, fresh: str) -> None:
    mine = await Pod(documents.pod("mine", schedulerName="nobody"), namespace=fresh, api=api)
    await mine.create()
    await mine.patch({"status": {"phase": "Failed"}})
    assert mine.status.phase == "Pending"
    await mine.patch({"status": {"phase": "Failed"}}, subresource="status")
    assert mine.status.phase == "Failed"
    posted = await Event(documents.event("mine.1", mine.raw.to_dict(), "Poked"), namespace=fresh, api=api)
    await posted.create()
    selector = {"involvedObject.name": "mine", "reason": "Poked"}
    assert [e.name async for e in api.get("events", namespace=fresh, field_selector=selector)] == ["mine.1"]


async def test_nodes_are_cordoned_and_tainted(api: Api) -> None:
    node = await Node.get("node-3", api=api)
    await node.cordon()
    await node.refresh()
    assert node.unschedulable
    await node.uncordon()
    await node.taint("kr8s", "was-here", effect="PreferNoSchedule")
    await node.refresh()
    assert ("kr8s", "was-here") in {(taint.key, taint.get("value")) for taint in node.taints}
    await node.taint("kr8s", "was-here", effect="PreferNoSchedule-")
    assert "kr8s" not in {taint.key for taint in node.taints}


async def test_watch_resumes(api: Api, fresh: str) -> None:
    first = await ConfigMap(documents.config_map("first", {"seen": "y"}), namespace=fresh, api=api)
    await first.create()
    second = await ConfigMap(documents.config_map("second", {"seen": "y"}), namespace=fresh, api=api)
    await second.create()
    await second.delete()
    told = []
    async with asyncio.timeout(30):
        since = first.metadata.resourceVersion
        async for kind, found in api.watch("configmaps", namespace=fresh, label_selector="seen=y", since=since):
            told.append((kind, found.name))
            if len(told) == 2:
                break
    assert told == [("ADDED", "second"), ("DELETED", "second")]


async def test_watch_of_a_forgotten_version(forgetful: ForgetfulCluster) -> None:
    """kr8s would ask for the same version for ever (its `async_watch`), so what it is told is read from below."""
    api = await new_api(kubeconfig=forgetful.cluster.kubeconfig)
    params = {"watch": "true", "resourceVersion": forgetful.version}
    async with api.call_api("GET", version="v1", url="configmaps", params=params, stream=True) as response:
        assert response.status_code == 200
        lines = [line async for line in response.aiter_lines()]
    assert len(lines) == 1
    assert '"type":"ERROR"' in lines[0]
    assert '"code":410' in lines[0]
    await api._session.aclose()


async def test_own_class_for_a_kind(api: Api, fresh: str) -> None:
    lease_class = new_class("Lease.coordination.k8s.io/v1")
    lease = await lease_class(
        {"metadata": {"name": "mine", "namespace": fresh}, "spec": {"holderIdentity": "me"}}, api=api
    )
    await lease.create()
    assert [found.spec.holderIdentity async for found in api.get("leases", namespace=fresh)] == ["me"]


async def test_a_stranger_is_refused(cluster: RunningCluster) -> None:
    """Without a client certificate one is system:anonymous, who may not (upstream's `--anonymous-auth`)."""
    reader, writer = await asyncio.open_connection(
        *cluster.server.removeprefix("https://").split(":"),
        ssl=ssl.create_default_context(cafile=str(cluster.pki / "ca.pem")),
        server_hostname="kubernetes",
    )
    writer.write(b"GET /api/v1/pods HTTP/1.1\r\nHost: kubernetes\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert rb"pods is forbidden: User \"system:anonymous\" cannot list resource \"pods\" in API group" in answer
    writer.close()
    await writer.wait_closed()

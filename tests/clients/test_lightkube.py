"""lightkube: dataclass models, the kind of call told by type; its sync and its async client."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from lightkube import ApiError, AsyncClient, Client, KubeConfig
from lightkube.codecs import from_dict
from lightkube.models.autoscaling_v1 import ScaleSpec
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.apps_v1 import Deployment, ReplicaSet
from lightkube.resources.core_v1 import ConfigMap, Event, Namespace, Pod
from lightkube.types import CascadeType, PatchType

from tests.clients import documents
from tests.clients.conftest import ForgetfulCluster, RunningCluster


@pytest.fixture(scope="module")
def client(cluster: RunningCluster) -> Iterator[Client]:
    with Client(config=KubeConfig.from_file(cluster.kubeconfig)) as found:
        yield found


def _map(name: str, namespace: str, labels: dict[str, str] | None = None, **data: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name, namespace=namespace, labels=labels), data=data)


def _deployment(namespace: str, replicas: int) -> Deployment:
    document = documents.deployment("web", replicas)
    document["metadata"]["namespace"] = namespace
    found = from_dict(document)
    assert isinstance(found, Deployment)
    return found


def test_namespace_and_config_maps(client: Client, fresh: str) -> None:
    client.create(Namespace(metadata=ObjectMeta(name=f"{fresh}-2", labels={"team": "green"})))
    assert [n.metadata.name for n in client.list(Namespace, labels={"team": "green"})] == [f"{fresh}-2"]
    client.delete(Namespace, f"{fresh}-2")

    made = client.create(_map("one", fresh, a="1"))
    assert client.get(ConfigMap, "one", namespace=fresh) == made
    assert client.create(_map("dry", fresh), dry_run=True).metadata.uid
    patched = client.patch(ConfigMap, "one", {"data": {"b": "2"}}, namespace=fresh)
    assert patched.data == {"a": "1", "b": "2"}
    patched = client.patch(ConfigMap, "one", {"data": {"a": None}}, namespace=fresh, patch_type=PatchType.MERGE)
    assert patched.data == {"b": "2"}
    operations = [{"op": "test", "path": "/data/b", "value": "2"}, {"op": "add", "path": "/data/c", "value": "3"}]
    patched = client.patch(ConfigMap, "one", operations, namespace=fresh, patch_type=PatchType.JSON)
    patched.data = {"d": "4"}
    assert client.replace(patched).data == {"d": "4"}
    client.delete(ConfigMap, "one", namespace=fresh)
    for number in range(4):
        client.create(_map(f"n{number}", fresh, {"even": str(number % 2 == 0).lower()}))
    some = client.list(ConfigMap, namespace=fresh, labels={"even": ("false", "no")})
    assert [entry.metadata.name for entry in some] == ["n1", "n3"]
    client.deletecollection(ConfigMap, namespace=fresh)
    assert list(client.list(ConfigMap, namespace=fresh, labels={"even": None})) == []


def test_refusals(client: Client, fresh: str) -> None:
    with pytest.raises(ApiError, match='configmaps "none" not found') as found:
        client.get(ConfigMap, "none", namespace=fresh)
    assert (found.value.status.code, found.value.status.reason) == (404, "NotFound")
    assert found.value.status.details.kind == "configmaps"
    old = client.create(_map("one", fresh))
    with pytest.raises(ApiError) as found:
        client.create(_map("one", fresh))
    assert (found.value.status.code, found.value.status.reason) == (409, "AlreadyExists")
    client.patch(ConfigMap, "one", {"data": {"a": "1"}}, namespace=fresh)
    with pytest.raises(ApiError) as found:
        client.replace(old)
    assert (found.value.status.code, found.value.status.reason) == (409, "Conflict")
    with pytest.raises(ApiError) as found:
        client.create(_deployment(fresh, -1))
    assert (found.value.status.code, found.value.status.reason) == (422, "Invalid")
    assert [(c.field, c.reason) for c in found.value.status.details.causes] == [
        ("spec.replicas", "FieldValueInvalid")
    ]


def test_pages(client: Client, fresh: str) -> None:
    for number in range(7):
        client.create(_map(f"m{number}", fresh, {"paged": "y"}))
    listed = client.list(ConfigMap, namespace=fresh, labels={"paged": "y"}, chunk_size=3)
    assert [entry.metadata.name for entry in listed] == [f"m{number}" for number in range(7)]
    assert int(listed.resourceVersion) > 0


def test_deployment(client: Client, fresh: str) -> None:
    client.create(_deployment(fresh, 2))
    found = client.wait(Deployment, "web", for_conditions=["Available"], namespace=fresh)
    assert found.status.availableReplicas == 2
    pods = list(client.list(Pod, namespace=fresh, labels={"app": "web"}, fields={"status.phase": "Running"}))
    assert [len(pod.status.containerStatuses) for pod in pods] == [1, 1]
    scale = client.get(Deployment.Scale, "web", namespace=fresh)
    assert scale.spec.replicas == 2
    scale.spec = ScaleSpec(replicas=1)
    assert client.replace(scale, "web", namespace=fresh).spec.replicas == 1
    for _, told in client.watch(Deployment, namespace=fresh, fields={"metadata.name": "web"}):
        if told.status.replicas == 1 and told.status.observedGeneration == told.metadata.generation:
            break
    assert client.get(Deployment.Status, "web", namespace=fresh).status.replicas == 1
    messages = [
        event.message for event in client.list(Event, namespace=fresh, fields={"involvedObject.kind": "Deployment"})
    ]
    name = next(iter(client.list(ReplicaSet, namespace=fresh))).metadata.name
    assert f"Scaled down replica set {name} from 2 to 1" in messages

    client.delete(Deployment, "web", namespace=fresh, cascade=CascadeType.ORPHAN)
    for kind, told in client.watch(ReplicaSet, namespace=fresh):
        if kind == "MODIFIED" and not told.metadata.ownerReferences:
            break
    assert [rs.metadata.name for rs in client.list(ReplicaSet, namespace=fresh)] == [name]


def test_status_is_patched_apart(client: Client, fresh: str) -> None:
    document = documents.pod("mine", schedulerName="nobody")
    document["metadata"]["namespace"] = fresh
    client.create(from_dict(document))
    assert client.patch(Pod, "mine", {"status": {"phase": "Failed"}}, namespace=fresh).status.phase == "Pending"
    assert client.patch(Pod.Status, "mine", {"status": {"phase": "Failed"}}, namespace=fresh).status.phase == "Failed"
    mine = client.get(Pod, "mine", namespace=fresh).to_dict()
    client.create(from_dict(documents.event("mine.1", {**mine, "kind": "Pod"}, "Poked")))
    fields = {"involvedObject.uid": mine["metadata"]["uid"]}
    assert [event.reason for event in client.list(Event, namespace=fresh, fields=fields)] == ["Poked"]


def test_watch_resumes(client: Client, fresh: str) -> None:
    first = client.create(_map("first", fresh, {"seen": "y"}))
    client.patch(ConfigMap, "first", {"data": {"a": "1"}}, namespace=fresh)
    client.delete(ConfigMap, "first", namespace=fresh)
    told = []
    for kind, found in client.watch(
        ConfigMap, namespace=fresh, labels={"seen": "y"}, resource_version=first.metadata.resourceVersion
    ):
        told.append((kind, found.data))
        if kind == "DELETED":
            break
    assert told == [("MODIFIED", {"a": "1"}), ("DELETED", {"a": "1"})]


def test_watch_of_a_forgotten_version(forgetful: ForgetfulCluster) -> None:
    """lightkube raises what the ERROR event holds; the story of its handler goes on with a fresh list."""
    with Client(config=KubeConfig.from_file(forgetful.cluster.kubeconfig)) as client:
        with pytest.raises(ApiError, match=f"too old resource version: {forgetful.version} ") as found:
            next(iter(client.watch(ConfigMap, namespace="default", resource_version=forgetful.version)))
        assert (found.value.status.code, found.value.status.reason) == (410, "Expired")
        kind, first = next(iter(client.watch(ConfigMap, namespace="default", fields={"metadata.name": "first"})))
        assert (kind, first.metadata.name) == ("ADDED", "first")


async def test_async_client(cluster: RunningCluster, fresh: str) -> None:
    client = AsyncClient(config=KubeConfig.from_file(cluster.kubeconfig), namespace=fresh)
    await asyncio.gather(*(client.create(_map(f"m{number}", fresh, {"at": "once"})) for number in range(20)))
    listed = client.list(ConfigMap, labels={"at": "once"}, chunk_size=6)
    assert sorted([entry.metadata.name async for entry in listed]) == sorted(f"m{number}" for number in range(20))
    await client.create(_deployment(fresh, 1))
    async with asyncio.timeout(30):
        found = await client.wait(Deployment, "web", for_conditions=["Available"])
    assert found.status.readyReplicas == 1
    await client.close()

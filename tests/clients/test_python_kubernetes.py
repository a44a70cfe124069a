"""The official Python client: typed models, its Watch, the dynamic client, and errors as it shows them.

Messages are upstream's: apimachinery `pkg/api/errors/errors.go` and `pkg/util/validation/field/errors.go`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client, config, dynamic, watch
from kubernetes.client.rest import ApiException

from tests.clients import documents
from tests.clients.conftest import ForgetfulCluster, RunningCluster


@pytest.fixture(scope="module")
def api(cluster: RunningCluster) -> Iterator[client.ApiClient]:
    with config.new_client_from_config(cluster.kubeconfig, context=f"tiphys-{cluster.name}") as found:
        yield found


@pytest.fixture(scope="module")
def core(api: client.ApiClient) -> client.CoreV1Api:
    return client.CoreV1Api(api)


@pytest.fixture(scope="module")
def apps(api: client.ApiClient) -> client.AppsV1Api:
    return client.AppsV1Api(api)


def _refusal(found: pytest.ExceptionInfo[ApiException]) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(found.value.body)
    assert (body["apiVersion"], body["kind"], body["status"]) == ("v1", "Status", "Failure")
    assert body["code"] == found.value.status
    return body


def test_version_and_discovery(api: client.ApiClient) -> None:
    assert client.VersionApi(api).get_code().minor == "37"
    assert list(client.CoreApi(api).get_api_versions().versions) == ["v1"]
    groups = {group.name for group in client.ApisApi(api).get_api_versions().groups}
    assert {"apps", "batch", "rbac.authorization.k8s.io"} <= groups
    resources = {r.name: r for r in client.CoreV1Api(api).get_api_resources().resources}
    assert resources["configmaps"].short_names == ["cm"]
    assert "pods/status" in resources


def test_namespace_and_config_maps(core: client.CoreV1Api, fresh: str) -> None:
    made = core.create_namespace(documents.namespace(f"{fresh}-2", team="blue"))
    assert made.status.phase == "Active"
    assert made.metadata.labels == {"kubernetes.io/metadata.name": f"{fresh}-2", "team": "blue"}
    assert [n.metadata.name for n in core.list_namespace(label_selector="team=blue").items] == [f"{fresh}-2"]
    core.delete_namespace(f"{fresh}-2")
    with pytest.raises(ApiException) as found:
        core.create_namespaced_config_map(f"{fresh}-2", documents.config_map("late"))
    assert found.value.status in (403, 404)

    model = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="one"), data={"a": "1"}, binary_data={"b": "AAE="})
    made = core.create_namespaced_config_map(fresh, model)
    assert (made.data, made.binary_data, made.metadata.namespace) == ({"a": "1"}, {"b": "AAE="}, fresh)
    assert made.metadata.creation_timestamp.tzinfo is not None

    body = {"metadata": {"labels": {"tier": "x"}}, "data": {"c": "3"}}
    merged = core.patch_namespaced_config_map("one", fresh, body)
    assert (merged.data, merged.metadata.labels) == ({"a": "1", "c": "3"}, {"tier": "x"})
    removed = core.patch_namespaced_config_map("one", fresh, [{"op": "remove", "path": "/data/a"}])
    assert removed.data == {"c": "3"}
    removed.data = {"d": "4"}
    assert core.replace_namespaced_config_map("one", fresh, removed).data == {"d": "4"}
    assert core.read_namespaced_config_map("one", fresh).data == {"d": "4"}

    deleted = core.delete_namespaced_config_map("one", fresh)  # typed "object", so a dict
    assert (deleted["status"], deleted["details"]["name"]) == ("Success", "one")
    for number in range(3):
        core.create_namespaced_config_map(fresh, documents.config_map(f"n{number}", {"tier": "y"}))
    core.delete_collection_namespaced_config_map(fresh, label_selector="tier=y", field_selector="metadata.name!=n1")
    left = core.list_namespaced_config_map(fresh, label_selector="tier in (x, y)").items
    assert [item.metadata.name for item in left] == ["n1"]


def test_not_found(core: client.CoreV1Api, fresh: str) -> None:
    with pytest.raises(ApiException) as found:
        core.read_namespaced_config_map("nowhere", fresh)
    assert (found.value.status, found.value.reason) == (404, "Not Found")
    assert _refusal(found) == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'configmaps "nowhere" not found',
        "reason": "NotFound",
        "details": {"name": "nowhere", "kind": "configmaps"},
        "code": 404,
    }


def test_already_exists(core: client.CoreV1Api, fresh: str) -> None:
    core.create_namespaced_config_map(fresh, documents.config_map("twice"))
    with pytest.raises(ApiException) as found:
        core.create_namespaced_config_map(fresh, documents.config_map("twice"))
    refusal = _refusal(found)
    assert (refusal["code"], refusal["reason"]) == (409, "AlreadyExists")
    assert refusal["message"] == 'configmaps "twice" already exists'


def test_invalid(apps: client.AppsV1Api, fresh: str) -> None:
    document = documents.deployment("wrong", replicas=-1)
    document["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    with pytest.raises(ApiException) as found:
        apps.create_namespaced_deployment(fresh, document)
    refusal = _refusal(found)
    assert (refusal["code"], refusal["reason"]) == (422, "Invalid")
    assert refusal["message"].startswith('Deployment.apps "wrong" is invalid: [')
    assert refusal["details"]["causes"] == [
        {
            "reason": "FieldValueInvalid",
            "message": "Invalid value: -1: must be greater than or equal to 0",
            "field": "spec.replicas",
        },
        {
            "reason": "FieldValueInvalid",
            "message": 'Invalid value: {"app":"wrong"}: `selector` does not match template `labels`',
            "field": "spec.template.metadata.labels",
        },
    ]


def test_conflict(core: client.CoreV1Api, fresh: str) -> None:
    old = core.create_namespaced_config_map(fresh, documents.config_map("fought-over"))
    core.patch_namespaced_config_map("fought-over", fresh, {"data": {"winner": "me"}})
    old.data = {"winner": "you"}
    with pytest.raises(ApiException) as found:
        core.replace_namespaced_config_map("fought-over", fresh, old)
    refusal = _refusal(found)
    assert (refusal["code"], refusal["reason"]) == (409, "Conflict")
    assert refusal["message"] == (
        'Operation cannot be fulfilled on configmaps "fought-over": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    with pytest.raises(ApiException) as found:
        core.delete_namespaced_config_map(
            "fought-over", fresh, body=client.V1DeleteOptions(preconditions=client.V1Preconditions(uid="not-it"))
        )
    assert found.value.status == 409


def test_pages(core: client.CoreV1Api, fresh: str) -> None:
    """What is written between the pages is not seen: a list is of one version."""
    names = [f"page-{number:02}" for number in range(11)]
    for name in names:
        core.create_namespaced_config_map(fresh, documents.config_map(name, {"paged": "yes"}))
    first = core.list_namespaced_config_map(fresh, label_selector="paged", limit=4)
    assert first.metadata.remaining_item_count is None  # not told with a selector (storage/interfaces.go)
    core.delete_namespaced_config_map("page-07", fresh)
    core.create_namespaced_config_map(fresh, documents.config_map("page-05b", {"paged": "yes"}))
    found, page = [item.metadata.name for item in first.items], first
    while token := page.metadata._continue:
        page = core.list_namespaced_config_map(fresh, label_selector="paged", limit=4, _continue=token)
        assert page.metadata.resource_version == first.metadata.resource_version
        found += [item.metadata.name for item in page.items]
    assert found == names
    unselected = core.list_namespaced_config_map(fresh, limit=4)
    whole = core.list_namespaced_config_map(
        fresh, resource_version=unselected.metadata.resource_version, resource_version_match="Exact"
    )
    assert unselected.metadata.remaining_item_count == len(whole.items) - 4


def test_deployment(core: client.CoreV1Api, apps: client.AppsV1Api, fresh: str) -> None:
    apps.create_namespaced_deployment(fresh, documents.deployment("web", replicas=2))
    _available(apps, fresh, "web", 2)
    pods = core.list_namespaced_pod(fresh, label_selector="app=web", field_selector="status.phase=Running").items
    assert len(pods) == 2
    assert all(pod.status.container_statuses[0].ready and pod.status.pod_ip for pod in pods)
    assert all(pod.metadata.owner_references[0].kind == "ReplicaSet" for pod in pods)

    scale = apps.read_namespaced_deployment_scale("web", fresh)
    assert (scale.kind, scale.spec.replicas, scale.status.selector) == ("Scale", 2, "app=web")
    scale.spec.replicas = 3
    assert apps.replace_namespaced_deployment_scale("web", fresh, scale).spec.replicas == 3
    found = _available(apps, fresh, "web", 3)
    assert {c.type: c.status for c in found.status.conditions} == {"Available": "True", "Progressing": "True"}
    assert apps.read_namespaced_deployment_status("web", fresh).status.ready_replicas == 3

    events = core.list_namespaced_event(
        fresh, field_selector="involvedObject.kind=Deployment,reason=ScalingReplicaSet"
    )
    replica_set = apps.list_namespaced_replica_set(fresh).items[0].metadata.name
    assert f"Scaled up replica set {replica_set} from 0 to 2" in [event.message for event in events.items]
    scheduled = core.list_namespaced_event(fresh, field_selector="reason=Scheduled").items
    assert {e.involved_object.name for e in scheduled} >= {pod.metadata.name for pod in pods}

    since = core.list_namespaced_pod(fresh).metadata.resource_version
    apps.delete_namespaced_deployment("web", fresh, propagation_policy="Foreground")
    gone = set()
    for told in watch.Watch().stream(core.list_namespaced_pod, fresh, resource_version=since, timeout_seconds=30):
        if told["type"] == "DELETED":
            gone.add(told["object"].metadata.name)
        if len(gone) == 3:
            break
    assert len(gone) == 3


def _available(apps: client.AppsV1Api, namespace: str, name: str, replicas: int) -> client.V1Deployment:
    stream = watch.Watch()
    for told in stream.stream(
        apps.list_namespaced_deployment, namespace, field_selector=f"metadata.name={name}", timeout_seconds=30
    ):
        status = told["object"].status
        if status.available_replicas == replicas and status.replicas == replicas:
            stream.stop()
            return told["object"]
    raise AssertionError(f"{name} never has {replicas} available")


def test_status_and_events_are_written(core: client.CoreV1Api, fresh: str) -> None:
    """A pod no scheduler takes: its status is the client's to write, through the subresource alone."""
    core.create_namespaced_pod(fresh, documents.pod("mine", schedulerName="nobody"))
    body = {"status": {"phase": "Running", "conditions": [{"type": "Odd", "status": "True"}]}}
    unchanged = core.patch_namespaced_pod("mine", fresh, body)
    assert unchanged.status.phase == "Pending"
    changed = core.patch_namespaced_pod_status("mine", fresh, body)
    assert changed.status.phase == "Running"
    assert [c.type for c in changed.status.conditions] == ["Odd"]

    found = core.read_namespaced_pod("mine", fresh)
    document = client.ApiClient().sanitize_for_serialization(found)
    core.create_namespaced_event(fresh, documents.event("mine.1", {**document, "kind": "Pod"}, "Poked"))
    listed = core.list_namespaced_event(fresh, field_selector=f"involvedObject.uid={found.metadata.uid}").items
    assert [(e.reason, e.count, e.source.component) for e in listed] == [("Poked", 1, "client-tests")]


def test_watch_resumes(core: client.CoreV1Api, fresh: str) -> None:
    listed = core.list_namespaced_config_map(fresh)
    core.create_namespaced_config_map(fresh, documents.config_map("seen"))
    middle = core.patch_namespaced_config_map("seen", fresh, {"data": {"a": "1"}})
    core.delete_namespaced_config_map("seen", fresh)

    def follow(version: str, count: int) -> list[tuple[str, str]]:
        stream, told = watch.Watch(), []
        for line in stream.stream(
            core.list_namespaced_config_map, fresh, resource_version=version, field_selector="metadata.name=seen"
        ):
            told.append((line["type"], line["object"].metadata.resource_version))
            if len(told) == count:
                stream.stop()
        return told

    whole = follow(listed.metadata.resource_version, 3)
    assert [kind for kind, _ in whole] == ["ADDED", "MODIFIED", "DELETED"]
    assert whole[1][1] == middle.metadata.resource_version
    assert follow(middle.metadata.resource_version, 1) == whole[2:]


def test_watch_of_a_forgotten_version(forgetful: ForgetfulCluster) -> None:
    """The client tries once more by itself, then raises (its `Watch.stream`)."""
    with config.new_client_from_config(forgetful.cluster.kubeconfig, context="tiphys-forgetful") as api:
        core = client.CoreV1Api(api)
        with pytest.raises(ApiException) as found:
            next(watch.Watch().stream(core.list_config_map_for_all_namespaces, resource_version=forgetful.version))
        assert found.value.status == 410
        assert found.value.reason.startswith(f"Expired: too old resource version: {forgetful.version} (")
        listed = core.list_config_map_for_all_namespaces()
        assert [item.metadata.name for item in listed.items if item.metadata.name == "first"]


def test_dynamic_client(api: client.ApiClient, fresh: str) -> None:
    found = dynamic.DynamicClient(api)
    resource = found.resources.get(api_version="apps/v1", kind="Deployment")
    resource.create(documents.deployment("dyn"), namespace=fresh)
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "nginx:2"}]}}}}
    patched = resource.patch(
        name="dyn", namespace=fresh, body=patch, content_type="application/strategic-merge-patch+json"
    )
    main = patched.spec.template.spec.containers[0]
    assert (main.image, main.resources.requests.cpu) == ("nginx:2", "10m")
    for told in resource.watch(namespace=fresh, name="dyn", timeout=30):
        if told["object"].status.availableReplicas == 1:
            break
    with pytest.raises(dynamic.exceptions.NotFoundError):
        resource.get(name="none", namespace=fresh)
    with pytest.raises(dynamic.exceptions.ConflictError):
        resource.create(documents.deployment("dyn"), namespace=fresh)
    assert resource.delete(name="dyn", namespace=fresh, body={"propagationPolicy": "Background"}).status == "Success"

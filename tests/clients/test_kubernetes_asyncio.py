"""The asyncio twin of the official Python client: models, many calls at once, its Watch, the dynamic client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from kubernetes_asyncio import client, config, dynamic, watch
from kubernetes_asyncio.client.exceptions import ApiException

from tests.clients import documents
from tests.clients.conftest import ForgetfulCluster, RunningCluster


@pytest.fixture
async def api(cluster: RunningCluster) -> AsyncIterator[client.ApiClient]:
    async with await config.new_client_from_config(cluster.kubeconfig) as found:
        yield found


@pytest.fixture
def core(api: client.ApiClient) -> client.CoreV1Api:
    return client.CoreV1Api(api)


@pytest.fixture
def apps(api: client.ApiClient) -> client.AppsV1Api:
    return client.AppsV1Api(api)


async def test_namespace_and_config_maps(core: client.CoreV1Api, fresh: str) -> None:
    names = [f"{fresh}-{number}" for number in range(5)]
    await asyncio.gather(*(core.create_namespace(documents.namespace(name, of=fresh)) for name in names))
    listed = await core.list_namespace(label_selector=f"of={fresh}")
    assert [(n.metadata.name, n.status.phase) for n in listed.items] == [(name, "Active") for name in names]
    await asyncio.gather(*(core.delete_namespace(name) for name in names))

    made = await core.create_namespaced_config_map(fresh, documents.config_map("one", a="1"))
    patched = await core.patch_namespaced_config_map("one", fresh, {"data": {"b": "2", "a": None}})
    assert patched.data == {"b": "2"}
    assert int(patched.metadata.resource_version) > int(made.metadata.resource_version)
    patched.data["c"] = "3"
    replaced = await core.replace_namespaced_config_map("one", fresh, patched)
    assert replaced.data == {"b": "2", "c": "3"}
    await core.delete_namespaced_config_map("one", fresh)
    assert "one" not in [item.metadata.name for item in (await core.list_namespaced_config_map(fresh)).items]


async def test_refusals(core: client.CoreV1Api, fresh: str) -> None:
    """404, 409 twice, 422 and 400 as the exception carries them (apimachinery `pkg/api/errors/errors.go`)."""

    async def refused(call: Any) -> tuple[int, str, str]:
        with pytest.raises(ApiException) as found:
            await call
        body = json.loads(found.value.body)
        assert body["code"] == found.value.status
        return found.value.status, body["reason"], body["message"]

    assert await refused(core.read_namespaced_config_map("gone", fresh)) == (
        404,
        "NotFound",
        'configmaps "gone" not found',
    )
    old = await core.create_namespaced_config_map(fresh, documents.config_map("here"))
    assert await refused(core.create_namespaced_config_map(fresh, documents.config_map("here"))) == (
        409,
        "AlreadyExists",
        'configmaps "here" already exists',
    )
    await core.patch_namespaced_config_map("here", fresh, {"data": {"a": "1"}})
    status, reason, message = await refused(core.replace_namespaced_config_map("here", fresh, old))
    assert (status, reason) == (409, "Conflict")
    assert message.startswith('Operation cannot be fulfilled on configmaps "here": the object has been modified;')
    status, reason, message = await refused(core.create_namespaced_config_map(fresh, documents.config_map("Wrong")))
    assert (status, reason) == (422, "Invalid")
    assert message.startswith('ConfigMap "Wrong" is invalid: metadata.name: Invalid value: "Wrong": ')
    status, reason, _ = await refused(core.list_namespaced_config_map(fresh, label_selector="a in"))
    assert (status, reason) == (400, "BadRequest")


async def test_concurrent_updates_lose_nothing(core: client.CoreV1Api, fresh: str) -> None:
    """Ten clients count to one each, reading again on conflict."""
    await core.create_namespaced_config_map(fresh, documents.config_map("counter", n="0"))
    conflicts = 0

    async def count() -> None:
        nonlocal conflicts
        while True:
            found = await core.read_namespaced_config_map("counter", fresh)
            found.data["n"] = str(int(found.data["n"]) + 1)
            try:
                await core.replace_namespaced_config_map("counter", fresh, found)
            except ApiException as error:
                assert error.status == 409
                conflicts += 1
            else:
                return

    await asyncio.gather(*(count() for _ in range(10)))
    assert (await core.read_namespaced_config_map("counter", fresh)).data == {"n": "10"}
    assert conflicts > 0


async def test_pages(core: client.CoreV1Api, fresh: str) -> None:
    names = [f"page-{number:02}" for number in range(9)]
    labels = {"paged": "yes"}
    await asyncio.gather(
        *(core.create_namespaced_config_map(fresh, documents.config_map(name, labels)) for name in names)
    )
    found, token, versions = [], None, set()
    while token != "":
        page = await core.list_namespaced_config_map(fresh, label_selector="paged", limit=2, _continue=token)
        found += [item.metadata.name for item in page.items]
        versions.add(page.metadata.resource_version)
        await core.delete_namespaced_config_map(found[-1], fresh)
        token = page.metadata._continue or ""
    assert found == names
    assert len(versions) == 1


async def test_deployment(core: client.CoreV1Api, apps: client.AppsV1Api, fresh: str) -> None:
    await apps.create_namespaced_deployment(fresh, documents.deployment("web", replicas=2))
    await _available(apps, fresh, 2)
    pods = await core.list_namespaced_pod(fresh, label_selector="app=web")
    assert [pod.status.phase for pod in pods.items] == ["Running", "Running"]
    await apps.patch_namespaced_deployment_scale("web", fresh, {"spec": {"replicas": 4}})
    await _available(apps, fresh, 4)
    status = (await apps.read_namespaced_deployment_status("web", fresh)).status
    assert (status.replicas, status.updated_replicas, status.ready_replicas) == (4, 4, 4)
    events = await core.list_namespaced_event(fresh, field_selector="involvedObject.name=web")
    assert {event.reason for event in events.items} == {"ScalingReplicaSet"}
    since = (await core.list_namespaced_pod(fresh)).metadata.resource_version
    await apps.delete_namespaced_deployment("web", fresh)
    gone = 0
    async with (
        asyncio.timeout(30),
        watch.Watch().stream(core.list_namespaced_pod, fresh, resource_version=since) as stream,
    ):
        async for told in stream:
            gone += told["type"] == "DELETED"
            if gone == 4:
                break


async def _available(apps: client.AppsV1Api, namespace: str, replicas: int) -> None:
    async with (
        asyncio.timeout(30),
        watch.Watch().stream(apps.list_namespaced_deployment, namespace) as stream,
    ):
        async for told in stream:
            if told["object"].status.available_replicas == replicas:
                return


async def test_watch_resumes(core: client.CoreV1Api, fresh: str) -> None:
    start = (await core.list_namespaced_config_map(fresh)).metadata.resource_version
    for name in ("a", "b", "c"):
        await core.create_namespaced_config_map(fresh, documents.config_map(name, {"seen": "yes"}))

    async def follow(version: str, count: int) -> list[tuple[str, str]]:
        told: list[tuple[str, str]] = []
        call = core.list_namespaced_config_map
        async with watch.Watch().stream(call, fresh, resource_version=version, label_selector="seen=yes") as stream:
            async for line in stream:
                told.append((line["object"].metadata.name, line["object"].metadata.resource_version))
                if len(told) == count:
                    break
        return told

    whole = await follow(start, 3)
    assert [name for name, _ in whole] == ["a", "b", "c"]
    assert await follow(whole[0][1], 2) == whole[1:]


async def test_watch_of_a_forgotten_version(forgetful: ForgetfulCluster) -> None:
    async with await config.new_client_from_config(forgetful.cluster.kubeconfig) as api:
        call = client.CoreV1Api(api).list_config_map_for_all_namespaces
        async with watch.Watch().stream(call, resource_version=forgetful.version, timeout_seconds=5) as stream:
            with pytest.raises(ApiException) as found:
                await anext(stream)
    assert found.value.status == 410
    assert found.value.reason.startswith(f"Expired: too old resource version: {forgetful.version} (")


async def test_dynamic_client(api: client.ApiClient, fresh: str) -> None:
    async with dynamic.DynamicClient(api) as found:
        resource = await found.resources.get(api_version="v1", kind="ConfigMap")
        made = await resource.create(body=documents.config_map("dyn", a="1"), namespace=fresh)
        assert made.data.a == "1"
        patched = await resource.patch(
            name="dyn",
            namespace=fresh,
            body=[{"op": "replace", "path": "/data/a", "value": "2"}],
            content_type="application/json-patch+json",
        )
        assert patched.data.a == "2"
        refused = await resource.create(body=documents.config_map("dyn"), namespace=fresh)
        assert (refused.kind, refused.code, refused.reason) == ("Status", 409, "AlreadyExists")  # it does not raise

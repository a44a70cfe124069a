"""Quota status: `pkg/controller/resourcequota/resource_quota_controller.go`; the second look is ours."""

from __future__ import annotations

from typing import Any

from tiphys.base.document import Document
from tiphys.controllers.resource_quota import CONTROLLER, SECOND_LOOK


async def quota(cluster: Any, **hard: str) -> None:
    document = {"metadata": {"name": "q"}, "spec": {"hard": {key.replace("_", "."): hard[key] for key in hard}}}
    await cluster.client.create("v1", "resourcequotas", document, "team")


async def pod(cluster: Any, name: str) -> None:
    container = {"name": "c", "resources": {"requests": {"cpu": "500m"}}}
    await cluster.client.create(
        "v1", "pods", {"metadata": {"name": name}, "spec": {"containers": [container]}}, "team"
    )


def status(cluster: Any) -> Document:
    found: Document = cluster.api.objects["", "resourcequotas", "team", "q"].get("status") or {}
    return found


async def test_counts_what_is_there(cluster: Any) -> None:
    await pod(cluster, "a")
    await pod(cluster, "b")
    await cluster.client.create("v1", "configmaps", {"metadata": {"name": "m"}}, "team")
    hard = {"pods": "10", "requests.cpu": "4", "count/deployments.apps": "3", "configmaps": "5"}
    document = {"metadata": {"name": "q"}, "spec": {"hard": hard}}
    async with cluster.running(CONTROLLER):
        await cluster.client.create("v1", "resourcequotas", document, "team")
        await cluster.api.until(lambda: status(cluster))
    assert status(cluster)["hard"] == hard
    used = {"pods": "2", "requests.cpu": "1", "count/deployments.apps": "0", "configmaps": "1"}
    assert status(cluster)["used"] == used


async def test_a_deleted_pod_and_an_ended_one_are_given_back(cluster: Any) -> None:
    async with cluster.running(CONTROLLER):
        for name in ("a", "b", "c"):
            await pod(cluster, name)
        await quota(cluster, pods="10", requests_cpu="4")
        await cluster.api.until(lambda: status(cluster).get("used") == {"pods": "3", "requests.cpu": "1500m"})
        await cluster.client.delete("v1", "pods", "a", "team")
        await cluster.api.until(lambda: status(cluster)["used"]["pods"] == "2")
        await cluster.set_pod(cluster.api.objects["", "pods", "team", "b"], "Succeeded", ready=False)
        await cluster.api.until(lambda: status(cluster)["used"] == {"pods": "1", "requests.cpu": "500m"})


async def test_a_changed_limit_is_told_at_once(cluster: Any) -> None:
    async with cluster.running(CONTROLLER):
        await quota(cluster, pods="10")
        await cluster.api.until(lambda: status(cluster).get("hard") == {"pods": "10"})
        await cluster.client.patch("v1", "resourcequotas", "q", {"spec": {"hard": {"pods": "20"}}}, "team")
        await cluster.api.until(lambda: status(cluster)["hard"] == {"pods": "20"})


async def test_a_charge_for_a_pod_not_yet_stored_stays(cluster: Any) -> None:
    """Charged, and counted in the moment before the pod is stored: the charge must not be given away."""
    async with cluster.running(CONTROLLER):
        await pod(cluster, "a")
        await pod(cluster, "b")
        await quota(cluster, pods="10")
        await cluster.api.until(lambda: status(cluster).get("used") == {"pods": "2"})
        charged = {**cluster.api.objects["", "resourcequotas", "team", "q"]}
        charged["status"] = {"hard": {"pods": "10"}, "used": {"pods": "3"}}
        await cluster.client.update_status("v1", "resourcequotas", charged, "team")
        await cluster.client.delete("v1", "pods", "a", "team")
        await cluster.pass_time(SECOND_LOOK / 2)
        assert status(cluster)["used"] == {"pods": "3"}
        await pod(cluster, "c")
        await cluster.pass_time(SECOND_LOOK)
        await cluster.api.until(lambda: status(cluster)["used"] == {"pods": "2"})

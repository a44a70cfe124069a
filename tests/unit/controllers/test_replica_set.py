"""ReplicaSet: expectations cite `pkg/controller/replicaset` and `pkg/controller/controller_utils.go`."""

from __future__ import annotations

from typing import Any

from tiphys.base.document import Document
from tiphys.base.status import StatusError, forbidden
from tiphys.controllers.replica_set import CONTROLLER
from tiphys.controllers.replication_controller import CONTROLLER as REPLICATION

APPS = "apps/v1"


def replica_set(name: str = "web", replicas: int = 3, **spec: Any) -> Document:
    return {
        "apiVersion": APPS,
        "kind": "ReplicaSet",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}, "annotations": {"a": "b"}},
                "spec": {"containers": [{"name": "c", "image": "i"}]},
            },
            **spec,
        },
    }


def status_of(cluster: Any, name: str = "web", plural: str = "replicasets") -> Document:
    found = next(each for each in cluster.api.of(plural) if each["metadata"]["name"] == name)
    return dict(found.get("status") or {})


async def test_makes_pods_and_tells(cluster: Any) -> None:
    async with cluster.running(CONTROLLER, minor=34), cluster.kubelet():
        made = await cluster.client.create(APPS, "replicasets", replica_set(), "default")
        await cluster.api.until(lambda: status_of(cluster).get("availableReplicas") == 3)
        await cluster.api.until(lambda: len(cluster.messages("SuccessfulCreate")) == 3)
    pods = cluster.api.of("pods")
    assert len(pods) == 3
    pod = pods[0]
    assert pod["metadata"]["name"].startswith("web-") and len(pod["metadata"]["name"]) == 9
    assert pod["metadata"]["annotations"] == {"a": "b"}
    assert pod["metadata"]["ownerReferences"] == [
        {
            "apiVersion": APPS,
            "kind": "ReplicaSet",
            "name": "web",
            "uid": made["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    assert status_of(cluster) == {
        "replicas": 3,
        "fullyLabeledReplicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "observedGeneration": 1,
    }
    assert sorted(cluster.messages("SuccessfulCreate")) == sorted(
        f"Created pod: {p['metadata']['name']}" for p in pods
    )


async def test_never_makes_too_many(cluster: Any) -> None:
    async with cluster.running(CONTROLLER), cluster.kubelet():
        await cluster.client.create(APPS, "replicasets", replica_set(replicas=120), "default")
        await cluster.api.until(lambda: status_of(cluster).get("availableReplicas") == 120)
    assert cluster.api.requests.count(("create", "pods")) == 120


async def test_a_refused_pod_is_a_condition_with_the_api_s_words(cluster: Any) -> None:
    """One try a sync, then the batch stops; message and reason as calculateStatus has them."""
    why = "exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0"

    def refuse(info: Any, document: Document) -> StatusError | None:
        return forbidden("pods", document["metadata"]["name"], why) if info.resource == "pods" else None

    cluster.api.refuse = refuse
    async with cluster.running(CONTROLLER):
        await cluster.client.create(APPS, "replicasets", replica_set(replicas=50), "default")
        await cluster.api.until(lambda: status_of(cluster).get("conditions"))
        assert cluster.api.requests.count(("create", "pods")) == 1
        condition = status_of(cluster)["conditions"][0]
        assert condition["type"] == "ReplicaFailure" and condition["status"] == "True"
        assert condition["reason"] == "FailedCreate"
        assert condition["message"].startswith('pods "web-') and condition["message"].endswith(f"is forbidden: {why}")
        await cluster.api.until(lambda: cluster.messages("FailedCreate"))
        assert cluster.messages("FailedCreate")[0] == f"Error creating: {condition['message']}"
        cluster.api.refuse = None
        await cluster.api.until(lambda: status_of(cluster).get("replicas") == 50)
        assert "conditions" not in status_of(cluster)


async def test_deletes_the_least_useful_first(cluster: Any) -> None:
    """ActivePodsWithRanks: not ready goes before ready."""
    async with cluster.running(CONTROLLER):
        await cluster.client.create(APPS, "replicasets", replica_set(), "default")
        await cluster.api.until(lambda: len(cluster.api.of("pods")) == 3)
        good, bad, other = cluster.api.of("pods")
        await cluster.set_pod(good)
        await cluster.set_pod(bad, ready=False)
        await cluster.set_pod(other)
        await cluster.api.until(lambda: status_of(cluster).get("readyReplicas") == 2)
        await cluster.client.patch(APPS, "replicasets", "web", {"spec": {"replicas": 2}}, "default")
        await cluster.api.until(lambda: status_of(cluster).get("replicas") == 2)
        deleting = [p["metadata"]["name"] for p in cluster.api.of("pods") if p["metadata"].get("deletionTimestamp")]
        assert deleting == [bad["metadata"]["name"]]
        await cluster.api.until(lambda: cluster.messages("SuccessfulDelete") == [f"Deleted pod: {deleting[0]}"])
        assert status_of(cluster)["terminatingReplicas"] == 1


async def test_adopts_orphans_and_releases_strangers(cluster: Any) -> None:
    orphan = {"metadata": {"name": "orphan", "labels": {"app": "web"}}, "spec": {"containers": []}}
    await cluster.client.create("v1", "pods", orphan, "default")
    async with cluster.running(CONTROLLER):
        made = await cluster.client.create(APPS, "replicasets", replica_set(replicas=1), "default")
        await cluster.api.until(lambda: status_of(cluster).get("replicas") == 1)
        pod = cluster.api.of("pods")[0]
        assert [r["uid"] for r in pod["metadata"]["ownerReferences"]] == [made["metadata"]["uid"]]
        assert cluster.api.requests.count(("create", "pods")) == 1
        await cluster.client.patch("v1", "pods", "orphan", {"metadata": {"labels": {"app": "other"}}}, "default")
        await cluster.api.until(lambda: len(cluster.api.of("pods")) == 2)
        await cluster.api.until(
            lambda: not cluster.api.objects["", "pods", "default", "orphan"]["metadata"].get("ownerReferences")
        )


async def test_waits_min_ready_seconds(cluster: Any) -> None:
    async with cluster.running(CONTROLLER), cluster.kubelet():
        await cluster.client.create(APPS, "replicasets", replica_set(minReadySeconds=30), "default")
        await cluster.api.until(lambda: status_of(cluster).get("readyReplicas") == 3)
        assert "availableReplicas" not in status_of(cluster)
        cluster.clock.skip(31)
        await cluster.api.until(lambda: status_of(cluster).get("availableReplicas") == 3)


async def test_replaces_a_failed_pod(cluster: Any) -> None:
    async with cluster.running(CONTROLLER):
        await cluster.client.create(APPS, "replicasets", replica_set(replicas=1), "default")
        await cluster.api.until(lambda: len(cluster.api.of("pods")) == 1)
        await cluster.set_pod(cluster.api.of("pods")[0], phase="Failed", ready=False)
        await cluster.api.until(lambda: len(cluster.api.of("pods")) == 2)


async def test_survives_a_compacted_history(cluster: Any) -> None:
    async with cluster.running(CONTROLLER):
        await cluster.client.create(APPS, "replicasets", replica_set(replicas=1), "default")
        await cluster.api.until(lambda: status_of(cluster).get("replicas") == 1)
        cluster.api.end_watches(compact=True)
        name = cluster.api.of("pods")[0]["metadata"]["name"]
        await cluster.client.delete("v1", "pods", name, "default")
        await cluster.api.until(
            lambda: cluster.api.of("pods") and cluster.api.of("pods")[0]["metadata"]["name"] != name
        )


async def test_replication_controller(cluster: Any) -> None:
    """The same loop with a plain map for a selector."""
    document = replica_set(replicas=2)
    document |= {"apiVersion": "v1", "kind": "ReplicationController"}
    document["spec"]["selector"] = {"app": "web"}
    async with cluster.running(REPLICATION), cluster.kubelet():
        await cluster.client.create("v1", "replicationcontrollers", document, "default")
        await cluster.api.until(lambda: status_of(cluster, plural="replicationcontrollers").get("readyReplicas") == 2)
    assert {p["metadata"]["ownerReferences"][0]["kind"] for p in cluster.api.of("pods")} == {"ReplicationController"}

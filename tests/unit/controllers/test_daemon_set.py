"""DaemonSet: expectations cite `pkg/controller/daemon` and the API's own comments."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tiphys.base.document import Document
from tiphys.base.status import StatusError, forbidden
from tiphys.controllers.daemon_set.controller import CONTROLLER
from tiphys.controllers.daemon_set.eligibility import Eligibility, NodeRule
from tiphys.controllers.daemon_set.pod_template import on_node, target_node, with_tolerations
from tiphys.controllers.deployment.template_hash import template_hash

APPS = "apps/v1"
ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}
TAINT = {"key": "dedicated", "value": "db"}


def daemon_set(**spec: Any) -> Document:
    return {
        "apiVersion": APPS,
        "kind": "DaemonSet",
        "metadata": {"name": "agent", "annotations": {"deprecated.daemonset.template.generation": "1"}},
        "spec": {
            "revisionHistoryLimit": 10,
            "updateStrategy": ROLLING,
            "selector": {"matchLabels": {"app": "agent"}},
            "template": template(),
            **spec,
        },
    }


def template(image: str = "one", **spec: Any) -> Document:
    pod = {"containers": [{"name": "c", "image": image}], **spec}
    return {"metadata": {"labels": {"app": "agent"}}, "spec": pod}


def node(name: str, labels: dict[str, str] | None = None, *taints: Document) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"taints": list(taints)} if taints else {},
    }


async def add_nodes(cluster: Any, *nodes: Document) -> None:
    for each in nodes:
        await cluster.client.create("v1", "nodes", each)


async def make(cluster: Any, document: Document) -> Document:
    made: Document = await cluster.client.create(APPS, "daemonsets", document, "default")
    return made


async def change(cluster: Any, **spec: Any) -> None:
    await cluster.client.patch(APPS, "daemonsets", "agent", {"spec": spec}, "default")


def status(cluster: Any) -> Document:
    return dict(cluster.api.objects["apps", "daemonsets", "default", "agent"].get("status") or {})


def targets(cluster: Any, image: str = "") -> list[str]:
    """The nodes of the pods that are not being deleted."""
    return sorted(
        target_node(pod)
        for pod in cluster.api.of("pods")
        if not going(pod) and image in pod["spec"]["containers"][0]["image"]
    )


def going(pod: Document) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))


async def available(cluster: Any, count: int) -> None:
    await cluster.api.until(lambda: status(cluster).get("numberAvailable", 0) == count == len(targets(cluster)))


async def run_all(cluster: Any) -> None:
    for pod in cluster.api.of("pods"):
        if pod["status"].get("phase") == "Pending":
            await cluster.set_pod(pod, node=target_node(pod))


THREE = (node("n1"), node("n2"), node("n3"))


def test_tolerations_of_daemons() -> None:
    """AddOrUpdateDaemonPodTolerations: in this order, after the pod's own; one with a time loses it."""
    own = {"key": "dedicated", "operator": "Exists"}
    timed = {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}
    spec = with_tolerations({"tolerations": [own, {**timed, "tolerationSeconds": 5}], "hostNetwork": True})
    assert spec["tolerations"][:2] == [own, timed]
    assert [(each["key"].partition("/")[2], each["effect"]) for each in spec["tolerations"][2:]] == [
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
        ("network-unavailable", "NoSchedule"),
    ]
    assert len(with_tolerations({})["tolerations"]) == 6


def test_a_pod_is_tied_to_its_node_and_keeps_its_other_affinity() -> None:
    """ReplaceDaemonSetPodNodeNameNodeAffinity."""
    preferred = [{"weight": 1, "preference": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}]
    required = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "b", "operator": "Exists"}]}]}
    affinity = {
        "podAntiAffinity": {"x": 1},
        "nodeAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": preferred,
            "requiredDuringSchedulingIgnoredDuringExecution": required,
        },
    }
    tied = on_node({"spec": {"affinity": affinity}}, "n1")
    field = {"key": "metadata.name", "operator": "In", "values": ["n1"]}
    assert tied["spec"]["affinity"] == {
        "podAntiAffinity": {"x": 1},
        "nodeAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": preferred,
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchFields": [field]}]},
        },
    }
    assert target_node(tied) == "n1" and target_node({"spec": {"nodeName": "n2"}}) == "n2"
    assert target_node({"spec": {"affinity": affinity}}) == ""


@pytest.mark.parametrize(
    ("pod", "where", "expected"),
    [
        ({}, node("n1"), (True, True)),
        ({"nodeName": "n1"}, node("n1"), (True, True)),
        ({"nodeName": "n1"}, node("n2"), (False, False)),
        ({"nodeSelector": {"disk": "ssd"}}, node("n1"), (False, False)),
        ({"nodeSelector": {"disk": "ssd"}}, node("n1", {"disk": "ssd"}), (True, True)),
        ({}, node("n1", None, {**TAINT, "effect": "NoSchedule"}), (False, True)),
        ({}, node("n1", None, {**TAINT, "effect": "NoExecute"}), (False, False)),
        ({}, node("n1", None, {**TAINT, "effect": "PreferNoSchedule"}), (True, True)),
        ({"tolerations": [{"operator": "Exists"}]}, node("n1", None, {**TAINT, "effect": "NoExecute"}), (True, True)),
        ({}, node("n1", None, {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}), (True, True)),
        ({}, node("n1", None, {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}), (True, True)),
        ({}, node("n1", None, {"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"}), (False, True)),
    ],
)
def test_where_a_daemon_runs(pod: Document, where: Document, expected: tuple[bool, bool]) -> None:
    """NodeShouldRunDaemonPod: (should start, should continue running)."""
    assert NodeRule(daemon_set(template=template(**pod))).judge(where) == Eligibility(*expected)


async def test_one_pod_a_node_and_the_status(cluster: Any) -> None:
    await add_nodes(cluster, *THREE)
    async with cluster.running(CONTROLLER), cluster.kubelet():
        made = await make(cluster, daemon_set())
        await available(cluster, 3)
        await cluster.api.until(lambda: len(cluster.messages("SuccessfulCreate")) == 3)
    assert targets(cluster) == ["n1", "n2", "n3"]
    hashed = template_hash(template(), None)
    pod = cluster.api.of("pods")[0]
    assert pod["metadata"]["labels"] == {
        "app": "agent",
        "controller-revision-hash": hashed,
        "pod-template-generation": "1",
    }
    assert pod["metadata"]["ownerReferences"][0]["uid"] == made["metadata"]["uid"]
    assert status(cluster) == {
        "currentNumberScheduled": 3,
        "desiredNumberScheduled": 3,
        "numberMisscheduled": 0,
        "numberReady": 3,
        "updatedNumberScheduled": 3,
        "numberAvailable": 3,
        "observedGeneration": 1,
    }
    (revision,) = cluster.api.of("controllerrevisions")
    assert revision["metadata"]["name"] == f"agent-{hashed}"
    assert revision["metadata"]["labels"] == {"app": "agent", "controller-revision-hash": hashed}
    assert revision["data"] == {"spec": {"template": {"$patch": "replace", **template()}}}
    assert sorted(cluster.messages("SuccessfulCreate")) == sorted(
        f"Created pod: {pod['metadata']['name']}" for pod in cluster.api.of("pods")
    )


async def test_nodes_come_and_change_and_go(cluster: Any) -> None:
    await add_nodes(cluster, node("n1", {"disk": "ssd"}), node("n2"))
    async with cluster.running(CONTROLLER), cluster.kubelet():
        await make(cluster, daemon_set(template=template(nodeSelector={"disk": "ssd"})))
        await available(cluster, 1)
        await add_nodes(cluster, node("n3", {"disk": "ssd"}))
        await available(cluster, 2)
        await cluster.client.patch("v1", "nodes", "n2", {"metadata": {"labels": {"disk": "ssd"}}})
        await available(cluster, 3)
        await cluster.client.patch("v1", "nodes", "n1", {"metadata": {"labels": {"disk": None}}})
        await available(cluster, 2)
        assert targets(cluster) == ["n2", "n3"]
        await cluster.client.delete("v1", "nodes", "n3")
        await cluster.api.until(lambda: status(cluster)["desiredNumberScheduled"] == 1)


async def test_a_tainted_node_keeps_its_pod_which_is_then_misscheduled(cluster: Any) -> None:
    """NoSchedule: what runs stays, but what is deleted does not come back."""
    await add_nodes(cluster, node("n1"), node("n2"))
    async with cluster.running(CONTROLLER), cluster.kubelet():
        await make(cluster, daemon_set())
        await available(cluster, 2)
        taints = {"spec": {"taints": [{**TAINT, "effect": "NoSchedule"}]}}
        await cluster.client.patch("v1", "nodes", "n1", taints)
        await cluster.api.until(lambda: status(cluster)["numberMisscheduled"] == 1)
        assert targets(cluster) == ["n1", "n2"] and status(cluster)["desiredNumberScheduled"] == 1
        taints["spec"]["taints"][0]["effect"] = "NoExecute"
        await cluster.client.patch("v1", "nodes", "n1", taints)
        await cluster.api.until(lambda: targets(cluster) == ["n2"] and status(cluster)["numberMisscheduled"] == 0)


async def test_a_pod_waiting_for_a_node_that_is_gone_is_deleted(cluster: Any) -> None:
    await add_nodes(cluster, node("n1"), node("n2"))
    async with cluster.running(CONTROLLER):
        await make(cluster, daemon_set())
        await cluster.api.until(lambda: targets(cluster) == ["n1", "n2"])
        await cluster.client.delete("v1", "nodes", "n2")
        await cluster.api.until(lambda: targets(cluster) == ["n1"])


async def test_of_two_pods_on_a_node_the_bound_one_stays(cluster: Any) -> None:
    await add_nodes(cluster, node("n1"))
    async with cluster.running(CONTROLLER):
        await make(cluster, daemon_set())
        first = (await cluster.api.until(lambda: cluster.api.of("pods")))[0]
        await cluster.set_pod(first)
        labels = {**first["metadata"]["labels"]}
        other = {"kind": "Pod", "metadata": {"name": "a-other", "labels": labels}, "spec": dict(first["spec"])}
        other["spec"].pop("nodeName", None)
        await cluster.client.create("v1", "pods", other, "default")
        await cluster.api.until(lambda: cluster.api.requests.count(("delete", "pods")) == 1)
        await cluster.api.until(lambda: len(cluster.api.of("pods")) == 1)
    assert cluster.api.of("pods")[0]["metadata"]["name"] == first["metadata"]["name"]


async def test_failed_pods_are_made_again_each_time_later(cluster: Any) -> None:
    """The first at once, then after 1, 2, 4 … seconds."""
    await add_nodes(cluster, node("n1"))

    async def fail() -> str:
        pod = (
            await cluster.api.until(lambda: [p for p in cluster.api.of("pods") if p["status"]["phase"] == "Pending"])
        )[0]
        await cluster.set_pod(pod, "Failed")
        return str(pod["metadata"]["name"])

    async def gone(name: str) -> None:
        await cluster.api.until(lambda: going(cluster.api.objects["", "pods", "default", name]))
        await cluster.client.delete("v1", "pods", name, "default", grace_period=0)

    async with cluster.running(CONTROLLER):
        await make(cluster, daemon_set())
        await cluster.api.until(lambda: status(cluster).get("observedGeneration") == 1)
        await cluster.settle()
        name = await fail()
        await gone(name)
        for delay in (1.0, 2.0):
            again = await fail()
            await cluster.pass_time(delay - 0.8)
            assert not going(cluster.api.objects["", "pods", "default", again])
            await cluster.pass_time(0.9)
            await gone(again)
        await cluster.api.until(lambda: len(cluster.messages("FailedDaemonPod")) == 3)
    assert cluster.messages("FailedDaemonPod")[0] == (
        f"Found failed daemon pod default/{name} on node n1, will try to kill it"
    )


async def test_succeeded_pods_are_made_again_at_once(cluster: Any) -> None:
    await add_nodes(cluster, node("n1"))
    async with cluster.running(CONTROLLER):
        await make(cluster, daemon_set())
        pod = (await cluster.api.until(lambda: cluster.api.of("pods")))[0]
        await cluster.set_pod(pod, "Succeeded")
        (message,) = await cluster.api.until(lambda: cluster.messages("SucceededDaemonPod"))
        await cluster.api.until(lambda: going(cluster.api.of("pods")[0]))
    name = pod["metadata"]["name"]
    assert message == f"Found succeeded daemon pod default/{name} on node n1, will try to delete it"


@pytest.mark.parametrize(("allowed", "at_once"), [(1, 1), (2, 2), ("50%", 2), ("34%", 2), ("100%", 3)])
async def test_rolls_within_max_unavailable(cluster: Any, allowed: Any, at_once: int) -> None:
    """Percentages are of the wanted pods and rounded up."""
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": allowed, "maxSurge": 0}}
    await add_nodes(cluster, *THREE)
    async with cluster.running(CONTROLLER):
        await make(cluster, daemon_set(updateStrategy=strategy))
        await cluster.api.until(lambda: len(targets(cluster)) == 3)
        await run_all(cluster)
        await available(cluster, 3)
        await change(cluster, template=template("two"))
        await cluster.api.until(lambda: sum(map(going, cluster.api.of("pods"))) == at_once)
        await cluster.settle()
        assert sum(map(going, cluster.api.of("pods"))) == at_once
        assert len(cluster.api.of("pods")) == 3
    async with cluster.running(CONTROLLER), cluster.kubelet():
        await cluster.api.until(lambda: targets(cluster, "two") == ["n1", "n2", "n3"])
        await cluster.api.until(lambda: status(cluster).get("updatedNumberScheduled") == 3)
        await available(cluster, 3)


async def test_old_pods_that_are_not_available_are_replaced_at_once(cluster: Any) -> None:
    """They count as unavailable themselves, so nothing else goes."""
    await add_nodes(cluster, *THREE)
    async with cluster.running(CONTROLLER):
        await make(cluster, daemon_set())
        await cluster.api.until(lambda: len(targets(cluster)) == 3)
        for pod in cluster.api.of("pods"):
            await cluster.set_pod(pod, ready=target_node(pod) == "n1", node=target_node(pod))
        await cluster.api.until(lambda: status(cluster).get("numberAvailable") == 1)
        await change(cluster, template=template("two"))
        await cluster.api.until(lambda: sum(map(going, cluster.api.of("pods"))) == 2)
        await cluster.settle()
        assert targets(cluster) == ["n1"]


async def test_surge_makes_the_new_pod_beside_the_old(cluster: Any) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    await add_nodes(cluster, *THREE)
    async with cluster.running(CONTROLLER):
        await make(cluster, daemon_set(updateStrategy=strategy))
        await cluster.api.until(lambda: len(targets(cluster)) == 3)
        await run_all(cluster)
        await available(cluster, 3)
        await change(cluster, template=template("two"))
        await cluster.api.until(lambda: len(targets(cluster)) == 4)
        await cluster.settle()
        assert targets(cluster, "two") == ["n1"] and not any(map(going, cluster.api.of("pods")))
        await run_all(cluster)
        await cluster.api.until(lambda: any(map(going, cluster.api.of("pods"))))
        assert targets(cluster, "one") == ["n2", "n3"]
    async with cluster.running(CONTROLLER), cluster.kubelet():
        await cluster.api.until(lambda: targets(cluster) == targets(cluster, "two") == ["n1", "n2", "n3"])
        await available(cluster, 3)


async def test_on_delete_waits_for_somebody_to_delete(cluster: Any) -> None:
    await add_nodes(cluster, node("n1"), node("n2"))
    async with cluster.running(CONTROLLER), cluster.kubelet():
        await make(cluster, daemon_set(updateStrategy={"type": "OnDelete"}))
        await available(cluster, 2)
        await change(cluster, template=template("two"))
        await cluster.api.until(lambda: status(cluster)["observedGeneration"] == 2)
        await cluster.settle()
        assert targets(cluster, "two") == [] and status(cluster).get("updatedNumberScheduled", 0) == 0
        doomed = next(pod for pod in cluster.api.of("pods") if target_node(pod) == "n2")
        await cluster.client.delete("v1", "pods", doomed["metadata"]["name"], "default", grace_period=0)
        await cluster.api.until(lambda: targets(cluster, "two") == ["n2"])
        await cluster.api.until(lambda: status(cluster).get("updatedNumberScheduled") == 1)


async def test_min_ready_seconds(cluster: Any) -> None:
    await add_nodes(cluster, node("n1"))
    async with cluster.running(CONTROLLER), cluster.kubelet():
        await make(cluster, daemon_set(minReadySeconds=30))
        await cluster.api.until(lambda: status(cluster).get("numberReady") == 1)
        await cluster.pass_time(25)
        assert status(cluster)["numberUnavailable"] == 1
        await cluster.pass_time(10)
        await available(cluster, 1)


async def test_the_past_is_kept_within_the_limit_and_taken_up_again(cluster: Any) -> None:
    await add_nodes(cluster, node("n1"))

    def numbers() -> list[int]:
        return sorted(revision["revision"] for revision in cluster.api.of("controllerrevisions"))

    async with cluster.running(CONTROLLER), cluster.kubelet():
        await make(cluster, daemon_set(revisionHistoryLimit=1))
        await available(cluster, 1)
        for image in ("two", "three"):
            await change(cluster, template=template(image))
            await cluster.api.until(lambda image=image: targets(cluster, image) == ["n1"])
        await cluster.api.until(lambda: numbers() == [2, 3])
        await change(cluster, template=template("two"))
        await cluster.api.until(lambda: targets(cluster, "two") == ["n1"])
        await cluster.api.until(lambda: numbers() == [3, 4])
    assert cluster.api.requests.count(("create", "controllerrevisions")) == 3


async def test_equal_revisions_become_one_and_pods_follow_it(cluster: Any) -> None:
    """dedupCurHistories."""
    await add_nodes(cluster, node("n1"))
    async with cluster.running(CONTROLLER), cluster.kubelet():
        await make(cluster, daemon_set())
        await available(cluster, 1)
        (revision,) = cluster.api.of("controllerrevisions")
        labels = {"app": "agent", "controller-revision-hash": "twin"}
        twin = {**revision, "metadata": {"name": "twin", "labels": labels}, "revision": 7}
        await cluster.client.create(APPS, "controllerrevisions", twin, "default")
        await cluster.api.until(lambda: [r["revision"] for r in cluster.api.of("controllerrevisions")] == [7])
        await cluster.settle()
        pod = cluster.api.of("pods")[0]
        assert pod["metadata"]["labels"]["controller-revision-hash"] == "twin"
    assert cluster.api.requests.count(("create", "pods")) == 1


async def test_a_taken_name_is_a_collision(cluster: Any) -> None:
    await add_nodes(cluster, node("n1"))
    name = f"agent-{template_hash(template(), None)}"
    other = {"kind": "ControllerRevision", "metadata": {"name": name}, "data": {"other": 1}, "revision": 1}
    await cluster.client.create(APPS, "controllerrevisions", other, "default")
    async with cluster.running(CONTROLLER), cluster.kubelet():
        await make(cluster, daemon_set())
        await available(cluster, 1)
    assert status(cluster)["collisionCount"] == 1
    names = [revision["metadata"]["name"] for revision in cluster.api.of("controllerrevisions")]
    assert f"agent-{template_hash(template(), 1)}" in names


async def test_a_refused_pod_is_told_and_the_batch_stops(cluster: Any) -> None:
    def refuse(info: Any, document: Document) -> StatusError | None:
        return forbidden("pods", "x", "exceeded quota: q") if info.resource == "pods" else None

    cluster.api.refuse = refuse
    await add_nodes(cluster, *THREE)
    async with cluster.running(CONTROLLER):
        await make(cluster, daemon_set())
        messages = await cluster.api.until(lambda: cluster.messages("FailedCreate"))
        assert messages[0] == 'Error creating: pods "x" is forbidden: exceeded quota: q'
        found = await cluster.api.until(lambda: status(cluster))
        assert (found["desiredNumberScheduled"], found["numberUnavailable"]) == (3, 3)
        cluster.api.refuse = None
        await cluster.api.until(lambda: len(targets(cluster)) == 3)


async def test_restarted_in_mid_work_it_goes_on(cluster: Any) -> None:
    """Nothing is lost and nothing made twice, wherever it was cut off."""
    await add_nodes(cluster, *(node(f"n{number}") for number in range(20)))
    async with cluster.kubelet():
        await make(cluster, daemon_set())
        for turns in range(0, 150, 5):
            async with cluster.running(CONTROLLER):
                for _ in range(turns):
                    await asyncio.sleep(0)
        async with cluster.running(CONTROLLER):
            await available(cluster, 20)
            await cluster.settle()
    assert len(targets(cluster)) == len(set(targets(cluster))) == 20

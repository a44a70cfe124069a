"""StatefulSet: expectations cite `pkg/controller/statefulset` and the API's own comments."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tiphys.base.document import Document
from tiphys.base.status import StatusError, forbidden
from tiphys.controllers.history import data_hash, data_of
from tiphys.controllers.stateful_set.controller import CONTROLLER
from tiphys.controllers.stateful_set.identity import parent_and_ordinal

APPS = "apps/v1"
POD = {"containers": [{"name": "c", "image": "one"}]}


def stateful_set(replicas: int = 3, **spec: Any) -> Document:
    return {
        "apiVersion": APPS,
        "kind": "StatefulSet",
        "metadata": {"name": "web", "annotations": {"kubernetes.io/change-cause": "first"}},
        "spec": {
            "replicas": replicas,
            "serviceName": "web",
            "podManagementPolicy": "OrderedReady",
            "revisionHistoryLimit": 10,
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": POD},
            **spec,
        },
    }


def claim_template(name: str = "data") -> Document:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "labels": {"tier": "fast"}},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }


async def make(cluster: Any, document: Document) -> Document:
    made: Document = await cluster.client.create(APPS, "statefulsets", document, "default")
    return made


async def change(cluster: Any, **spec: Any) -> None:
    await cluster.client.patch(APPS, "statefulsets", "web", {"spec": spec}, "default")


def new_image(image: str) -> Document:
    return {"spec": {"containers": [{"name": "c", "image": image}]}}


def status(cluster: Any) -> Document:
    return dict(cluster.api.objects["apps", "statefulsets", "default", "web"].get("status") or {})


def names(cluster: Any) -> list[str]:
    return [pod["metadata"]["name"] for pod in cluster.api.of("pods")]


def images(cluster: Any) -> list[str]:
    return [pod["spec"]["containers"][0]["image"] for pod in cluster.api.of("pods")]


def pod(cluster: Any, name: str) -> Document | None:
    found: Document | None = cluster.api.objects.get(("", "pods", "default", name))
    return found


def claims(cluster: Any) -> dict[str, list[str]]:
    """Kinds of the owners of each claim."""
    return {
        claim["metadata"]["name"]: [owner["kind"] for owner in claim["metadata"].get("ownerReferences") or ()]
        for claim in cluster.api.of("persistentvolumeclaims")
    }


async def available(cluster: Any, count: int) -> None:
    def settled() -> bool:
        found = status(cluster)
        return found.get("availableReplicas") == count == found.get("replicas") == len(names(cluster))

    await cluster.api.until(settled)


async def rolled_out(cluster: Any, image: str, count: int = 3) -> None:
    await cluster.api.until(lambda: images(cluster) == [image] * count)
    await available(cluster, count)


@pytest.mark.parametrize(
    ("name", "parsed"),
    [
        ("web-3", ("web", 3)),
        ("a-b-10", ("a-b", 10)),
        ("web", ("", -1)),
        ("web-x", ("", -1)),
        ("web-2147483648", ("web", -1)),
        ("web-01", ("web", 1)),
    ],
)
def test_parent_and_ordinal(name: str, parsed: tuple[str, int]) -> None:
    """getParentNameAndOrdinal, with its 32 bits."""
    assert parent_and_ordinal(name) == parsed


def test_the_hash_is_fnv_1_of_the_patch() -> None:
    """HashControllerRevision: by Go's fnv.New32 over `{"spec":…}0` and rand.SafeEncodeString, worked out by hand."""
    data = data_of({"spec": {"template": {"spec": {"b": "<", "a": 1}}}})
    assert list(data["spec"]["template"]["spec"]) == ["a", "b"]
    found = 2166136261
    for byte in b'{"spec":{"template":{"$patch":"replace","spec":{"a":1,"b":"\\u003c"}}}}0':
        found = (found * 16777619) % 2**32 ^ byte
    assert data_hash(data, 0) == "".join("bcdfghjklmnpqrstvwxz2456789"[ord(digit) % 27] for digit in str(found))


async def test_makes_pods_in_order_each_when_the_one_before_is_ready(cluster: Any) -> None:
    async with cluster.running(CONTROLLER):
        await make(cluster, stateful_set())
        for count in (1, 2, 3):
            await cluster.api.until(lambda count=count: len(names(cluster)) == count)
            await cluster.settle()
            assert names(cluster) == [f"web-{ordinal}" for ordinal in range(count)]
            await cluster.set_pod(cluster.api.of("pods")[-1])
        await available(cluster, 3)
        await cluster.api.until(lambda: len(cluster.messages("SuccessfulCreate")) == 3)
    assert cluster.messages("SuccessfulCreate")[0] == "create Pod web-0 in StatefulSet web successful"
    name = status(cluster)["currentRevision"]
    assert status(cluster) == {
        "observedGeneration": 1,
        "replicas": 3,
        "readyReplicas": 3,
        "currentReplicas": 3,
        "updatedReplicas": 3,
        "availableReplicas": 3,
        "currentRevision": name,
        "updateRevision": name,
        "collisionCount": 0,
    }


async def test_a_pod_s_identity(cluster: Any) -> None:
    """initIdentity, updateIdentity, setPodRevision."""
    async with cluster.running(CONTROLLER), cluster.kubelet():
        await make(cluster, stateful_set(1))
        await available(cluster, 1)
    found = cluster.api.of("pods")[0]
    (revision,) = cluster.api.of("controllerrevisions")
    assert found["metadata"]["labels"] == {
        "app": "web",
        "statefulset.kubernetes.io/pod-name": "web-0",
        "apps.kubernetes.io/pod-index": "0",
        "controller-revision-hash": revision["metadata"]["name"],
    }
    assert (found["spec"]["hostname"], found["spec"]["subdomain"]) == ("web-0", "web")
    assert found["metadata"]["generateName"] == "web-"
    assert revision["revision"] == 1
    assert revision["data"] == {
        "spec": {"template": {"$patch": "replace", "metadata": {"labels": {"app": "web"}}, "spec": POD}}
    }
    hashed = revision["metadata"]["labels"]["controller.kubernetes.io/hash"]
    assert revision["metadata"]["name"] == f"web-{hashed}"
    assert revision["metadata"]["annotations"] == {"kubernetes.io/change-cause": "first"}


async def test_the_index_label_is_as_new_as_1_28(cluster: Any) -> None:
    async with cluster.running(CONTROLLER, minor=27), cluster.kubelet():
        await make(cluster, stateful_set(1))
        await available(cluster, 1)
    assert "apps.kubernetes.io/pod-index" not in cluster.api.of("pods")[0]["metadata"]["labels"]


async def test_parallel_waits_for_nothing(cluster: Any) -> None:
    async with cluster.running(CONTROLLER):
        await make(cluster, stateful_set(5, podManagementPolicy="Parallel"))
        await cluster.api.until(lambda: len(names(cluster)) == 5)
        await change(cluster, replicas=1)
        await cluster.api.until(lambda: names(cluster) == ["web-0"])


async def test_scales_down_from_the_highest_one_at_a_time(cluster: Any) -> None:
    async with cluster.running(CONTROLLER):
        await make(cluster, stateful_set())
        for ordinal in range(3):
            await cluster.api.until(lambda ordinal=ordinal: pod(cluster, f"web-{ordinal}"))
            await cluster.set_pod(pod(cluster, f"web-{ordinal}"))
        await available(cluster, 3)
        await change(cluster, replicas=0)
        for ordinal in (2, 1, 0):
            going = await cluster.api.until(lambda: [p for p in cluster.api.of("pods") if _going(p)])
            await cluster.settle()
            assert [p["metadata"]["name"] for p in cluster.api.of("pods") if _going(p)] == [f"web-{ordinal}"]
            await cluster.client.delete("v1", "pods", going[0]["metadata"]["name"], "default", grace_period=0)
        await cluster.api.until(lambda: status(cluster).get("replicas") == 0)
        await cluster.api.until(lambda: len(cluster.messages("SuccessfulDelete")) == 3)
    assert cluster.messages("SuccessfulDelete")[0] == "delete Pod web-2 in StatefulSet web successful"


def _going(found: Document) -> bool:
    return bool(found["metadata"].get("deletionTimestamp"))


async def test_a_broken_pod_holds_up_scaling(cluster: Any) -> None:
    """With OrderedReady nothing is made or deleted past a pod that is not ready, but the first unhealthy one."""
    async with cluster.running(CONTROLLER):
        await make(cluster, stateful_set(2))
        await cluster.api.until(lambda: names(cluster) == ["web-0"])
        await cluster.set_pod(pod(cluster, "web-0"), ready=False)
        await cluster.settle()
        assert names(cluster) == ["web-0"]
        await cluster.set_pod(pod(cluster, "web-0"))
        await cluster.api.until(lambda: names(cluster) == ["web-0", "web-1"])


async def test_a_broken_update_stays_broken_until_the_pod_is_deleted(cluster: Any) -> None:
    """The known limit of OrderedReady: undoing the template does not replace the pod that never got ready."""
    async with cluster.running(CONTROLLER):
        await make(cluster, stateful_set(1))
        await cluster.api.until(lambda: pod(cluster, "web-0"))
        await cluster.set_pod(pod(cluster, "web-0"))
        await available(cluster, 1)
        await change(cluster, template=new_image("broken"))
        await cluster.api.until(lambda: _going(pod(cluster, "web-0") or {"metadata": {}}))
        await cluster.client.delete("v1", "pods", "web-0", "default", grace_period=0)
        await cluster.api.until(lambda: images(cluster) == ["broken"])
        await cluster.set_pod(pod(cluster, "web-0"), ready=False)
        await change(cluster, template=new_image("one"))
        await cluster.api.until(lambda: status(cluster).get("observedGeneration") == 3)
        await cluster.settle()
        assert images(cluster) == ["broken"]
        await cluster.client.delete("v1", "pods", "web-0", "default", grace_period=0)
        await cluster.api.until(lambda: images(cluster) == ["one"])


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
async def test_ended_pods_are_made_again(cluster: Any, phase: str) -> None:
    async with cluster.running(CONTROLLER), cluster.kubelet():
        await make(cluster, stateful_set(1))
        await available(cluster, 1)
        before = pod(cluster, "web-0")
        assert before is not None
        await cluster.set_pod(before, phase)
        await cluster.api.until(
            lambda: (now := pod(cluster, "web-0")) and now["metadata"]["uid"] != before["metadata"]["uid"]
        )
        await available(cluster, 1)


async def test_rolls_from_the_highest_and_ends_with_one_revision(cluster: Any) -> None:
    async with cluster.running(CONTROLLER), cluster.kubelet():
        await make(cluster, stateful_set())
        await available(cluster, 3)
        first = status(cluster)["currentRevision"]
        await change(cluster, template=new_image("two"))
        await rolled_out(cluster, "two")
        await cluster.api.until(lambda: status(cluster)["currentRevision"] != first)
        await cluster.api.until(lambda: len(cluster.messages("SuccessfulDelete")) == 3)
        assert [m.split()[2] for m in cluster.messages("SuccessfulDelete")] == ["web-2", "web-1", "web-0"]
        assert status(cluster)["currentRevision"] == status(cluster)["updateRevision"]
        assert [r["revision"] for r in cluster.api.of("controllerrevisions")].count(2) == 1


async def test_partition_leaves_the_lower_ordinals(cluster: Any) -> None:
    """Also when one of them is made again; and the set stays between two revisions."""
    partitioned = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    async with cluster.running(CONTROLLER), cluster.kubelet():
        await make(cluster, stateful_set(updateStrategy=partitioned))
        await available(cluster, 3)
        await change(cluster, template=new_image("two"))
        await cluster.api.until(lambda: images(cluster) == ["one", "one", "two"])
        before = pod(cluster, "web-0")
        assert before is not None
        await cluster.client.delete("v1", "pods", "web-0", "default", grace_period=0)
        await cluster.api.until(
            lambda: (now := pod(cluster, "web-0")) and now["metadata"]["uid"] != before["metadata"]["uid"]
        )
        await cluster.api.until(
            lambda: (status(cluster)["currentReplicas"], status(cluster)["updatedReplicas"]) == (2, 1)
        )
        assert images(cluster) == ["one", "one", "two"]
        assert status(cluster)["currentRevision"] != status(cluster)["updateRevision"]
        await change(cluster, updateStrategy={"rollingUpdate": {"partition": 0}})
        await rolled_out(cluster, "two")


@pytest.mark.parametrize(
    ("allowed", "minor", "at_once"), [(2, 35, 2), ("50%", 35, 2), (2, 34, 1), (None, 35, 1), ("1%", 35, 1)]
)
async def test_max_unavailable(cluster: Any, allowed: Any, minor: int, at_once: int) -> None:
    """On by default since 1.35; a percentage is rounded down, to one at least (getStatefulSetMaxUnavailable)."""
    rolling: Document = {"partition": 0} | ({"maxUnavailable": allowed} if allowed else {})
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
    async with cluster.running(CONTROLLER, minor=minor):
        await make(cluster, stateful_set(4, podManagementPolicy="Parallel", updateStrategy=strategy))
        await cluster.api.until(lambda: len(names(cluster)) == 4)
        for found in cluster.api.of("pods"):
            await cluster.set_pod(found)
        await available(cluster, 4)
        await change(cluster, template=new_image("two"))
        await cluster.api.until(lambda: sum(map(_going, cluster.api.of("pods"))) == at_once)
        await cluster.settle()
        going = [p["metadata"]["name"] for p in cluster.api.of("pods") if _going(p)]
    assert going == ["web-2", "web-3"][2 - at_once :]


async def test_on_delete_waits_for_somebody_to_delete(cluster: Any) -> None:
    async with cluster.running(CONTROLLER), cluster.kubelet():
        await make(cluster, stateful_set(2, updateStrategy={"type": "OnDelete"}))
        await available(cluster, 2)
        await change(cluster, template=new_image("two"))
        await cluster.api.until(lambda: status(cluster)["observedGeneration"] == 2)
        await cluster.settle()
        assert images(cluster) == ["one", "one"]
        await cluster.client.delete("v1", "pods", "web-0", "default", grace_period=0)
        await cluster.api.until(lambda: images(cluster) == ["two", "one"])


async def test_the_past_is_kept_within_the_limit_and_taken_up_again(cluster: Any) -> None:
    async with cluster.running(CONTROLLER), cluster.kubelet():
        await make(cluster, stateful_set(1, revisionHistoryLimit=1))
        await available(cluster, 1)
        for image in ("two", "three"):
            await change(cluster, template=new_image(image))
            await rolled_out(cluster, image, 1)

        def numbers() -> list[int]:
            return sorted(revision["revision"] for revision in cluster.api.of("controllerrevisions"))

        await cluster.api.until(lambda: numbers() == [2, 3])
        await change(cluster, template=new_image("two"))
        await rolled_out(cluster, "two", 1)
        await cluster.api.until(lambda: numbers() == [3, 4])
    assert cluster.api.requests.count(("create", "controllerrevisions")) == 3


async def test_a_taken_name_is_a_collision(cluster: Any) -> None:
    """CreateControllerRevision: another name is tried and the count told in the status."""
    document = stateful_set(1)
    name = f"web-{data_hash(data_of(document), 0)}"
    other = {"kind": "ControllerRevision", "metadata": {"name": name}, "data": {"other": 1}, "revision": 1}
    await cluster.client.create(APPS, "controllerrevisions", other, "default")
    async with cluster.running(CONTROLLER), cluster.kubelet():
        await make(cluster, document)
        await available(cluster, 1)
    assert status(cluster)["collisionCount"] == 1
    assert status(cluster)["currentRevision"] == f"web-{data_hash(data_of(document), 1)}"


async def test_min_ready_seconds(cluster: Any) -> None:
    """The next pod waits until the one before has been ready so long."""
    async with cluster.running(CONTROLLER), cluster.kubelet():
        await make(cluster, stateful_set(2, minReadySeconds=30))
        await cluster.api.until(lambda: status(cluster).get("readyReplicas") == 1)
        await cluster.pass_time(25)
        assert (names(cluster), status(cluster)["availableReplicas"]) == (["web-0"], 0)
        await cluster.pass_time(10)
        await cluster.api.until(lambda: names(cluster) == ["web-0", "web-1"])
        await cluster.pass_time(40)
        await available(cluster, 2)


async def test_ordinals_start(cluster: Any) -> None:
    """Pods outside the range go, the highest first."""
    async with cluster.running(CONTROLLER), cluster.kubelet():
        await make(cluster, stateful_set(2, ordinals={"start": 5}))
        await available(cluster, 2)
        assert names(cluster) == ["web-5", "web-6"]
        await change(cluster, ordinals={"start": 6})
        await cluster.api.until(lambda: names(cluster) == ["web-6", "web-7"])


async def test_claims_come_first_and_stay(cluster: Any) -> None:
    async with cluster.running(CONTROLLER), cluster.kubelet():
        await make(cluster, stateful_set(2, volumeClaimTemplates=[claim_template()]))
        await available(cluster, 2)
        assert claims(cluster) == {"data-web-0": [], "data-web-1": []}
        made = cluster.api.of("persistentvolumeclaims")[0]
        assert made["metadata"]["labels"] == {"tier": "fast", "app": "web"}
        volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data-web-0"}}
        assert cluster.api.of("pods")[0]["spec"]["volumes"] == [volume]
        await change(cluster, replicas=0)
        await available(cluster, 0)
        assert list(claims(cluster)) == ["data-web-0", "data-web-1"]
        await cluster.api.until(lambda: len(cluster.messages("SuccessfulCreate")) == 4)
    assert "create Claim data-web-0 Pod web-0 in StatefulSet web success" in cluster.messages("SuccessfulCreate")


@pytest.mark.parametrize(
    ("deleted", "scaled", "staying", "leaving"),
    [
        ("Retain", "Retain", [], []),
        ("Delete", "Retain", ["StatefulSet"], ["StatefulSet"]),
        ("Retain", "Delete", [], ["Pod"]),
        ("Delete", "Delete", ["StatefulSet"], ["Pod"]),
    ],
)
async def test_claim_retention(
    cluster: Any, deleted: str, scaled: str, staying: list[str], leaving: list[str]
) -> None:
    """isClaimOwnerUpToDate: by owner references, and garbage collection does the rest."""
    policy = {"whenDeleted": deleted, "whenScaled": scaled}
    document = stateful_set(2, volumeClaimTemplates=[claim_template()], persistentVolumeClaimRetentionPolicy=policy)
    async with cluster.running(CONTROLLER), cluster.kubelet():
        await make(cluster, document)
        await available(cluster, 2)
        await cluster.api.until(lambda: claims(cluster) == {"data-web-0": staying, "data-web-1": staying})
        await change(cluster, replicas=1)
        await available(cluster, 1)
        await cluster.api.until(lambda: claims(cluster) == {"data-web-0": staying, "data-web-1": leaving})


async def test_a_claim_of_a_pod_that_is_gone_is_waited_for(cluster: Any) -> None:
    """PodClaimIsStale: what is about to be collected is not used again."""
    policy = {"whenDeleted": "Retain", "whenScaled": "Delete"}
    stale = {"apiVersion": "v1", "kind": "Pod", "name": "web-0", "uid": "gone", "controller": True}
    claim = claim_template("data-web-0")
    claim["metadata"]["ownerReferences"] = [stale]
    await cluster.client.create("v1", "persistentvolumeclaims", claim, "default")
    document = stateful_set(1, volumeClaimTemplates=[claim_template()], persistentVolumeClaimRetentionPolicy=policy)
    async with cluster.running(CONTROLLER), cluster.kubelet():
        await make(cluster, document)
        await cluster.api.until(lambda: status(cluster).get("observedGeneration") == 1)
        await cluster.settle()
        assert names(cluster) == []
        await cluster.client.delete("v1", "persistentvolumeclaims", "data-web-0", "default")
        await change(cluster, minReadySeconds=0)
        await available(cluster, 1)


async def test_a_refused_pod_is_told(cluster: Any) -> None:
    why = "exceeded quota: q"

    def refuse(info: Any, document: Document) -> StatusError | None:
        return forbidden("pods", "web-0", why) if info.resource == "pods" else None

    cluster.api.refuse = refuse
    async with cluster.running(CONTROLLER):
        await make(cluster, stateful_set(1))
        (message,) = set(await cluster.api.until(lambda: cluster.messages("FailedCreate")))
        told = 'create Pod web-0 in StatefulSet web failed error: pods "web-0" is forbidden: exceeded quota: q'
        assert message == told
        await cluster.api.until(lambda: status(cluster).get("observedGeneration") == 1)
        assert status(cluster)["replicas"] == 0


async def test_adopts_what_has_its_labels_and_its_name(cluster: Any) -> None:
    labels = {"app": "web"}
    for name in ("web-0", "other-1"):
        orphan = {"kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": dict(POD)}
        await cluster.client.create("v1", "pods", orphan, "default")
    async with cluster.running(CONTROLLER), cluster.kubelet():
        made = await make(cluster, stateful_set(1, updateStrategy={"type": "OnDelete"}))
        adopted = await cluster.api.until(
            lambda: (p := pod(cluster, "web-0")) and p["metadata"].get("ownerReferences") and p
        )
        assert adopted["metadata"]["ownerReferences"][0]["uid"] == made["metadata"]["uid"]
        await cluster.api.until(
            lambda: "statefulset.kubernetes.io/pod-name" in (pod(cluster, "web-0") or {})["metadata"]["labels"]
        )
    assert not (pod(cluster, "other-1") or {})["metadata"].get("ownerReferences")


async def test_restarted_in_mid_work_it_goes_on(cluster: Any) -> None:
    """Nothing is lost and nothing made twice, wherever it was cut off."""
    async with cluster.kubelet():
        await make(cluster, stateful_set(6))
        for turns in range(0, 150, 5):
            async with cluster.running(CONTROLLER):
                for _ in range(turns):
                    await asyncio.sleep(0)
        async with cluster.running(CONTROLLER):
            await available(cluster, 6)
    assert len(cluster.api.of("controllerrevisions")) == 1

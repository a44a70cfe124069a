"""Deployments: expectations cite `pkg/controller/deployment` (sync.go, rolling.go, recreate.go, progress.go)."""

from __future__ import annotations

from typing import Any

import pytest

from tiphys.base.document import Document
from tiphys.base.status import StatusError, forbidden
from tiphys.controllers.deployment.arithmetic import max_surge, max_unavailable
from tiphys.controllers.deployment.controller import CONTROLLER as DEPLOYMENT
from tiphys.controllers.deployment.revision import revision_of
from tiphys.controllers.deployment.template_hash import fnv32a, same_template, template_hash
from tiphys.controllers.pod_state import is_active, is_ready
from tiphys.controllers.replica_set import CONTROLLER as REPLICA_SET

APPS = "apps/v1"
BOTH = (DEPLOYMENT, REPLICA_SET)
REVISION = "deployment.kubernetes.io/revision"


def deployment(replicas: int = 3, image: str = "one", **spec: Any) -> Document:
    return {
        "apiVersion": APPS,
        "kind": "Deployment",
        "metadata": {"name": "web", "annotations": {"note": "hello"}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "c", "image": image}]},
            },
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": 600,
            **spec,
        },
    }


def status_of(cluster: Any) -> Document:
    return dict(cluster.api.of("deployments")[0].get("status") or {})


def condition_of(cluster: Any, type_: str) -> Document:
    return next((each for each in status_of(cluster).get("conditions", ()) if each["type"] == type_), {})


def complete(cluster: Any, replicas: int = 3) -> bool:
    status = status_of(cluster)
    counts = [status.get(field) for field in ("replicas", "updatedReplicas", "availableReplicas")]
    generation = cluster.api.of("deployments")[0]["metadata"]["generation"]
    return counts == [replicas] * 3 and status.get("observedGeneration") == generation


def done(cluster: Any) -> bool:
    return complete(cluster) and condition_of(cluster, "Progressing").get("reason") == "NewReplicaSetAvailable"


async def create(cluster: Any, document: Document) -> Document:
    made: Document = await cluster.client.create(APPS, "deployments", document, "default")
    return made


async def patch(cluster: Any, spec: Document) -> None:
    await cluster.client.patch(APPS, "deployments", "web", {"spec": spec}, "default")


def image(name: str) -> Document:
    return {"template": {"spec": {"containers": [{"name": "c", "image": name}]}}}


def _image(template: Document) -> str:
    return str(template["spec"]["containers"][0]["image"])


def pruned_conditions(cluster: Any) -> list[tuple[str, ...]]:
    fields = ("type", "status", "reason", "message")
    return [tuple(each[field] for field in fields) for each in status_of(cluster)["conditions"]]


async def test_first_rollout(cluster: Any) -> None:
    async with cluster.running(*BOTH, minor=34), cluster.kubelet():
        made = await create(cluster, deployment())
        await cluster.api.until(lambda: done(cluster))
        await cluster.api.until(lambda: cluster.messages("ScalingReplicaSet"))
    (replica_set,) = cluster.api.of("replicasets")
    meta = replica_set["metadata"]
    hashed = template_hash(made["spec"]["template"], None)
    assert meta["name"] == f"web-{hashed}"
    assert meta["labels"] == {"app": "web", "pod-template-hash": hashed}
    assert replica_set["spec"]["selector"]["matchLabels"] == meta["labels"]
    assert replica_set["spec"]["template"]["metadata"]["labels"] == meta["labels"]
    assert meta["ownerReferences"][0]["uid"] == made["metadata"]["uid"]
    assert meta["annotations"] == {
        "note": "hello",
        "deployment.kubernetes.io/desired-replicas": "3",
        "deployment.kubernetes.io/max-replicas": "4",
        REVISION: "1",
    }
    assert cluster.api.of("deployments")[0]["metadata"]["annotations"][REVISION] == "1"
    assert cluster.messages("ScalingReplicaSet") == [f"Scaled up replica set {meta['name']} from 0 to 3"]
    progressed = f'ReplicaSet "{meta["name"]}" has successfully progressed.'
    assert sorted(pruned_conditions(cluster)) == [
        ("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability."),
        ("Progressing", "True", "NewReplicaSetAvailable", progressed),
    ]
    status = status_of(cluster)
    assert {key: value for key, value in status.items() if key != "conditions"} == {
        "observedGeneration": 1,
        "replicas": 3,
        "updatedReplicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
    }


@pytest.mark.parametrize(
    ("minor", "words"),
    [
        (31, ["Scaled up replica set {} to 3", "Scaled down replica set {} to 1 from 3"]),
        (32, ["Scaled up replica set {} from 0 to 3", "Scaled down replica set {} from 3 to 1"]),
    ],
)
async def test_words_of_scaling_by_version(cluster: Any, minor: int, words: list[str]) -> None:
    """kubernetes pull request 125118 turned the words round in 1.32."""
    async with cluster.running(*BOTH, minor=minor), cluster.kubelet():
        await create(cluster, deployment())
        await cluster.api.until(lambda: complete(cluster))
        await patch(cluster, {"replicas": 1})
        await cluster.api.until(lambda: len(cluster.messages("ScalingReplicaSet")) == 2)
    name = cluster.api.of("replicasets")[0]["metadata"]["name"]
    assert cluster.messages("ScalingReplicaSet") == [each.format(name) for each in words]


async def test_rolls_to_a_new_template_and_back(cluster: Any) -> None:
    async with cluster.running(*BOTH), cluster.kubelet():
        await create(cluster, deployment())
        await cluster.api.until(lambda: done(cluster))
        await patch(cluster, image("two"))
        await cluster.api.until(lambda: len(cluster.api.of("replicasets")) == 2 and done(cluster))
        sets = {_image(each["spec"]["template"]): each for each in cluster.api.of("replicasets")}
        assert sets["one"]["spec"]["replicas"] == 0 and sets["two"]["spec"]["replicas"] == 3
        assert revision_of(sets["two"]) == 2
        await patch(cluster, image("one"))
        await cluster.api.until(lambda: cluster.api.of("deployments")[0]["metadata"]["annotations"][REVISION] == "3")
        await cluster.api.until(lambda: done(cluster))
    name = sets["one"]["metadata"]["name"]
    back = next(each for each in cluster.api.of("replicasets") if each["metadata"]["name"] == name)
    assert back["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"] == "1"
    assert back["metadata"]["annotations"][REVISION] == "3"
    assert {pod["spec"]["containers"][0]["image"] for pod in cluster.api.of("pods")} == {"one"}


async def test_keeps_within_surge_and_unavailable(cluster: Any) -> None:
    """Never more than replicas + maxSurge pods that count, never fewer than replicas - maxUnavailable available."""
    seen: list[tuple[int, int]] = []

    def look() -> bool:
        sets = cluster.api.of("replicasets")
        seen.append(
            (
                sum(each["spec"]["replicas"] for each in sets),
                sum(is_ready(pod) and is_active(pod) for pod in cluster.api.of("pods")),
            )
        )
        return len(sets) == 2 and complete(cluster, 10)

    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2}}
    async with cluster.running(*BOTH), cluster.kubelet():
        await create(cluster, deployment(10, strategy=rolling))
        await cluster.api.until(lambda: complete(cluster, 10))
        await patch(cluster, image("two"))
        await cluster.api.until(look)
    assert max(total for total, _ in seen) == 13
    assert min(available for _, available in seen) >= 8


async def test_recreate_waits_for_old_pods(cluster: Any) -> None:
    async with cluster.running(*BOTH):
        async with cluster.kubelet():
            await create(cluster, deployment(strategy={"type": "Recreate"}))
            await cluster.api.until(lambda: complete(cluster))
        await patch(cluster, image("two"))
        await cluster.api.until(lambda: all(p["metadata"].get("deletionTimestamp") for p in cluster.api.of("pods")))
        assert len(cluster.api.of("replicasets")) == 1
        async with cluster.kubelet():
            await cluster.api.until(lambda: len(cluster.api.of("replicasets")) == 2 and complete(cluster))


async def test_a_refused_pod_shows_on_the_deployment(cluster: Any) -> None:
    """As the walkthrough's case4: conditions Progressing, Available and ReplicaFailure with the API's words."""
    why = "[maximum cpu usage per Container is 2, but limit is 4]"

    def refuse(info: Any, document: Document) -> StatusError | None:
        return forbidden("pods", document["metadata"]["name"], why) if info.resource == "pods" else None

    cluster.api.refuse = refuse
    async with cluster.running(*BOTH):
        await create(cluster, deployment(1))
        await cluster.api.until(lambda: condition_of(cluster, "ReplicaFailure"))
        await cluster.api.until(lambda: status_of(cluster).get("unavailableReplicas") == 1)
    failure = condition_of(cluster, "ReplicaFailure")
    assert failure["status"] == "True" and failure["reason"] == "FailedCreate"
    assert failure["message"].startswith('pods "web-') and failure["message"].endswith(f" is forbidden: {why}")
    assert "lastUpdateTime" in failure and "lastTransitionTime" in failure
    available = condition_of(cluster, "Available")
    assert (available["status"], available["reason"]) == ("False", "MinimumReplicasUnavailable")
    assert available["message"] == "Deployment does not have minimum availability."
    progressing = condition_of(cluster, "Progressing")
    name = cluster.api.of("replicasets")[0]["metadata"]["name"]
    assert (progressing["status"], progressing["reason"]) == ("True", "NewReplicaSetCreated")
    assert progressing["message"] == f'Created new replica set "{name}"'


async def test_progress_deadline(cluster: Any) -> None:
    async with cluster.running(*BOTH), cluster.kubelet(ready=False):
        await create(cluster, deployment(progressDeadlineSeconds=60))
        await cluster.api.until(lambda: status_of(cluster).get("replicas") == 3)
        await cluster.api.until(lambda: condition_of(cluster, "Progressing").get("reason") == "ReplicaSetUpdated")
        name = cluster.api.of("replicasets")[0]["metadata"]["name"]
        assert condition_of(cluster, "Progressing")["message"] == f'ReplicaSet "{name}" is progressing.'
        await cluster.pass_time(70)
        await cluster.api.until(
            lambda: condition_of(cluster, "Progressing").get("reason") == "ProgressDeadlineExceeded"
        )
        told = condition_of(cluster, "Progressing")
        assert told["status"] == "False" and told["message"] == f'ReplicaSet "{name}" has timed out progressing.'


async def test_pause_and_resume(cluster: Any) -> None:
    async with cluster.running(*BOTH), cluster.kubelet():
        await create(cluster, deployment())
        await cluster.api.until(lambda: done(cluster))
        await patch(cluster, {"paused": True, **image("two")})
        await cluster.api.until(lambda: condition_of(cluster, "Progressing").get("reason") == "DeploymentPaused")
        told = condition_of(cluster, "Progressing")
        assert (told["status"], told["message"]) == ("Unknown", "Deployment is paused")
        await patch(cluster, {"replicas": 5})
        await cluster.api.until(lambda: status_of(cluster).get("availableReplicas") == 5)
        assert len(cluster.api.of("replicasets")) == 1
        await patch(cluster, {"paused": False})
        await cluster.api.until(lambda: len(cluster.api.of("replicasets")) == 2 and complete(cluster, 5))


async def test_history_is_limited(cluster: Any) -> None:
    async with cluster.running(*BOTH), cluster.kubelet():
        await create(cluster, deployment(revisionHistoryLimit=1))
        await cluster.api.until(lambda: done(cluster))
        for name in ("two", "three", "four"):
            await patch(cluster, image(name))
            await cluster.api.until(
                lambda name=name: (
                    done(cluster) and {p["spec"]["containers"][0]["image"] for p in cluster.api.of("pods")} == {name}
                )
            )
        await cluster.api.until(lambda: len(cluster.api.of("replicasets")) == 2)
    assert sorted(revision_of(each) for each in cluster.api.of("replicasets")) == [3, 4]


async def test_scales_in_proportion_while_rolling(cluster: Any) -> None:
    """getReplicaSetFraction: 10 replicas, surge 3, both sets grow by their share when scaled to 20 mid-rollout."""
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2}}
    async with cluster.running(*BOTH):
        async with cluster.kubelet():
            await create(cluster, deployment(10, strategy=rolling))
            await cluster.api.until(lambda: complete(cluster, 10))
        async with cluster.kubelet(ready=False):
            await patch(cluster, image("two"))
            await cluster.api.until(
                lambda: sorted(each["spec"]["replicas"] for each in cluster.api.of("replicasets")) == [5, 8]
            )
            await patch(cluster, {"replicas": 20})
            await cluster.api.until(
                lambda: sum(each["spec"]["replicas"] for each in cluster.api.of("replicasets")) == 23
            )
    assert sorted(each["spec"]["replicas"] for each in cluster.api.of("replicasets")) == [9, 14]


async def test_a_hash_collision_gets_another_name(cluster: Any) -> None:
    template = deployment()["spec"]["template"]
    taken = f"web-{template_hash(template, None)}"
    other = {"metadata": {"name": taken}, "spec": {"replicas": 0, "selector": {}, "template": {"spec": {}}}}
    await cluster.client.create(APPS, "replicasets", other, "default")
    async with cluster.running(*BOTH), cluster.kubelet():
        await create(cluster, deployment())
        await cluster.api.until(lambda: complete(cluster))
    assert status_of(cluster)["collisionCount"] == 1
    names = {each["metadata"]["name"] for each in cluster.api.of("replicasets")}
    assert names == {taken, f"web-{template_hash(template, 1)}"}


def test_hash() -> None:
    """FNV-1a's published vectors; the alphabet is rand.SafeEncodeString's."""
    assert fnv32a(b"") == 0x811C9DC5 and fnv32a(b"a") == 0xE40C292C and fnv32a(b"foobar") == 0xBF9CF968
    template = deployment()["spec"]["template"]
    hashed = template_hash(template, None)
    assert 6 <= len(hashed) <= 10 and set(hashed) <= set("bcdfghjklmnpqrstvwxz2456789")
    assert template_hash(template, 1) != hashed
    assert template_hash({**template, "extra": {}}, None) == hashed


def test_templates_are_the_same_but_for_the_hash() -> None:
    one = {"metadata": {"labels": {"a": "b", "pod-template-hash": "x"}}, "spec": {"volumes": []}}
    other = {"metadata": {"creationTimestamp": None, "labels": {"a": "b"}}, "spec": {}}
    assert same_template(one, other)
    assert not same_template(one, {**other, "spec": {"x": 1}})


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (10, "25%", "25%", (3, 2)),
        (1, "25%", "25%", (1, 0)),
        (1, 0, "1%", (0, 1)),
        (4, 1, 0, (1, 0)),
        (3, 5, 5, (5, 3)),
    ],
)
def test_fenceposts(replicas: int, surge: Any, unavailable: Any, expected: tuple[int, int]) -> None:
    """ResolveFenceposts: surge is rounded up, unavailable down, never both zero."""
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    document = deployment(replicas, strategy=rolling)
    assert (max_surge(document), max_unavailable(document)) == expected

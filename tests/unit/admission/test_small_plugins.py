"""The plugins of a few lines each (kubernetes `plugin/pkg/admission/*/admission_test.go`)."""

from __future__ import annotations

from typing import Any

import pytest
from admission_fakes import FakeCluster, attributes, container, environment, pod

from tiphys.admission.default_storage_class import DefaultStorageClass
from tiphys.admission.default_toleration_seconds import DefaultTolerationSeconds
from tiphys.admission.persistent_volume_claim_resize import PersistentVolumeClaimResize
from tiphys.admission.priority import Priority
from tiphys.admission.runtime_class import RuntimeClass, merge_tolerations
from tiphys.admission.storage_object_in_use_protection import StorageObjectInUseProtection
from tiphys.admission.taint_nodes_by_condition import TaintNodesByCondition
from tiphys.base.status import StatusError

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
PREEMPT = "PreemptLowerPriority"


async def refusal(call: Any) -> str:
    with pytest.raises(StatusError) as refused:
        await call
    assert refused.value.code == 403
    return refused.value.message


def added(key: str) -> dict[str, Any]:
    return {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], [added(NOT_READY), added(UNREACHABLE)]),
        ([{"key": "x", "operator": "Exists"}], [{"key": "x", "operator": "Exists"}, added(NOT_READY),
         added(UNREACHABLE)]),
        ([{"key": NOT_READY, "effect": "NoExecute"}],
         [{"key": NOT_READY, "effect": "NoExecute"}, added(UNREACHABLE)]),
        ([{"key": NOT_READY, "effect": "NoSchedule"}],
         [{"key": NOT_READY, "effect": "NoSchedule"}, added(NOT_READY), added(UNREACHABLE)]),
        ([{"operator": "Exists"}], [{"operator": "Exists"}]),
        ([{"operator": "Exists", "effect": "NoExecute"}], [{"operator": "Exists", "effect": "NoExecute"}]),
    ],
)  # fmt: skip
async def test_tolerations(given: list[Any], expected: list[Any]) -> None:
    document = pod(container(), tolerations=given)
    await DefaultTolerationSeconds(environment()).admit(attributes(document))
    assert document["spec"]["tolerations"] == expected


async def test_node_taint() -> None:
    taint = {"key": NOT_READY, "effect": "NoSchedule"}
    node: dict[str, Any] = {"metadata": {"name": "n"}}
    for _ in range(2):
        await TaintNodesByCondition(environment()).admit(attributes(node, "nodes", namespace=""))
        assert node["spec"]["taints"] == [taint]
    other: dict[str, Any] = {"metadata": {"name": "n"}}
    await TaintNodesByCondition(environment()).admit(attributes(other, "nodes", operation="UPDATE", old=other))
    assert "spec" not in other


async def test_finalizers() -> None:
    for plural, finalizer in (
        ("persistentvolumes", "kubernetes.io/pv-protection"),
        ("persistentvolumeclaims", "kubernetes.io/pvc-protection"),
    ):
        document: dict[str, Any] = {"metadata": {"name": "x", "finalizers": ["a"]}}
        for _ in range(2):
            await StorageObjectInUseProtection(environment()).admit(attributes(document, plural))
            assert document["metadata"]["finalizers"] == ["a", finalizer]


def storage_class(name: str, created: str, default: bool = True, **more: Any) -> dict[str, Any]:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true" if default else "false"}
    return {"metadata": {"name": name, "creationTimestamp": created, "annotations": annotations}, **more}


def storage(*classes: dict[str, Any]) -> Any:
    cluster = FakeCluster()
    for each in classes:
        cluster.put(each, "storage.k8s.io", "storageclasses")
    return environment(cluster)


async def test_default_storage_class() -> None:
    """Of several the newest, and of the same age the first by name."""
    classes = [
        storage_class("old", "2022-01-01T00:00:00Z"),
        storage_class("b", "2023-01-01T00:00:00Z"),
        storage_class("a", "2023-01-01T00:00:00Z"),
        storage_class("newest", "2024-01-01T00:00:00Z", default=False),
    ]
    claim: dict[str, Any] = {"metadata": {"name": "c"}, "spec": {}}
    await DefaultStorageClass(storage(*classes)).admit(attributes(claim, "persistentvolumeclaims"))
    assert claim["spec"]["storageClassName"] == "a"
    claim = {"metadata": {"name": "c"}, "spec": {"storageClassName": ""}}
    await DefaultStorageClass(storage(*classes)).admit(attributes(claim, "persistentvolumeclaims"))
    assert claim["spec"]["storageClassName"] == ""
    claim = {"metadata": {"name": "c"}, "spec": {}}
    await DefaultStorageClass(storage()).admit(attributes(claim, "persistentvolumeclaims"))
    assert "storageClassName" not in claim["spec"]


def claim_of(size: str, phase: str = "Bound", name: str = "gold") -> dict[str, Any]:
    spec = {"storageClassName": name, "resources": {"requests": {"storage": size}}}
    return {"metadata": {"name": "c"}, "spec": spec, "status": {"phase": phase}}


async def test_claim_resize() -> None:
    gold = storage_class("gold", "2022-01-01T00:00:00Z", allowVolumeExpansion=True)
    plugin = PersistentVolumeClaimResize(storage(gold, storage_class("tin", "2022-01-01T00:00:00Z")))

    def update(new: dict[str, Any], old: dict[str, Any]) -> Any:
        return plugin.validate(attributes(new, "persistentvolumeclaims", operation="UPDATE", old=old))

    await update(claim_of("2Gi"), claim_of("1Gi"))
    await update(claim_of("1Gi", "Pending"), claim_of("1024Mi", "Pending"))
    assert await refusal(update(claim_of("2Gi", "Pending"), claim_of("1Gi", "Pending"))) == (
        'persistentvolumeclaims "c" is forbidden: Only bound persistent volume claims can be expanded'
    )
    for name in ("tin", "none", ""):
        assert await refusal(update(claim_of("2Gi", name=name), claim_of("1Gi", name=name))) == (
            'persistentvolumeclaims "c" is forbidden: only dynamically provisioned pvc can be resized and the '
            "storageclass that provisions the pvc must support resize"
        )


def classes(*given: tuple[str, int, bool]) -> Priority:
    cluster = FakeCluster()
    for name, value, default in given:
        document = {"metadata": {"name": name}, "value": value, "globalDefault": default, "preemptionPolicy": PREEMPT}
        cluster.put(document, "scheduling.k8s.io", "priorityclasses")
    return Priority(environment(cluster))


@pytest.mark.parametrize(
    ("given", "spec", "name", "value"),
    [
        ([], {}, None, 0),
        ([("high", 1000, False)], {}, None, 0),
        ([("high", 1000, False)], {"priorityClassName": "high"}, "high", 1000),
        ([("d1", 20, True), ("d2", 10, True)], {}, "d2", 10),
        ([], {"priorityClassName": "system-node-critical"}, "system-node-critical", 2_000_001_000),
        ([], {"priorityClassName": "system-cluster-critical"}, "system-cluster-critical", 2_000_000_000),
        ([("high", 1000, False)], {"priorityClassName": "high", "priority": 1000}, "high", 1000),
    ],
)
async def test_priority(given: list[Any], spec: dict[str, Any], name: str | None, value: int) -> None:
    document = pod(container(), **spec)
    await classes(*given).admit(attributes(document))
    assert document["spec"]["priority"] == value
    assert document["spec"].get("priorityClassName") == name
    assert document["spec"]["preemptionPolicy"] == PREEMPT


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({"priorityClassName": "none"}, "no PriorityClass with name none was found"),
        ({"priority": 7}, "the integer value of priority (7) must not be provided in pod spec; priority admission "
         "controller computed 0 from the given PriorityClass name"),
        ({"preemptionPolicy": "Never"}, "the string value of PreemptionPolicy (Never) must not be provided in pod "
         "spec; priority admission controller computed PreemptLowerPriority from the given PriorityClass name"),
    ],
)  # fmt: skip
async def test_priority_refused(spec: dict[str, Any], text: str) -> None:
    assert await refusal(classes().admit(attributes(pod(container(), **spec)))) == f'pods "p" is forbidden: {text}'


async def test_priority_is_kept_on_update() -> None:
    document, old = pod(container()), pod(container(), priority=5, preemptionPolicy="Never")
    await classes().admit(attributes(document, operation="UPDATE", old=old))
    assert document["spec"]["priority"] == 5 and document["spec"]["preemptionPolicy"] == "Never"


async def test_only_one_default_class() -> None:
    plugin = classes(("first", 1, True))
    second = {"metadata": {"name": "second"}, "value": 2, "globalDefault": True}
    group = "scheduling.k8s.io"
    assert await refusal(plugin.validate(attributes(second, "priorityclasses", group=group, namespace=""))) == (
        'priorityclasses.scheduling.k8s.io "second" is forbidden: PriorityClass first is already marked as default. '
        "Only one default can exist"
    )
    first = {"metadata": {"name": "first"}, "value": 2, "globalDefault": True}
    await plugin.validate(attributes(first, "priorityclasses", group=group, operation="UPDATE", old=first))


def runtime(**document: Any) -> RuntimeClass:
    cluster = FakeCluster()
    cluster.put({"metadata": {"name": "kata"}, **document}, "node.k8s.io", "runtimeclasses")
    return RuntimeClass(environment(cluster))


async def test_runtime_class() -> None:
    toleration = {"key": "kata", "operator": "Exists"}
    plugin = runtime(
        overhead={"podFixed": {"cpu": "100m"}},
        scheduling={"nodeSelector": {"runtime": "kata"}, "tolerations": [toleration]},
    )
    document = pod(container(), runtimeClassName="kata", nodeSelector={"a": "b"})
    await plugin.admit(attributes(document))
    await plugin.validate(attributes(document))
    assert document["spec"]["overhead"] == {"cpu": "100m"}
    assert document["spec"]["nodeSelector"] == {"a": "b", "runtime": "kata"}
    assert document["spec"]["tolerations"] == [toleration]


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({"runtimeClassName": "none"}, 'pod rejected: RuntimeClass "none" not found'),
        ({"runtimeClassName": "kata", "overhead": {"cpu": "1"}},
         "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"),
        ({"runtimeClassName": "kata", "nodeSelector": {"runtime": "x"}},
         "conflict: runtimeClass.scheduling.nodeSelector[runtime] = kata; pod.spec.nodeSelector[runtime] = x"),
    ],
)  # fmt: skip
async def test_runtime_class_refused(spec: dict[str, Any], text: str) -> None:
    plugin = runtime(overhead={"podFixed": {"cpu": "100m"}}, scheduling={"nodeSelector": {"runtime": "kata"}})
    assert await refusal(plugin.admit(attributes(pod(container(), **spec)))) == f'pods "p" is forbidden: {text}'


async def test_overhead_needs_a_runtime_class() -> None:
    document = pod(container(), overhead={"cpu": "1"})
    assert await refusal(runtime().validate(attributes(document))) == (
        'pods "p" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead'
    )


def test_merge_tolerations() -> None:
    """pkg/util/tolerations TestMergeTolerations: what another one includes is left out, the first of equals stays."""
    everything = {"operator": "Exists"}
    one = {"key": "a", "operator": "Equal", "value": "1", "effect": "NoSchedule"}
    any_value = {"key": "a", "operator": "Exists", "effect": "NoSchedule"}
    long = {"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 10}
    short = {**long, "tolerationSeconds": 5}
    assert merge_tolerations([one], [any_value]) == [any_value]
    assert merge_tolerations([one, any_value], [everything]) == [everything]
    assert merge_tolerations([one], [dict(one)]) == [one]
    assert merge_tolerations([short], [long]) == [long]
    assert merge_tolerations([one], [long]) == [one, long]

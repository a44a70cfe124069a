"""Evaluators, scopes and usage (cases after kubernetes `pkg/quota/v1/evaluator/core/*_test.go`)."""

from __future__ import annotations

from typing import Any

import pytest

from tiphys.resource.quota.evaluator import Evaluator
from tiphys.resource.quota.registry import evaluator, evaluators
from tiphys.resource.quota.scope import covers
from tiphys.resource.quota.usage import calculate_usage, resources_to_list
from tiphys.resource.resource_list import write

NOW = 1_700_000_000.0


def of(plural: str, group: str = "") -> Evaluator:
    found = evaluator(group, plural)
    assert found is not None
    return found


def pod(requests: dict[str, str] | None = None, limits: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    resources = {"requests": requests or {}, "limits": limits or {}}
    return {"metadata": {}, "spec": {"containers": [{"name": "c", "resources": resources}]}, **more}


@pytest.mark.parametrize(
    ("document", "used"),
    [
        # TestPodEvaluatorUsage.
        (pod({"cpu": "1m"}, {"cpu": "2m"}),
         {"cpu": "1m", "requests.cpu": "1m", "limits.cpu": "2m", "pods": "1", "count/pods": "1"}),
        (pod({"memory": "1m"}, {"memory": "2m"}),
         {"memory": "1m", "requests.memory": "1m", "limits.memory": "2m", "pods": "1", "count/pods": "1"}),
        (pod({"ephemeral-storage": "32Mi"}, {"ephemeral-storage": "64Mi"}),
         {"ephemeral-storage": "32Mi", "requests.ephemeral-storage": "32Mi", "limits.ephemeral-storage": "64Mi",
          "pods": "1", "count/pods": "1"}),
        (pod({"hugepages-2Mi": "100Mi"}, {"hugepages-2Mi": "100Mi"}),
         {"hugepages-2Mi": "100Mi", "requests.hugepages-2Mi": "100Mi", "pods": "1", "count/pods": "1"}),
        (pod({"nvidia.com/gpu": "3"}, {"nvidia.com/gpu": "3"}),
         {"requests.nvidia.com/gpu": "3", "pods": "1", "count/pods": "1"}),
        (pod({"kubernetes.io/x": "3"}), {"pods": "1", "count/pods": "1"}),
        # What has come to its end is only counted as an object.
        (pod({"cpu": "1"}, status={"phase": "Succeeded"}), {"count/pods": "1"}),
        (pod({"cpu": "1"}, status={"phase": "Failed"}), {"count/pods": "1"}),
        (pod(metadata={"deletionTimestamp": "2023-11-14T22:12:00Z", "deletionGracePeriodSeconds": 10}),
         {"count/pods": "1"}),
        (pod(metadata={"deletionTimestamp": "2023-11-14T22:13:20Z", "deletionGracePeriodSeconds": 10}),
         {"pods": "1", "count/pods": "1"}),
    ],
)  # fmt: skip
def test_pod_usage(document: dict[str, Any], used: dict[str, str]) -> None:
    assert write(of("pods").usage(document, NOW)) == dict(sorted(used.items()))


@pytest.mark.parametrize(
    ("spec", "ports", "balancers"),
    [
        # TestServiceEvaluatorUsage.
        ({"type": "ClusterIP", "ports": [{"port": 1}]}, "0", "0"),
        ({"type": "NodePort", "ports": [{"port": 1}, {"port": 2}]}, "2", "0"),
        ({"type": "LoadBalancer", "ports": [{"port": 1}]}, "1", "1"),
        ({"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False, "ports": [{"port": 1}, {"nodePort": 3}]},
         "1", "1"),
    ],
)  # fmt: skip
def test_service_usage(spec: dict[str, Any], ports: str, balancers: str) -> None:
    assert write(of("services").usage({"spec": spec}, NOW)) == {
        "count/services": "1",
        "services": "1",
        "services.loadbalancers": balancers,
        "services.nodeports": ports,
    }


def claim(storage: str, **more: Any) -> dict[str, Any]:
    spec = {"resources": {"requests": {"storage": storage}}, **more.pop("spec", {})}
    return {"metadata": {}, "spec": spec, **more}


@pytest.mark.parametrize(
    ("document", "used"),
    [
        # TestPersistentVolumeClaimEvaluatorUsage.
        (claim("10Gi"), {"persistentvolumeclaims": "1", "requests.storage": "10Gi"}),
        (claim("10Gi", spec={"storageClassName": "gold"}),
         {"persistentvolumeclaims": "1", "requests.storage": "10Gi",
          "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
          "gold.storageclass.storage.k8s.io/requests.storage": "10Gi"}),
        (claim("1000m"), {"persistentvolumeclaims": "1", "requests.storage": "1"}),
        (claim("1500m"), {"persistentvolumeclaims": "1", "requests.storage": "2"}),
        (claim("5Gi", status={"allocatedResources": {"storage": "10Gi"}}),
         {"persistentvolumeclaims": "1", "requests.storage": "10Gi"}),
    ],
)  # fmt: skip
def test_claim_usage(document: dict[str, Any], used: dict[str, str]) -> None:
    found = write(of("persistentvolumeclaims").usage(document, NOW))
    assert found.pop("count/persistentvolumeclaims") == "1"
    assert found == dict(sorted(used.items()))


def test_object_count() -> None:
    assert write(of("deployments", "apps").usage({}, NOW)) == {"count/deployments.apps": "1"}
    assert write(of("configmaps").usage({}, NOW)) == {"configmaps": "1", "count/configmaps": "1"}
    assert evaluator("", "events") is None
    assert evaluator("", "bindings") is None


@pytest.mark.parametrize(
    ("plural", "operation", "subresource", "handled"),
    [
        # TestPodEvaluatorHandles, TestServiceEvaluatorHandles and their like.
        ("pods", "CREATE", "", True),
        ("pods", "UPDATE", "", False),
        ("pods", "UPDATE", "resize", True),
        ("pods", "CREATE", "binding", False),
        ("services", "UPDATE", "", True),
        ("services", "UPDATE", "status", False),
        ("persistentvolumeclaims", "UPDATE", "", True),
        ("configmaps", "CREATE", "", True),
        ("configmaps", "UPDATE", "", False),
        ("pods", "DELETE", "", False),
    ],
)
def test_handles(plural: str, operation: str, subresource: str, handled: bool) -> None:
    assert of(plural).handles(operation, subresource, {}, {}) is handled


def test_claim_status_is_handled_when_its_charge_changes() -> None:
    grown = claim("5Gi", status={"allocatedResources": {"storage": "10Gi"}})
    assert of("persistentvolumeclaims").handles("UPDATE", "status", grown, claim("5Gi"))
    assert not of("persistentvolumeclaims").handles("UPDATE", "status", grown, grown)


def test_matching() -> None:
    names = [
        "cpu",
        "count/pods",
        "requests.nvidia.com/gpu",
        "hugepages-2Mi",
        "requests.storage",
        "nvidia.com/gpu",
        "x",
    ]
    assert of("pods").matching(names) == ["count/pods", "cpu", "hugepages-2Mi", "requests.nvidia.com/gpu"]
    gold = "gold.storageclass.storage.k8s.io/requests.storage"
    assert of("persistentvolumeclaims").matching([gold, *names]) == [gold, "requests.storage"]
    assert of("secrets").matching(["secrets", "count/secrets", "pods"]) == ["count/secrets", "secrets"]


def test_missing() -> None:
    """TestPodConstraintsFunc, and the words of podEvaluator.Constraints."""
    document = {
        "spec": {
            "containers": [{"name": "b"}, {"name": "a"}, {"name": "full", "resources": {"limits": {"cpu": "1"}}}],
            "initContainers": [{"name": "i", "resources": {"requests": {"memory": "1"}}}],
        }
    }
    wanted = ["limits.cpu", "requests.memory", "pods", "requests.nvidia.com/gpu"]
    assert of("pods").missing(wanted, document) == (
        "must specify limits.cpu for: a,b,i; requests.memory for: a,b,full"
    )
    assert of("pods").missing(["pods"], document) == ""


AFFINITY = {
    "podAntiAffinity": {
        "preferredDuringSchedulingIgnoredDuringExecution": [{"podAffinityTerm": {"namespaceSelector": {}}}]
    }
}


@pytest.mark.parametrize(
    ("scope", "operator", "values", "spec", "inside"),
    [
        # TestPodEvaluatorMatchingScopes.
        ("Terminating", "Exists", [], {"activeDeadlineSeconds": 30}, True),
        ("Terminating", "Exists", [], {"activeDeadlineSeconds": 0}, True),
        ("Terminating", "Exists", [], {}, False),
        ("NotTerminating", "Exists", [], {}, True),
        ("BestEffort", "Exists", [], {}, True),
        ("NotBestEffort", "Exists", [], {}, False),
        ("NotBestEffort", "Exists", [], {"containers": [{"resources": {"requests": {"cpu": "1"}}}]}, True),
        ("PriorityClass", "Exists", [], {"priorityClassName": "high"}, True),
        ("PriorityClass", "Exists", [], {}, False),
        ("PriorityClass", "DoesNotExist", [], {}, True),
        ("PriorityClass", "In", ["low", "high"], {"priorityClassName": "high"}, True),
        ("PriorityClass", "In", ["low"], {"priorityClassName": "high"}, False),
        ("PriorityClass", "NotIn", ["low"], {"priorityClassName": "high"}, True),
        ("PriorityClass", "NotIn", ["low"], {}, True),
        ("PriorityClass", "Weird", ["low"], {}, False),
        ("CrossNamespacePodAffinity", "Exists", [], {"affinity": AFFINITY}, True),
        ("CrossNamespacePodAffinity", "Exists", [], {"affinity": {}}, False),
        ("Unknown", "Exists", [], {}, False),
    ],
)
def test_pod_scopes(scope: str, operator: str, values: list[str], spec: dict[str, Any], inside: bool) -> None:
    requirement = {"scopeName": scope, "operator": operator, "values": values}
    assert of("pods").in_scope(requirement, {"spec": spec}) is inside


def test_scopes_of_a_quota_must_all_hold() -> None:
    expressions = [{"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}]
    quota = {"spec": {"scopes": ["Terminating"], "scopeSelector": {"matchExpressions": expressions}}}
    both = {"spec": {"activeDeadlineSeconds": 1, "priorityClassName": "high"}}
    assert covers(quota, of("pods"), both)
    assert not covers(quota, of("pods"), {"spec": {"priorityClassName": "high"}})
    assert not covers(quota, of("services"), both)
    assert covers({"spec": {}}, of("services"), {})


def test_claim_scope() -> None:
    requirement = {"scopeName": "VolumeAttributesClass", "operator": "In", "values": ["fast"]}
    assert of("persistentvolumeclaims").in_scope(requirement, claim("1", spec={"volumeAttributesClassName": "fast"}))
    assert not of("persistentvolumeclaims").in_scope(requirement, claim("1"))


def test_calculate_usage() -> None:
    names = ("pods", "requests.cpu", "limits.memory", "services", "count/jobs.batch", "configmaps", "x")
    hard = dict.fromkeys(names, "9")
    quota = {"spec": {"hard": hard}}
    assert resources_to_list(quota) == [("", "pods"), ("", "services"), ("", "configmaps"), ("batch", "jobs")]
    objects: dict[tuple[str, str], list[dict[str, Any]]] = {
        ("", "pods"): [pod({"cpu": "1"}), pod({"cpu": "500m"}), pod(status={"phase": "Failed"})],
        ("", "services"): [],
        ("", "configmaps"): [{}, {}],
    }
    assert write(calculate_usage(quota, objects, NOW)) == {
        "configmaps": "2",
        "limits.memory": "0",
        "pods": "2",
        "requests.cpu": "1500m",
        "services": "0",
    }


def test_calculate_usage_in_scope() -> None:
    quota = {"spec": {"hard": {"pods": "5", "services": "5"}, "scopes": ["BestEffort"]}}
    objects = {("", "pods"): [pod(), pod({"cpu": "1"})], ("", "services"): [{"spec": {}}]}
    assert write(calculate_usage(quota, objects, NOW)) == {"pods": "1", "services": "0"}


def test_every_resource_name_is_counted_once() -> None:
    """Ours: `count/pods` is the pods' own evaluator's."""
    assert [(each.plural, names) for each, names in evaluators(["count/pods", "count/x.y.z"])] == [
        ("pods", ["count/pods"]),
        ("x", ["count/x.y.z"]),
    ]

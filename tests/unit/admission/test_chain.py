"""The chain: order (kubernetes `pkg/kubeapiserver/options/plugins.go`), choice of plugins, cost."""

from __future__ import annotations

import pytest
from admission_fakes import FakeCluster, attributes, container, environment, pod

from tiphys.admission.chain import Chain

ORDER = [
    "NamespaceLifecycle",
    "LimitRanger",
    "ServiceAccount",
    "TaintNodesByCondition",
    "Priority",
    "DefaultTolerationSeconds",
    "DefaultStorageClass",
    "StorageObjectInUseProtection",
    "PersistentVolumeClaimResize",
    "RuntimeClass",
    "ResourceQuota",
]


def test_order() -> None:
    names = Chain(environment()).names
    assert [name for name in names if name in ORDER] == ORDER
    assert names[-1] == "ResourceQuota"


def test_disable() -> None:
    names = Chain(environment(), disable=["ServiceAccount"]).names
    assert "ServiceAccount" not in names and "ResourceQuota" in names


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="no such admission plugin: Nonsense; there are CertificateApproval, "):
        Chain(environment(), disable=["Nonsense"])


def plain_cluster() -> FakeCluster:
    cluster = FakeCluster()
    cluster.put({"metadata": {"name": "erp"}, "status": {"phase": "Active"}}, plural="namespaces")
    cluster.put({"metadata": {"name": "default", "namespace": "erp"}}, plural="serviceaccounts")
    return cluster


async def test_a_pod_goes_through() -> None:
    chain = Chain(environment(plain_cluster()))
    document = pod(container())
    request = attributes(document)
    await chain.admit(request)
    await chain.validate(request)
    spec = document["spec"]
    assert spec["priority"] == 0 and spec["preemptionPolicy"] == "PreemptLowerPriority"
    assert spec["serviceAccountName"] == "default"
    assert [each["key"] for each in spec["tolerations"]] == [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    ]

"""NamespaceLifecycle (apiserver `pkg/admission/plugin/namespace/lifecycle/admission_test.go`)."""

from __future__ import annotations

import pytest
from admission_fakes import FakeCluster, attributes, container, environment, pod

from tiphys.admission.namespace_lifecycle import NamespaceLifecycle
from tiphys.base.status import StatusError


def plugin(phase: str = "") -> NamespaceLifecycle:
    cluster = FakeCluster()
    if phase:
        cluster.put({"metadata": {"name": "erp"}, "status": {"phase": phase}}, plural="namespaces")
    return NamespaceLifecycle(environment(cluster))


async def test_missing_namespace() -> None:
    with pytest.raises(StatusError) as refusal:
        await plugin().admit(attributes(pod(container())))
    assert refusal.value.document() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'namespaces "erp" not found',
        "reason": "NotFound",
        "details": {"name": "erp", "kind": "namespaces"},
        "code": 404,
    }


async def test_terminating_namespace() -> None:
    with pytest.raises(StatusError) as refusal:
        await plugin("Terminating").admit(attributes(pod(container())))
    assert refusal.value.code == 403
    assert refusal.value.message == (
        'pods "p" is forbidden: unable to create new content in namespace erp because it is being terminated'
    )
    assert refusal.value.details == {
        "name": "p",
        "kind": "pods",
        "causes": [
            {
                "reason": "NamespaceTerminating",
                "message": "namespace erp is being terminated",
                "field": "metadata.namespace",
            }
        ],
    }


async def test_unnamed_objects_are_called_by_their_prefix() -> None:
    document = {"metadata": {"generateName": "web-"}}
    with pytest.raises(StatusError, match=r'^pods "web-" is forbidden: '):
        await plugin("Terminating").admit(attributes(document))
    with pytest.raises(StatusError, match=r'^deployments.apps "Unknown" is forbidden: '):
        await plugin("Terminating").admit(attributes({}, "deployments", group="apps"))


@pytest.mark.parametrize("operation", ["UPDATE", "DELETE"])
async def test_what_is_there_may_change_and_go(operation: str) -> None:
    await plugin("Terminating").admit(attributes(None, operation=operation, old=pod(container())))
    await plugin().admit(attributes(None, operation=operation, old=pod(container())))


async def test_active_namespace() -> None:
    await plugin("Active").admit(attributes(pod(container())))


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
async def test_immortal_namespaces(name: str) -> None:
    with pytest.raises(StatusError) as refusal:
        await plugin().admit(attributes(None, "namespaces", operation="DELETE", name=name, namespace=name))
    assert refusal.value.code == 403
    assert refusal.value.message == f'namespaces "{name}" is forbidden: this namespace may not be deleted'


async def test_let_pass() -> None:
    await plugin().admit(attributes(None, "namespaces", operation="DELETE", name="kube-node-lease", namespace=""))
    await plugin().admit(attributes({"metadata": {"name": "new"}}, "namespaces", namespace="new"))
    await plugin().admit(attributes({"metadata": {"name": "n"}}, "nodes", namespace=""))
    await plugin().admit(attributes({}, "localsubjectaccessreviews", group="authorization.k8s.io"))

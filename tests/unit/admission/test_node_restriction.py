"""NodeRestriction, through the pipeline (k/k `plugin/pkg/admission/noderestriction/admission_test.go`)."""

from __future__ import annotations

import pytest
from tests.unit.auth.pipeline_world import ADMIN, World, new_world

from tiphys.base.user import AUTHENTICATED, NODES, User

N1 = User("system:node:n1", (NODES, AUTHENTICATED))
PODS = "/api/v1/namespaces/erp/pods"
MIRROR = {"kubernetes.io/config.mirror": "x"}
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"


@pytest.fixture
async def world():
    async with new_world() as made:
        await made.ok(ADMIN, "POST", "/api/v1/namespaces/erp/serviceaccounts", {"metadata": {"name": "default"}})
        for node in ("n1", "n2"):
            await made.ok(ADMIN, "POST", "/api/v1/nodes", {"metadata": {"name": node}})
            await made.ok(ADMIN, "POST", PODS, pod(f"on-{node}", node))
        yield made


def pod(name: str, node: str, annotations: dict | None = None, owner: dict | None = None, **spec) -> dict:
    metadata = {"name": name, "annotations": annotations or {}}
    if owner:
        metadata["ownerReferences"] = [owner]
    return {"metadata": metadata, "spec": {"nodeName": node, "containers": [{"name": "a", "image": "a"}], **spec}}


async def owner(world: World, **more) -> dict:
    uid = (await world.ok(ADMIN, "GET", "/api/v1/nodes/n1"))["metadata"]["uid"]
    return {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": uid, "controller": True, **more}


async def test_status_and_deletion_of_pods(world):
    status = {"status": {"phase": "Running"}}
    await world.ok(N1, "PATCH", f"{PODS}/on-n1/status", status)
    message = await world.refused(403, N1, "PATCH", f"{PODS}/on-n2/status", status)
    why = 'node "n1" can only update pod status for pods with spec.nodeName set to itself'
    assert message == f'pods "on-n2" is forbidden: {why}'
    labels = {"metadata": {"labels": {"a": "b"}}}
    message = await world.refused(403, N1, "PATCH", f"{PODS}/on-n1/status", labels)
    assert message.endswith('node "n1" cannot update labels through pod status')
    message = await world.refused(403, N1, "DELETE", f"{PODS}/on-n2")
    assert message.endswith('node "n1" can only delete pods with spec.nodeName set to itself')
    await world.ok(N1, "DELETE", f"{PODS}/on-n1", {"gracePeriodSeconds": 0})
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "on-n2"}}
    message = await world.refused(403, N1, "POST", f"{PODS}/on-n2/eviction", eviction)
    assert message.endswith("node n1 can only evict pods with spec.nodeName set to itself")


async def test_mirror_pods(world):
    reference = await owner(world)
    await world.ok(N1, "POST", PODS, pod("static-n1", "n1", MIRROR, reference))
    for document, why in (
        (
            pod("a", "n1"),
            'pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods',
        ),
        (pod("a", "n2", MIRROR, reference), 'node "n1" can only create pods with spec.nodeName set to itself'),
        (pod("a", "n1", MIRROR), 'node "n1" can only create pods with an owner reference set to itself'),
        (
            pod("a", "n1", MIRROR, {**reference, "name": "n2"}),
            'node "n1" can only create pods with an owner reference set to itself',
        ),
        (
            pod("a", "n1", MIRROR, {**reference, "controller": False}),
            'node "n1" can only create pods with a controller owner reference set to itself',
        ),
        (
            pod("a", "n1", MIRROR, {**reference, "blockOwnerDeletion": True}),
            'node "n1" must not set blockOwnerDeletion on an owner reference',
        ),
        (
            pod("a", "n1", MIRROR, {**reference, "uid": "x"}),
            f"node n1 UID mismatch: expected x got {reference['uid']}",
        ),
        (
            pod("a", "n1", MIRROR, reference, imagePullSecrets=[{"name": "s"}]),
            'node "n1" can not create pods that reference secrets',
        ),
        (
            pod("a", "n1", MIRROR, reference, volumes=[{"name": "v", "configMap": {"name": "c"}}]),
            'node "n1" can not create pods that reference configmaps',
        ),
    ):
        assert await world.refused(403, N1, "POST", PODS, document) == f'pods "a" is forbidden: {why}'


async def test_its_own_node(world):
    node = "/api/v1/nodes/n1"
    await world.ok(N1, "PATCH", f"{node}/status", {"status": {"phase": "Running"}})
    await world.ok(N1, "PATCH", node, {"metadata": {"labels": {"own": "x", "kubernetes.io/hostname": "n1"}}})
    message = await world.refused(403, N1, "PATCH", "/api/v1/nodes/n2/status", {"status": {"phase": "Running"}})
    assert message == 'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"'
    message = await world.refused(403, N1, "PATCH", node, {"spec": {"taints": [{"key": "a", "effect": "NoExecute"}]}})
    assert message.endswith('node "n1" is not allowed to modify taints')
    labels = {"node-restriction.kubernetes.io/a": "b", "x.k8s.io/y": "z", "node.kubernetes.io/fine": "a"}
    message = await world.refused(403, N1, "PATCH", node, {"metadata": {"labels": labels}})
    assert message.endswith("is not allowed to modify labels: node-restriction.kubernetes.io/a, x.k8s.io/y")
    await world.ok(ADMIN, "DELETE", node)
    made = {"metadata": {"name": "n1", "labels": {"node-restriction.kubernetes.io/a": "b"}}}
    message = await world.refused(403, N1, "POST", "/api/v1/nodes", made)
    why = "is not allowed to set the following labels: node-restriction.kubernetes.io/a"
    assert message == f'nodes "n1" is forbidden: node "n1" {why}'
    await world.ok(N1, "POST", "/api/v1/nodes", {"metadata": {"name": "n1"}})
    assert "is not allowed to modify node" in await world.refused(
        403, N1, "POST", "/api/v1/nodes", {"metadata": {"name": "n3"}}
    )


async def test_leases(world):
    await world.ok(N1, "POST", LEASES, {"metadata": {"name": "n1"}, "spec": {}})
    message = await world.refused(403, N1, "POST", LEASES, {"metadata": {"name": "n2"}, "spec": {}})
    assert message.endswith("can only access node lease with the same name as the requesting node")


async def test_who_is_no_node_is_let_be(world):
    await world.ok(ADMIN, "PATCH", "/api/v1/nodes/n1", {"spec": {"taints": [{"key": "a", "effect": "NoExecute"}]}})


async def test_a_node_reads_what_its_pods_need(world):
    """The two together: authorizer and plugin, over the same store."""
    secrets = "/api/v1/namespaces/erp/secrets"
    for name in ("mine", "theirs"):
        await world.ok(ADMIN, "POST", secrets, {"metadata": {"name": name}})
    document = pod("web", "n1", volumes=[{"name": "v", "secret": {"secretName": "mine"}}])
    await world.ok(ADMIN, "POST", PODS, document)
    await world.ok(N1, "GET", f"{secrets}/mine")
    message = await world.refused(403, N1, "GET", f"{secrets}/theirs")
    assert message.endswith("no relationship found between node 'n1' and this object")
    await world.ok(ADMIN, "DELETE", f"{PODS}/web", {"gracePeriodSeconds": 0})
    assert await world.refused(403, N1, "GET", f"{secrets}/mine")

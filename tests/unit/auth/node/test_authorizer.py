"""What a node may do (k/k `plugin/pkg/auth/authorizer/node/node_authorizer_test.go`, and for what 1.32 narrowed down
KEP-4601)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tiphys.api.request_info import read_request_info
from tiphys.auth.contract import Decision
from tiphys.auth.node.authorizer import NodeAuthorizer
from tiphys.base.document import Document
from tiphys.base.user import NODES, User

NODE = User("system:node:n1", (NODES,))
ALLOWED = Decision(True)
MIRROR = {"kubernetes.io/config.mirror": "x"}
UNRELATED = Decision(False, "no relationship found between node 'n1' and this object")


def pod(name: str, node: str, spec: dict[str, Any] | None = None, **metadata: Any) -> Document:
    return {"metadata": {"name": name, "namespace": "erp", **metadata}, "spec": {"nodeName": node, **(spec or {})}}


SPEC = {
    "serviceAccountName": "bot",
    "imagePullSecrets": [{"name": "pull"}],
    "initContainers": [{"envFrom": [{"secretRef": {"name": "init"}}, {"configMapRef": {"name": "init"}}]}],
    "containers": [
        {
            "env": [
                {"valueFrom": {"secretKeyRef": {"name": "env"}}},
                {"valueFrom": {"configMapKeyRef": {"name": "env"}}},
            ]
        }
    ],
    "ephemeralContainers": [{"env": [{"valueFrom": {"secretKeyRef": {"name": "debug"}}}]}],
    "volumes": [
        {"name": "a", "secret": {"secretName": "volume"}},
        {"name": "b", "configMap": {"name": "volume"}},
        {"name": "c", "projected": {"sources": [{"secret": {"name": "part"}}, {"configMap": {"name": "part"}}]}},
        {"name": "d", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "e", "ephemeral": {}},
        {"name": "f", "csi": {"nodePublishSecretRef": {"name": "csi"}}},
    ],
    "resourceClaims": [{"name": "g", "resourceClaimName": "gpu"}],
}
VOLUME = {
    "metadata": {"name": "pv"},
    "spec": {
        "claimRef": {"namespace": "erp", "name": "data"},
        "csi": {"nodeStageSecretRef": {"namespace": "storage", "name": "stage"}},
    },
}
OBJECTS: dict[tuple[str, str], list[Document]] = {
    ("", "pods"): [
        pod("web", "n1", SPEC),
        pod("other", "n2", {"volumes": [{"name": "a", "secret": {"secretName": "theirs"}}]}),
        pod("mirror", "n1", {"imagePullSecrets": [{"name": "mine"}]}, annotations=MIRROR),
    ],
    ("", "persistentvolumes"): [VOLUME, {"metadata": {"name": "free"}, "spec": {}}],
    ("storage.k8s.io", "volumeattachments"): [
        {"metadata": {"name": "at-n1"}, "spec": {"nodeName": "n1"}},
        {"metadata": {"name": "at-n2"}, "spec": {"nodeName": "n2"}},
    ],
    ("resource.k8s.io", "resourceslices"): [{"metadata": {"name": "s1"}, "spec": {"nodeName": "n1"}}],
}  # fmt: skip


class Reader:
    async def get(self, group: str, plural: str, namespace: str, name: str) -> Document | None:
        found = await self.list(group, plural, namespace)
        return next((each for each in found if each["metadata"]["name"] == name), None)

    async def list(self, group: str, plural: str, namespace: str = "") -> Sequence[Document]:
        found = OBJECTS.get((group, plural), [])
        return [each for each in found if namespace in ("", each["metadata"].get("namespace"))]


async def decide(method: str, path: str, query: str = "", user: User = NODE, minor: int = 37) -> Decision:
    return await NodeAuthorizer(Reader(), minor).decide(user, read_request_info(method, path, query))


ERP = "/api/v1/namespaces/erp"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
STORAGE = "/apis/storage.k8s.io/v1"
RESOURCE = "/apis/resource.k8s.io/v1"


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        *(("GET", f"{ERP}/secrets/{n}", "") for n in ("pull", "init", "env", "debug", "volume", "part", "csi")),
        *(("GET", f"{ERP}/configmaps/{name}", "") for name in ("init", "env", "volume", "part")),
        ("GET", f"{ERP}/secrets", "fieldSelector=metadata.name%3Denv"),
        ("GET", f"{ERP}/configmaps", "watch=1&fieldSelector=metadata.name%3Denv"),
        ("GET", "/api/v1/namespaces/storage/secrets/stage", ""),
        ("GET", f"{ERP}/persistentvolumeclaims/data", ""),
        ("GET", f"{ERP}/persistentvolumeclaims/web-e", ""),
        ("PATCH", f"{ERP}/persistentvolumeclaims/data/status", ""),
        ("GET", "/api/v1/persistentvolumes/pv", ""),
        ("GET", f"{STORAGE}/volumeattachments/at-n1", ""),
        ("POST", f"{ERP}/serviceaccounts/bot/token", ""),
        ("GET", f"{ERP}/serviceaccounts/bot", ""),
        ("GET", f"{RESOURCE}/namespaces/erp/resourceclaims/gpu", ""),
        ("GET", f"{RESOURCE}/resourceslices/s1", ""),
        ("GET", f"{RESOURCE}/resourceslices", "fieldSelector=spec.nodeName%3Dn1"),
        ("GET", f"{LEASE}/n1", ""),
        ("POST", LEASE, ""),
        ("DELETE", f"{STORAGE}/csinodes/n1", ""),
        ("GET", "/api/v1/nodes/n1", ""),
        ("GET", "/api/v1/nodes", "fieldSelector=metadata.name%3Dn1"),
        ("POST", "/api/v1/nodes", ""),
        ("PATCH", "/api/v1/nodes/n1/status", ""),
        ("GET", "/api/v1/pods", "fieldSelector=spec.nodeName%3Dn1"),
        ("GET", "/api/v1/pods", "watch=1&fieldSelector=status.phase%3DRunning,spec.nodeName%3Dn1"),
        ("GET", f"{ERP}/pods/web", ""),
        ("PATCH", f"{ERP}/pods/web/status", ""),
        ("POST", f"{ERP}/pods/web/eviction", ""),
        ("GET", "/api/v1/services", ""),
        ("POST", f"{ERP}/events", ""),
        ("POST", "/apis/certificates.k8s.io/v1/certificatesigningrequests", ""),
        ("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", ""),
    ],
)
async def test_allowed(method, path, query):
    assert await decide(method, path, query) == ALLOWED


@pytest.mark.parametrize(
    ("method", "path", "query", "reason"),
    [
        ("GET", f"{ERP}/secrets/theirs", "", UNRELATED.reason),
        ("GET", f"{ERP}/secrets/mine", "", UNRELATED.reason),
        ("GET", f"{ERP}/secrets/data", "", UNRELATED.reason),
        ("GET", "/api/v1/namespaces/web/secrets/env", "", UNRELATED.reason),
        ("GET", f"{ERP}/secrets", "", "No Object name found"),
        ("GET", "/api/v1/secrets", "", "can only read namespaced object of this type"),
        ("DELETE", f"{ERP}/secrets/env", "", "can only read resources of this type"),
        ("GET", f"{ERP}/configmaps/env/x", "", "cannot read subresource"),
        ("GET", f"{ERP}/persistentvolumeclaims", "", "can only get individual resources of this type"),
        ("GET", "/api/v1/persistentvolumes/free", "", UNRELATED.reason),
        ("GET", f"{STORAGE}/volumeattachments/at-n2", "", UNRELATED.reason),
        ("POST", f"{ERP}/serviceaccounts/default/token", "", UNRELATED.reason),
        ("POST", f"{ERP}/serviceaccounts", "", "can only create tokens for individual service accounts"),
        ("GET", f"{LEASE}/n2", "", "can only access node lease with the same name as the requesting node"),
        ("GET", LEASE, "", "can only get, create, update, patch, or delete a node lease"),
        (
            "GET", "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/n1", "",
            'can only access leases in the "kube-node-lease" system namespace',
        ),
        ("GET", f"{STORAGE}/csinodes/n2", "", "can only access CSINode with the same name as the requesting node"),
        ("GET", "/api/v1/nodes", "", "node 'n1' cannot read all nodes, only its own Node object"),
        ("GET", "/api/v1/nodes/n2", "", "node 'n1' cannot read 'n2', only its own Node object"),
        ("DELETE", "/api/v1/nodes/n1", "", ""),
        ("GET", "/api/v1/pods", "", "can only list/watch pods with spec.nodeName field selector"),
        (
            "GET", "/api/v1/pods", "fieldSelector=spec.nodeName%3Dn2",
            "can only list/watch pods with spec.nodeName field selector",
        ),
        (
            "GET", "/api/v1/pods", "fieldSelector=spec.nodeName!%3Dn1",
            "can only list/watch pods with spec.nodeName field selector",
        ),
        (
            "GET", "/api/v1/watch/pods", "fieldSelector=spec.nodeName%3Dn1",
            "can only list/watch pods with spec.nodeName field selector",
        ),
        ("GET", f"{ERP}/pods/other", "", UNRELATED.reason),
        ("PUT", f"{ERP}/pods/web", "", ""),
        ("POST", f"{ERP}/pods/web/exec", "", ""),
        ("GET", f"{ERP}/deployments", "", ""),
        ("GET", "/metrics", "", ""),
    ],
)  # fmt: skip
async def test_refused(method, path, query, reason):
    assert await decide(method, path, query) == Decision(False, reason)


async def test_before_the_selectors_a_node_read_every_node_and_pod():
    assert await decide("GET", "/api/v1/nodes", minor=31) == ALLOWED
    assert await decide("GET", "/api/v1/pods", minor=31) == ALLOWED
    assert not (await decide("DELETE", "/api/v1/nodes/n1", minor=31)).allowed


@pytest.mark.parametrize("user", [User("system:node:n1"), User("n1", (NODES,)), User("jane")])
async def test_no_opinion_of_who_is_no_node(user):
    assert await decide("GET", f"{ERP}/secrets/env", user=user) == Decision(False)
    assert not (await NodeAuthorizer(Reader(), 37).rules(user, "erp")).incomplete


async def test_a_node_without_a_name():
    expected = Decision(False, 'unknown node for user "system:node:"')
    assert await decide("GET", "/api/v1/services", user=User("system:node:", (NODES,))) == expected


async def test_a_nodes_rules_cannot_be_listed():
    assert (await NodeAuthorizer(Reader(), 37).rules(NODE, "erp")).incomplete

"""The node authorizer (kubernetes `plugin/pkg/auth/authorizer/node/node_authorizer.go`): for `system:node:NAME` in
group system:nodes only. What it does not narrow down, the rules of the role system:node allow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tiphys.api.admission import Reader
from tiphys.api.request_info import RequestInfo
from tiphys.auth.contract import Decision, UserRules
from tiphys.auth.node.relation import Relation
from tiphys.auth.rbac.policy_file import default_policy
from tiphys.auth.rbac.rule import Rule, compiled
from tiphys.base import field_selector
from tiphys.base.field_error import quoted
from tiphys.base.user import User, node_of

_ALLOWED = Decision(True)
_NO_OPINION = Decision(False)
_NONE = UserRules()
_LEASES = "kube-node-lease"
_SELECTORS_SINCE = 32
"""AuthorizeNodeWithSelectors: a node reads its own Node and its own pods only."""
_ACCOUNTS_SINCE = 34
"""A node may read the service accounts of its pods (KubeletServiceAccountTokenForCredentialProviders)."""

Related = Callable[[str, str, str], Awaitable[bool]]
Special = Callable[[str, RequestInfo], Awaitable[Decision]]


class NodeAuthorizer:
    """Has no opinion of anyone who is no node."""

    def __init__(self, reader: Reader, minor: int) -> None:
        self._minor = minor
        self._relation = Relation(reader)
        self._rules: list[Rule] | None = None
        self._special: dict[tuple[str, str], Special] = {
            ("", "secrets"): self._secret,
            ("", "configmaps"): self._config_map,
            ("", "persistentvolumeclaims"): self._volume_claim,
            ("", "persistentvolumes"): self._volume,
            ("storage.k8s.io", "volumeattachments"): self._attachment,
            ("", "serviceaccounts"): self._service_account,
            ("coordination.k8s.io", "leases"): self._lease,
            ("storage.k8s.io", "csinodes"): self._csi_node,
            ("resource.k8s.io", "resourceclaims"): self._resource_claim,
            ("resource.k8s.io", "resourceslices"): self._resource_slice,
        }
        if minor >= _SELECTORS_SINCE:
            self._special |= {("", "nodes"): self._node, ("", "pods"): self._pod}

    async def decide(self, user: User, info: RequestInfo) -> Decision:
        node = node_of(user)
        if node is None:
            return _NO_OPINION
        if not node:
            return Decision(False, f"unknown node for user {quoted(user.name)}")
        special = self._special.get((info.group, info.resource)) if info.is_resource else None
        if special is not None:
            return await special(node, info)
        return _ALLOWED if any(rule.allows(info) for rule in self._node_rules()) else _NO_OPINION

    async def rules(self, user: User, namespace: str) -> UserRules:
        if node_of(user) is None:
            return _NONE
        return UserRules((), True, ["node authorizer does not support user rule resolution"])

    def _node_rules(self) -> list[Rule]:
        if self._rules is None:
            roles, _ = default_policy(self._minor)
            role = next(role for role in roles if role["metadata"]["name"] == "system:node")
            self._rules = [compiled(rule) for rule in role["rules"]]
        return self._rules

    async def _secret(self, node: str, info: RequestInfo) -> Decision:
        return await self._read(node, info, self._relation.secret)

    async def _config_map(self, node: str, info: RequestInfo) -> Decision:
        return await self._read(node, info, self._relation.config_map)

    async def _read(self, node: str, info: RequestInfo, related: Related) -> Decision:
        """Single objects of a namespace, by get or by a list or watch of one name."""
        if info.verb not in ("get", "list", "watch"):
            return Decision(False, "can only read resources of this type")
        if info.subresource:
            return Decision(False, "cannot read subresource")
        if not info.namespace:
            return Decision(False, "can only read namespaced object of this type")
        return await _related(node, info, related)

    async def _volume_claim(self, node: str, info: RequestInfo) -> Decision:
        if info.subresource != "status":
            return await self._get(node, info, self._relation.volume_claim)
        if info.verb not in ("update", "patch"):
            return Decision(False, "can only get/update/patch this type")
        return await _related(node, info, self._relation.volume_claim)

    async def _volume(self, node: str, info: RequestInfo) -> Decision:
        return await self._get(node, info, self._relation.volume)

    async def _attachment(self, node: str, info: RequestInfo) -> Decision:
        return await self._get(node, info, self._relation.attachment)

    async def _resource_claim(self, node: str, info: RequestInfo) -> Decision:
        return await self._get(node, info, self._relation.resource_claim)

    async def _get(self, node: str, info: RequestInfo, related: Related) -> Decision:
        if info.verb != "get":
            return Decision(False, "can only get individual resources of this type")
        if info.subresource:
            return Decision(False, "cannot get subresource")
        return await _related(node, info, related)

    async def _service_account(self, node: str, info: RequestInfo) -> Decision:
        account = self._relation.service_account
        if not info.subresource and info.verb == "get" and self._minor >= _ACCOUNTS_SINCE:
            return await _related(node, info, account)
        if info.verb != "create" or not info.name:
            return Decision(False, "can only create tokens for individual service accounts")
        if info.subresource != "token":
            return Decision(False, "can only create token subresource of serviceaccount")
        return await _related(node, info, account)

    async def _lease(self, node: str, info: RequestInfo) -> Decision:
        if info.verb not in ("get", "create", "update", "patch", "delete"):
            return Decision(False, "can only get, create, update, patch, or delete a node lease")
        if info.namespace != _LEASES:
            return Decision(False, f"can only access leases in the {quoted(_LEASES)} system namespace")
        if info.verb != "create" and info.name != node:
            return Decision(False, "can only access node lease with the same name as the requesting node")
        return _ALLOWED

    async def _csi_node(self, node: str, info: RequestInfo) -> Decision:
        if info.verb not in ("get", "create", "update", "patch", "delete"):
            return Decision(False, "can only get, create, update, patch, or delete a CSINode")
        if info.subresource:
            return Decision(False, "cannot authorize CSINode subresources")
        if info.verb != "create" and info.name != node:
            return Decision(False, "can only access CSINode with the same name as the requesting node")
        return _ALLOWED

    async def _node(self, node: str, info: RequestInfo) -> Decision:
        """Whose Node is written is for the admission plugin NodeRestriction to see."""
        if info.subresource == "status":
            return _ALLOWED if info.verb in ("update", "patch") else _NO_OPINION
        if info.subresource:
            return _NO_OPINION
        if info.verb in ("create", "update", "patch"):
            return _ALLOWED
        if info.verb not in ("get", "list", "watch"):
            return _NO_OPINION
        if info.name == node:
            return _ALLOWED
        what = f"'{info.name}'" if info.name else "all nodes"
        return Decision(False, f"node '{node}' cannot read {what}, only its own Node object")

    async def _pod(self, node: str, info: RequestInfo) -> Decision:
        if info.subresource:
            allowed = {"status": ("update", "patch"), "eviction": ("create",)}.get(info.subresource, ())
            return _ALLOWED if info.verb in allowed else _NO_OPINION
        if info.verb in ("create", "delete"):
            return _ALLOWED
        if info.verb == "get":
            return await self._get(node, info, self._relation.pod)
        if info.verb not in ("list", "watch"):
            return _NO_OPINION
        if _selects(info, "spec.nodeName", node):
            return _ALLOWED
        if info.name:
            return await _related(node, info, self._relation.pod)
        return Decision(False, "can only list/watch pods with spec.nodeName field selector")

    async def _resource_slice(self, node: str, info: RequestInfo) -> Decision:
        if info.subresource:
            return Decision(False, "cannot authorize ResourceSlice subresources")
        if info.verb == "create":
            return _ALLOWED
        if info.verb in ("get", "update", "patch", "delete"):
            return await _related(node, info, self._relation.slice)
        if info.verb in ("list", "watch", "deletecollection") and _selects(info, "spec.nodeName", node):
            return _ALLOWED
        return Decision(
            False, "can only list/watch/deletecollection resourceslices with spec.nodeName field selector"
        )


async def _related(node: str, info: RequestInfo, related: Related) -> Decision:
    if not info.name:
        return Decision(False, "No Object name found")
    if await related(node, info.namespace, info.name):
        return _ALLOWED
    return Decision(False, f"no relationship found between node '{node}' and this object")


def _selects(info: RequestInfo, field: str, value: str) -> bool:
    """Whether the request is for objects with this value only."""
    try:
        return field_selector.parse(info.field_selector).exact(field) == value
    except ValueError:
        return False

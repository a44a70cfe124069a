"""NodeRestriction: a node changes itself and the pods bound to it, and of these only what a kubelet has to
(kubernetes `plugin/pkg/admission/noderestriction`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tiphys.admission.plugin import CREATE, DELETE, UPDATE, AdmitOnly, Base, refuse
from tiphys.api.admission import Attributes
from tiphys.base.document import Document
from tiphys.base.field_error import quoted
from tiphys.base.status import not_found
from tiphys.base.user import node_of
from tiphys.resource import pod_references

_MIRROR = "kubernetes.io/config.mirror"
_LEASES = "kube-node-lease"
_RESTRICTED = "node-restriction.kubernetes.io"
_KUBELET_LABELS = frozenset(
    (
        "kubernetes.io/hostname", "kubernetes.io/os", "kubernetes.io/arch", "beta.kubernetes.io/os",
        "beta.kubernetes.io/arch", "node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type",
        "topology.kubernetes.io/zone", "topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region",
    )
)  # fmt: skip
_KUBELET_DOMAINS = ("kubelet.kubernetes.io", "node.kubernetes.io")

Check = Callable[[str, Attributes], Awaitable[None]]


class NodeRestriction(AdmitOnly, Base):
    NAME = "NodeRestriction"

    async def admit(self, attributes: Attributes) -> None:
        node = node_of(attributes.user)
        if node is None:
            return
        if not node:
            raise refuse(attributes, f"could not determine node from user {quoted(attributes.user.name)}")
        checks: dict[tuple[str, str], Check] = {
            ("", "pods"): self._pod,
            ("", "nodes"): self._node,
            ("", "persistentvolumeclaims"): self._volume_claim,
            ("", "serviceaccounts"): self._service_account,
            ("coordination.k8s.io", "leases"): self._lease,
            ("storage.k8s.io", "csinodes"): self._csi_node,
        }
        check = checks.get((attributes.group, attributes.resource))
        if check is not None:
            await check(node, attributes)

    async def _pod(self, node: str, attributes: Attributes) -> None:
        subresource = attributes.subresource
        if subresource == "status":
            _pod_status(node, attributes)
        elif subresource == "eviction":
            await self._eviction(node, attributes)
        elif subresource:
            allowed = "only 'status' and 'eviction' are allowed"
            raise refuse(attributes, f"unexpected pod subresource {quoted(subresource)}, {allowed}")
        elif attributes.operation == CREATE:
            await self._mirror_pod(node, attributes, attributes.object or {})
        elif attributes.operation == DELETE:
            pod = await self._existing_pod(attributes, attributes.name)
            if _node_name(pod) != node:
                raise refuse(attributes, f"node {quoted(node)} can only delete pods with spec.nodeName set to itself")
        else:
            which = f"unexpected operation {quoted(attributes.operation)}"
            raise refuse(attributes, f"{which}, node {quoted(node)} can only create and delete mirror pods")

    async def _eviction(self, node: str, attributes: Attributes) -> None:
        if attributes.operation != CREATE:
            raise refuse(attributes, f"unexpected operation {attributes.operation}")
        name = attributes.name or ((attributes.object or {}).get("metadata") or {}).get("name") or ""
        if not name:
            raise refuse(attributes, "could not determine pod from request data")
        if _node_name(await self._existing_pod(attributes, name)) != node:
            raise refuse(attributes, f"node {node} can only evict pods with spec.nodeName set to itself")

    async def _existing_pod(self, attributes: Attributes, name: str) -> Document:
        pod = await self.reader.get("", "pods", attributes.namespace, name)
        if pod is None:
            raise not_found("pods", name)
        return pod

    async def _mirror_pod(self, node: str, attributes: Attributes, pod: Document) -> None:
        """A pod the node runs of its own accord, shown in the API."""
        metadata, who = pod.get("metadata") or {}, f"node {quoted(node)}"
        if _MIRROR not in (metadata.get("annotations") or {}):
            why = f"pod does not have {quoted(_MIRROR)} annotation, {who} can only create mirror pods"
            raise refuse(attributes, why)
        if _node_name(pod) != node:
            raise refuse(attributes, f"{who} can only create pods with spec.nodeName set to itself")
        await self._owner(node, attributes, metadata.get("ownerReferences") or [])
        if (pod.get("spec") or {}).get("serviceAccountName"):
            raise refuse(attributes, f"{who} can not create pods that reference a service account")
        for names, what in (
            (pod_references.secret_names, "secrets"),
            (pod_references.config_map_names, "configmaps"),
            (pod_references.volume_claim_names, "persistentvolumeclaims"),
            (pod_references.resource_claim_names, "resourceclaims"),
        ):
            if names(pod):
                raise refuse(attributes, f"{who} can not create pods that reference {what}")

    async def _owner(self, node: str, attributes: Attributes, owners: list[Document]) -> None:
        who = f"node {quoted(node)}"
        if len(owners) > 1:
            raise refuse(attributes, f"{who} can only create pods with a single owner reference set to itself")
        owner = owners[0] if owners else {}
        if (owner.get("apiVersion"), owner.get("kind"), owner.get("name")) != ("v1", "Node", node):
            raise refuse(attributes, f"{who} can only create pods with an owner reference set to itself")
        if not owner.get("controller"):
            raise refuse(attributes, f"{who} can only create pods with a controller owner reference set to itself")
        if owner.get("blockOwnerDeletion"):
            raise refuse(attributes, f"{who} must not set blockOwnerDeletion on an owner reference")
        found = await self.reader.get("", "nodes", "", node)
        if found is None:
            raise not_found("nodes", node)
        uid, given = found["metadata"].get("uid") or "", owner.get("uid") or ""
        if given != uid:
            raise refuse(attributes, f"node {node} UID mismatch: expected {given} got {uid}")

    async def _node(self, node: str, attributes: Attributes) -> None:
        new = attributes.object or {}
        name = attributes.name or (new.get("metadata") or {}).get("name") or ""
        if name != node:
            raise refuse(attributes, f"node {quoted(node)} is not allowed to modify node {quoted(name)}")
        if attributes.operation == CREATE:
            labels = _forbidden(_labels(new), {})
            if labels:
                raise refuse(
                    attributes, f"node {quoted(node)} is not allowed to set the following labels: {', '.join(labels)}"
                )
        elif attributes.operation == UPDATE:
            old = attributes.old or {}
            if _part(new, "spec").get("taints") != _part(old, "spec").get("taints"):
                raise refuse(attributes, f"node {quoted(node)} is not allowed to modify taints")
            labels = _forbidden(_labels(new), _labels(old))
            if labels:
                raise refuse(attributes, f"is not allowed to modify labels: {', '.join(labels)}")

    async def _volume_claim(self, node: str, attributes: Attributes) -> None:
        if attributes.subresource != "status":
            raise refuse(attributes, "may only update PVC status")
        if attributes.operation != UPDATE:
            raise refuse(attributes, f"unexpected operation {quoted(attributes.operation)}")
        if _without_progress(attributes.object) != _without_progress(attributes.old):
            fields = "fields other than status.capacity and status.conditions"
            raise refuse(attributes, f"node {quoted(node)} is not allowed to update {fields}")

    async def _service_account(self, node: str, attributes: Attributes) -> None:
        if attributes.operation != CREATE or attributes.subresource != "token":
            return
        reference = _part(attributes.object or {}, "spec").get("boundObjectRef") or {}
        if (reference.get("apiVersion"), reference.get("kind")) != ("v1", "Pod") or not reference.get("name"):
            raise refuse(attributes, "node requested token not bound to a pod")
        uid = reference.get("uid")
        if not uid:
            raise refuse(attributes, "node requested token with a pod binding without a uid")
        pod = await self._existing_pod(attributes, reference["name"])
        found = pod["metadata"].get("uid") or ""
        if uid != found:
            why = f"the UID in the bound object reference ({uid}) does not match the UID in record ({found}). "
            raise refuse(attributes, f"{why}The object might have been deleted and then recreated")
        if _node_name(pod) != node:
            raise refuse(attributes, "node requested token bound to a pod scheduled on a different node")

    async def _lease(self, node: str, attributes: Attributes) -> None:
        if attributes.namespace != _LEASES:
            raise refuse(attributes, f"can only access leases in the {quoted(_LEASES)} system namespace")
        _named_as(node, attributes, "can only access node lease with the same name as the requesting node")

    async def _csi_node(self, node: str, attributes: Attributes) -> None:
        _named_as(node, attributes, "can only access CSINode with the same name as the requesting node")


def _pod_status(node: str, attributes: Attributes) -> None:
    if attributes.operation != UPDATE:
        raise refuse(attributes, f"unexpected operation {quoted(attributes.operation)}")
    new, old, who = attributes.object or {}, attributes.old or {}, f"node {quoted(node)}"
    if _node_name(old) != node:
        raise refuse(attributes, f"{who} can only update pod status for pods with spec.nodeName set to itself")
    if _labels(new) != _labels(old):
        raise refuse(attributes, f"{who} cannot update labels through pod status")


def _named_as(node: str, attributes: Attributes, why: str) -> None:
    name = attributes.name
    if attributes.operation == CREATE:
        name = _part(attributes.object or {}, "metadata").get("name") or ""
    if name != node:
        raise refuse(attributes, why)


def _part(document: Document, name: str) -> Document:
    found: Document = document.get(name) or {}
    return found


def _node_name(pod: Document) -> str:
    return _part(pod, "spec").get("nodeName") or ""


def _labels(document: Document) -> dict[str, str]:
    found: dict[str, str] = _part(document, "metadata").get("labels") or {}
    return found


def _forbidden(new: dict[str, str], old: dict[str, str]) -> list[str]:
    """Labels that differ and are not a kubelet's to set (getForbiddenLabels)."""
    changed = {key for key in {*new, *old} if new.get(key) != old.get(key)}
    return sorted(key for key in changed if _is_restricted(key))


def _is_restricted(label: str) -> bool:
    domain = label.rpartition("/")[0]
    if _within(domain, _RESTRICTED):
        return True
    if not (_within(domain, "kubernetes.io") or _within(domain, "k8s.io")):
        return False
    return label not in _KUBELET_LABELS and not any(_within(domain, kubelets) for kubelets in _KUBELET_DOMAINS)


def _within(domain: str, parent: str) -> bool:
    return domain == parent or domain.endswith(f".{parent}")


def _without_progress(claim: Document | None) -> Document:
    """The claim without what a kubelet says of its volume's growth."""
    document = claim or {}
    dropped = ("resourceVersion", "managedFields")
    metadata = {key: value for key, value in _part(document, "metadata").items() if key not in dropped}
    hidden = ("capacity", "conditions", "allocatedResources", "allocatedResourceStatuses")
    status = {key: value for key, value in _part(document, "status").items() if key not in hidden}
    return {**document, "metadata": metadata, "status": status}


PLUGIN = NodeRestriction

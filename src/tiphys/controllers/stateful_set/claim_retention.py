"""Whose the claims are, by persistentVolumeClaimRetentionPolicy (`statefulset/stateful_set_utils.go`).

A claim to be deleted with the set is owned by the set; one to be deleted with a pod that is scaled away is owned by
that pod, from when it is condemned. Garbage collection does the rest.
"""

from __future__ import annotations

from tiphys.base.document import Document
from tiphys.controllers.controller_reference import ResourceKind, controller_reference
from tiphys.controllers.stateful_set.identity import KIND, ordinal_of, ordinals

POD = ResourceKind("v1", "Pod", "pods")
SINCE = 27
"""The first minor where this is on by default (StatefulSetAutoDeletePVC)."""
DELETE = "Delete"


def deletes_when(stateful_set: Document, when: str) -> bool:
    """`when` is whenDeleted or whenScaled."""
    policy = stateful_set["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    return policy.get(when) == DELETE


def has_stale_owner(claim: Document, owner: Document, kind: ResourceKind) -> bool:
    """Whether it belongs to an earlier object of the owner's name (hasStaleOwnerRef)."""
    for reference in _references(claim):
        if _means(reference, owner, kind):
            return bool(reference.get("uid") != owner["metadata"].get("uid"))
    return False


def has_unexpected_controller(claim: Document, stateful_set: Document, pod: Document) -> bool:
    """Whether it is in the hands of somebody else, and there is a policy that this keeps from acting."""
    if not deletes_when(stateful_set, "whenDeleted") and not deletes_when(stateful_set, "whenScaled"):
        return False
    for reference in _references(claim):
        ours = next((o for o, kind in ((stateful_set, KIND), (pod, POD)) if _means(reference, o, kind)), None)
        if ours is not None and reference.get("uid") != ours["metadata"].get("uid"):
            return True
        if ours is None and reference.get("controller"):
            return True
    return False


def is_up_to_date(claim: Document, stateful_set: Document, pod: Document, minor: int) -> bool:
    """Whether its owners are as the policy has them, or not for us to change (isClaimOwnerUpToDate)."""
    if has_stale_owner(claim, stateful_set, KIND) or has_stale_owner(claim, pod, POD):
        return True
    of_set, of_pod = _owned_by(claim, stateful_set), _owned_by(claim, pod)
    if has_unexpected_controller(claim, stateful_set, pod):
        return not of_set and not of_pod
    if _owned_without_control(claim, stateful_set, pod):
        return False
    return (of_set, of_pod) == _wanted(stateful_set, pod, minor)


def with_owners(claim: Document, stateful_set: Document, pod: Document, minor: int) -> Document:
    """The claim as the policy has it; with another's controller on it, neither set nor pod own it."""
    kept = [r for r in _references(claim) if not _means(r, stateful_set, KIND) and not _means(r, pod, POD)]
    if not has_unexpected_controller(claim, stateful_set, pod):
        of_set, of_pod = _wanted(stateful_set, pod, minor)
        kept += [controller_reference(stateful_set, KIND)] if of_set else []
        kept += [controller_reference(pod, POD)] if of_pod else []
    return {**claim, "metadata": {**claim["metadata"], "ownerReferences": kept}}


def _wanted(stateful_set: Document, pod: Document, minor: int) -> tuple[bool, bool]:
    """Whether the set and whether the pod should own the claim."""
    on_delete, on_scale = deletes_when(stateful_set, "whenDeleted"), deletes_when(stateful_set, "whenScaled")
    scaled_away = ordinal_of(pod) not in ordinals(stateful_set, minor)
    of_pod = on_scale and scaled_away
    return on_delete and not of_pod, of_pod


def _references(claim: Document) -> list[Document]:
    return list(claim["metadata"].get("ownerReferences") or ())


def _means(reference: Document, owner: Document, kind: ResourceKind) -> bool:
    """By kind and name; the uid may be another's."""
    found = (reference.get("apiVersion"), reference.get("kind"), reference.get("name"))
    return found == (kind.api_version, kind.kind, owner["metadata"]["name"])


def _owned_by(claim: Document, owner: Document) -> bool:
    uid = owner["metadata"].get("uid")
    return any(reference.get("uid") == uid for reference in _references(claim))


def _owned_without_control(claim: Document, stateful_set: Document, pod: Document) -> bool:
    uids = {stateful_set["metadata"].get("uid"), pod["metadata"].get("uid")}
    return any(r.get("uid") in uids and not r.get("controller") for r in _references(claim))

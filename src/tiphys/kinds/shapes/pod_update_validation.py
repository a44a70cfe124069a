"""What may change of a pod once it is made (ValidatePodUpdate, ValidatePodStatusUpdate)."""

from __future__ import annotations

from typing import Any

from tiphys.base.document import Document
from tiphys.base.field_error import forbidden_field, invalid_value, required
from tiphys.base.name_rules import in_range
from tiphys.kinds.shapes import go_syntax
from tiphys.kinds.shapes.field_checks import MAX_INT32, Errors, clone, same
from tiphys.kinds.shapes.spec_diff import spec_diff
from tiphys.kinds.shapes.toleration_validation import only_added_tolerations

_LISTS = ("containers", "initContainers")
_UPDATABLE = (
    "`spec.containers[*].image`",
    "`spec.initContainers[*].image`",
    "`spec.activeDeadlineSeconds`",
    "`spec.tolerations` (only additions to existing tolerations)",
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
)
"""The same words in every version from 1.25 on."""

REFUSED = f"pod updates may not change fields other than {','.join(_UPDATABLE)}"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def validate_spec_update(new: Document, old: Document, minor: int, errors: Errors) -> None:
    """`new` and `old` are the specs; that `new` is sound by itself is checked elsewhere."""
    for field in _LISTS:
        if not _images(new.get(field) or [], old.get(field) or [], f"spec.{field}", errors):
            return
    if not _deadline(new.get("activeDeadlineSeconds"), old.get("activeDeadlineSeconds"), errors):
        return
    only_added_tolerations(new.get("tolerations") or [], old.get("tolerations") or [], "spec.tolerations", errors)
    _only_deleted_gates(new.get("schedulingGates") or [], old.get("schedulingGates") or [], errors)
    if same(new, old):
        return
    munged = _without_allowed_changes(new, old)
    if old.get("schedulingGates"):
        _gated(munged, old, minor, errors)
    if not same(munged, old):
        errors.append(forbidden_field("spec", f"{REFUSED}\n{spec_diff(old, munged)}"))


def _images(new: list[Document], old: list[Document], path: str, errors: Errors) -> bool:
    """False if containers came or went, when the rest cannot be compared."""
    if len(new) != len(old):
        errors.append(forbidden_field(path, "pod updates may not add or remove containers"))
        return False
    for index, container in enumerate(new):
        image = container.get("image") or ""
        if not image:
            errors.append(required(f"{path}[{index}].image"))
        if image != image.strip():
            words = "must not have leading or trailing whitespace"
            errors.append(invalid_value(f"{path}[{index}].image", image, words))
    return True


def _deadline(new: int | None, old: int | None, errors: Errors) -> bool:
    path = "spec.activeDeadlineSeconds"
    if new is None:
        if old is not None:
            words = "must not update from a positive integer to nil value"
            errors.append(invalid_value(path, None, words))
        return True
    if not 0 <= new <= MAX_INT32:
        errors.append(invalid_value(path, new, in_range(0, MAX_INT32)))
        return False
    if old is not None and old < new:
        errors.append(invalid_value(path, new, "must be less than or equal to previous value"))
        return False
    return True


def _only_deleted_gates(new: list[Document], old: list[Document], errors: Errors) -> None:
    had = {gate.get("name") for gate in old}
    for index, gate in enumerate(new):
        if gate.get("name") not in had:
            words = f"only deletion is allowed, but found new scheduling gate '{gate.get('name') or ''}'"
            errors.append(forbidden_field(f"spec.schedulingGates[{index}].name", words))


def _without_allowed_changes(new: Document, old: Document) -> Document:
    """The new spec with what may change set back to what it was."""
    munged = clone(new)
    for field in _LISTS:
        for container, before in zip(munged.get(field) or (), old.get(field) or (), strict=True):
            container["image"] = before.get("image")
    for field in ("activeDeadlineSeconds", "tolerations", "schedulingGates"):
        munged[field] = old.get(field)
    grace = old.get("terminationGracePeriodSeconds")
    if grace is not None and grace < 0 and munged.get("terminationGracePeriodSeconds") == 1:
        munged["terminationGracePeriodSeconds"] = grace
    return munged


def _gated(munged: Document, old: Document, minor: int, errors: Errors) -> None:
    """A pod still held back by gates may be narrowed to fewer nodes."""
    new_labels, old_labels = munged.get("nodeSelector") or {}, old.get("nodeSelector") or {}
    if any(new_labels.get(key) != value for key, value in old_labels.items()):
        words = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
        errors.append(invalid_value("spec.nodeSelector", go_syntax.string_map(new_labels, minor), words))
    munged["nodeSelector"] = old.get("nodeSelector")
    before = (old.get("affinity") or {}).get("nodeAffinity")
    after = (munged.get("affinity") or {}).get("nodeAffinity")
    if not same(before, after):
        _narrowed_affinity(after or {}, before or {}, errors)
        munged["affinity"] = {**(munged.get("affinity") or {}), "nodeAffinity": before}


def _narrowed_affinity(new: Document, old: Document, errors: Errors) -> None:
    path = f"spec.affinity.nodeAffinity.{_REQUIRED}.nodeSelectorTerms"
    old_terms = (old.get(_REQUIRED) or {}).get("nodeSelectorTerms") or []
    new_terms = (new.get(_REQUIRED) or {}).get("nodeSelectorTerms") or []
    if old_terms and len(old_terms) != len(new_terms):
        words = "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
        errors.append(invalid_value(path, new_terms, words))
        return
    for index, (before, after) in enumerate(zip(old_terms, new_terms, strict=False)):
        if not _only_adds(after, before):
            words = "only additions are allowed (no mutations or deletions)"
            errors.append(invalid_value(f"{path}[{index}]", after, words))


def _only_adds(new: Document, old: Document) -> bool:
    fields = ("matchExpressions", "matchFields")
    if not any(old.get(field) for field in fields):
        return not any(new.get(field) for field in fields)
    return all(same((new.get(field) or [])[: len(old.get(field) or [])], old.get(field) or []) for field in fields)


def validate_status_update(new: Document, old: Document, errors: Errors) -> None:
    """Of whole pods: containers that ended for good stay ended, QoS stays what it was."""
    after, before = new.get("status") or {}, old.get("status") or {}
    spec = old.get("spec") or {}
    if after.get("qosClass") != before.get("qosClass"):
        errors.append(invalid_value("status.qosClass", after.get("qosClass") or "", "field is immutable"))
    policy = spec.get("restartPolicy") or ""
    sidecars = {c.get("name") for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"}
    _transitions(after, before, "containerStatuses", policy, set(), errors)
    _transitions(after, before, "initContainerStatuses", policy, sidecars, errors)
    _transitions(after, before, "ephemeralContainerStatuses", "Never", set(), errors)


def _transitions(after: Document, before: Document, field: str, policy: str, free: set[Any], errors: Errors) -> None:
    """ValidateContainerStateTransition; `free` are containers that may always start again."""
    if policy == "Always":
        return
    current = {status.get("name"): status.get("state") or {} for status in after.get(field) or ()}
    for index, status in enumerate(before.get(field) or ()):
        ended = (status.get("state") or {}).get("terminated")
        name = status.get("name")
        if ended is None or name in free or (ended.get("exitCode") and policy == "OnFailure"):
            continue
        if name in current and current[name].get("terminated") is None:
            words = "may not be transitioned to non-terminated state"
            errors.append(forbidden_field(f"status.{field}[{index}].state", words))

"""PersistentVolumeClaim: a pod's wish for storage.

From upstream's `pkg/registry/core/persistentvolumeclaim`, `ValidatePersistentVolumeClaim` and
`printPersistentVolumeClaim`. Upstream's message for a changed spec goes on with a diff, ours does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tiphys.api.kind import STATUS, Column, Context, Kind
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, forbidden_field, invalid_value, required, unsupported
from tiphys.base.name_rules import dns1123_subdomain
from tiphys.base.quantity import ZERO
from tiphys.kinds.core.access_mode import access_mode_errors, access_modes
from tiphys.kinds.shapes.columns import AGE, at, text
from tiphys.kinds.shapes.field_checks import clone, same
from tiphys.kinds.shapes.label_selector_validation import label_selector
from tiphys.kinds.shapes.part import part
from tiphys.kinds.shapes.resource_list import (
    NOT_POSITIVE,
    default_resource_list,
    quantities,
    quantity_errors,
)

CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
VOLUME_MODES = ("Block", "Filesystem")
_ATTRIBUTES_SINCE = 29
_SHRINK_SINCE = 32
"""Since when a claim may shrink back to its capacity after a failed expansion (RecoverVolumeExpansionFailure)."""


def default(document: Document, context: Context) -> None:
    spec = part(document, "spec")
    default_claim_spec(spec)
    status = part(document, "status")
    status["phase"] = status.get("phase") or "Pending"
    default_resource_list(status, "capacity")
    default_resource_list(status, "allocatedResources")


def default_claim_spec(spec: Document) -> None:
    """Also for claim templates (SetDefaults_PersistentVolumeClaimSpec)."""
    spec["volumeMode"] = spec.get("volumeMode") or "Filesystem"
    resources = part(spec, "resources")
    default_resource_list(resources, "requests")
    default_resource_list(resources, "limits")


def prepare_create(document: Document, context: Context) -> None:
    """Pending; `dataSource` and `dataSourceRef` follow from each other (NormalizeDataSources)."""
    document["status"] = {"phase": "Pending"}
    spec = part(document, "spec")
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source and not reference:
        spec["dataSourceRef"] = dict(source)
    elif reference and not source and not reference.get("namespace"):
        spec["dataSource"] = dict(reference)


def validate(document: Document, context: Context) -> Sequence[FieldError]:
    return claim_spec_errors(document.get("spec") or {}, "spec")


def claim_spec_errors(spec: Document, path: str) -> list[FieldError]:
    """Also for claim templates (ValidatePersistentVolumeClaimSpec)."""
    modes = spec.get("accessModes") or []
    errors = [] if modes else [required(f"{path}.accessModes", "at least 1 access mode is required")]
    label_selector(spec.get("selector"), f"{path}.selector", errors)
    errors += access_mode_errors(modes, f"{path}.accessModes")
    errors += _storage_errors(spec, f"{path}.resources[storage]")
    class_name = spec.get("storageClassName")
    if class_name:
        details = dns1123_subdomain(class_name)
        errors += [invalid_value(f"{path}.storageClassName", class_name, detail) for detail in details]
    mode = spec.get("volumeMode")
    if mode is not None and mode not in VOLUME_MODES:
        errors.append(unsupported(f"{path}.volumeMode", mode, VOLUME_MODES))
    for field in ("dataSource", "dataSourceRef"):
        errors += _source_errors(spec.get(field), f"{path}.{field}")
    return errors


def _storage_errors(spec: Document, path: str) -> list[FieldError]:
    wanted = quantities((spec.get("resources") or {}).get("requests")).get("storage")
    if wanted is None:
        return [required(path)]
    if wanted <= ZERO:
        return [invalid_value(path, str(wanted), NOT_POSITIVE)]
    return quantity_errors("storage", wanted, path)


def _source_errors(source: Document | None, path: str) -> list[FieldError]:
    if not source:
        return []
    errors = [required(f"{path}.{field}") for field in ("name", "kind") if not source.get(field)]
    if not source.get("apiGroup") and source.get("kind") != "PersistentVolumeClaim":
        detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
        errors.append(invalid_value(path, source.get("kind") or "", detail))
    return errors


def validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    """Nothing but the volume's name, once, and of a bound claim the size and the attributes class."""
    errors = list(validate(new, context))
    spec, before = clone(new.get("spec") or {}), clone(old.get("spec") or {})
    if not before.get("volumeName"):
        before["volumeName"] = spec.get("volumeName")
    size = quantities(_requests(spec)).get("storage", ZERO)
    old_size = quantities(_requests(before)).get("storage", ZERO)
    bound = at(new, "status.phase") == "Bound"
    if bound:
        part(spec, "resources")["requests"] = _requests(before)
        spec["volumeAttributesClassName"] = before.get("volumeAttributesClassName")
    if not same(spec, before):
        what = "resources.requests"
        if context.minor >= _ATTRIBUTES_SINCE:
            what += " and volumeAttributesClassName"
        errors.append(forbidden_field("spec", f"spec is immutable after creation except {what} for bound claims"))
    if size < old_size:
        errors += _shrink_errors(size, old, context.minor)
    if (spec.get("volumeMode") or None) != (before.get("volumeMode") or None):
        errors.append(invalid_value("volumeMode", spec.get("volumeMode"), "field is immutable"))
    return errors


def _requests(spec: Document) -> dict[str, Any]:
    return dict((spec.get("resources") or {}).get("requests") or {})


def _shrink_errors(size: Any, old: Document, minor: int) -> list[FieldError]:
    path = "spec.resources.requests.storage"
    if minor < _SHRINK_SINCE:
        return [forbidden_field(path, "field can not be less than previous value")]
    if size > quantities(at(old, "status.capacity")).get("storage", ZERO):
        return []
    return [forbidden_field(path, "field can not be less than status.capacity")]


def validate_status(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    errors: list[FieldError] = []
    for name, quantity in quantities(at(new, "status.capacity")).items():
        if quantity < ZERO:
            path, detail = f"status.capacity[{name}]", "must be a valid resource quantity"
            errors.append(invalid_value(path, quantity.value, detail))
    return errors


def fields(document: Document) -> dict[str, str]:
    """`name` beside metadata.name is upstream's slip, kept for its clients."""
    return {"name": (document.get("metadata") or {}).get("name") or ""}


def storage_class(document: Document, now: float) -> str:
    """By the old annotation or the field (GetPersistentVolumeClaimClass)."""
    annotations = at(document, "metadata.annotations") or {}
    return str(annotations.get(CLASS_ANNOTATION) or at(document, "spec.storageClassName") or "")


def phase(document: Document, now: float) -> str:
    return "Terminating" if at(document, "metadata.deletionTimestamp") else str(at(document, "status.phase") or "")


def _of_bound(document: Document, value: Any) -> Any:
    return value if at(document, "spec.volumeName") else ""


_MODES = access_modes("status.accessModes")

KIND = Kind(
    kind="PersistentVolumeClaim",
    plural="persistentvolumeclaims",
    short_names=("pvc",),
    subresources=(STATUS,),
    columns=(
        Column("Status", phase),
        Column("Volume", text("spec.volumeName")),
        Column(
            "Capacity",
            lambda document, now: _of_bound(document, (at(document, "status.capacity") or {}).get("storage", "0")),
        ),
        Column("Access Modes", lambda document, now: _of_bound(document, _MODES(document, now))),
        Column("StorageClass", storage_class, description="StorageClass of the pvc"),
        Column(
            "VolumeAttributesClass",
            text("spec.volumeAttributesClassName", "<unset>"),
            description="VolumeAttributesClass of the pvc",
            since=_ATTRIBUTES_SINCE,
        ),
        AGE,
        Column("VolumeMode", text("spec.volumeMode", "<unset>"), priority=1),
    ),
    has_generation=False,
    default=default,
    prepare_create=prepare_create,
    validate=validate,
    validate_update=validate_update,
    validate_status=validate_status,
    fields=fields,
    returns_object_on_delete=True,
)

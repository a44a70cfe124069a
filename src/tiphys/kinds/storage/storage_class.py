"""StorageClass: how volumes are made for claims that name it."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.api.kind import Column, Context, Kind
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, forbidden_field, invalid_value, required, unsupported
from tiphys.base.name_rules import label_key
from tiphys.kinds.shapes.columns import AGE, at, boolean, text

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
OLD_DEFAULT_CLASS = "storageclass.beta.kubernetes.io/is-default-class"
_RECLAIM_POLICIES = ("Delete", "Retain")
_BINDING_MODES = ("Immediate", "WaitForFirstConsumer")


def default(document: Document, context: Context) -> None:
    document["reclaimPolicy"] = document.get("reclaimPolicy") or "Delete"
    document["volumeBindingMode"] = document.get("volumeBindingMode") or "Immediate"


def validate(document: Document, context: Context) -> Sequence[FieldError]:
    """Upstream's `ValidateStorageClass`, without its checks of parameters and topologies."""
    provisioner = document.get("provisioner") or ""
    if not provisioner:
        errors = [required("provisioner")]
    else:
        errors = [invalid_value("provisioner", provisioner, detail) for detail in label_key(provisioner.lower())]
    policy, mode = document.get("reclaimPolicy"), document.get("volumeBindingMode")
    if policy and policy not in _RECLAIM_POLICIES:
        errors.append(unsupported("reclaimPolicy", policy, _RECLAIM_POLICIES))
    if mode and mode not in _BINDING_MODES:
        errors.append(unsupported("volumeBindingMode", mode, _BINDING_MODES))
    return errors


def validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    """What a class says of volumes is said for good (ValidateStorageClassUpdate)."""
    fixed = ("parameters", "provisioner", "reclaimPolicy")
    changed = [name for name in fixed if (new.get(name) or None) != (old.get(name) or None)]
    errors = [forbidden_field(name, f"updates to {name} are forbidden.") for name in changed]
    if new.get("volumeBindingMode") != old.get("volumeBindingMode"):
        errors.append(invalid_value("volumeBindingMode", new.get("volumeBindingMode"), "field is immutable"))
    return errors


def _name(document: Document, now: float) -> str:
    annotations = at(document, "metadata.annotations") or {}
    chosen = "true" in (annotations.get(DEFAULT_CLASS), annotations.get(OLD_DEFAULT_CLASS))
    return f"{at(document, 'metadata.name') or ''}{' (default)' if chosen else ''}"


KIND = Kind(
    group="storage.k8s.io",
    kind="StorageClass",
    plural="storageclasses",
    namespaced=False,
    short_names=("sc",),
    columns=(
        Column("Name", _name, format="name"),
        Column("Provisioner", text("provisioner")),
        Column("ReclaimPolicy", text("reclaimPolicy", "Delete")),
        Column("VolumeBindingMode", text("volumeBindingMode", "Immediate")),
        Column("AllowVolumeExpansion", boolean("allowVolumeExpansion")),
        AGE,
    ),
    has_generation=False,
    default=default,
    validate=validate,
    validate_update=validate_update,
    returns_object_on_delete=True,
)

"""PersistentVolume: a piece of storage in the cluster (upstream's `ValidatePersistentVolume`)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.api.kind import STATUS, Column, Context, Kind
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, forbidden_field, invalid_value, required, unsupported
from tiphys.base.name_rules import dns1123_subdomain
from tiphys.base.quantity import ZERO
from tiphys.kinds.core.access_mode import access_mode_errors, access_modes
from tiphys.kinds.core.persistent_volume_claim import VOLUME_MODES, fields, phase, storage_class
from tiphys.kinds.shapes.columns import AGE, at, text
from tiphys.kinds.shapes.field_checks import same
from tiphys.kinds.shapes.part import part
from tiphys.kinds.shapes.resource_list import NOT_POSITIVE, default_resource_list, quantities

RECLAIM_POLICIES = ("Delete", "Recycle", "Retain")
_ATTRIBUTES_SINCE = 29
_SOURCES = (
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "flocker",
    "nfs",
    "rbd",
    "quobyte",
    "cephfs",
    "iscsi",
    "cinder",
    "fc",
    "flexVolume",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "scaleIO",
    "local",
    "storageos",
    "csi",
)


def default(document: Document, context: Context) -> None:
    spec = part(document, "spec")
    spec["persistentVolumeReclaimPolicy"] = spec.get("persistentVolumeReclaimPolicy") or "Retain"
    spec["volumeMode"] = spec.get("volumeMode") or "Filesystem"
    default_resource_list(spec, "capacity")
    host_path = spec.get("hostPath")
    if isinstance(host_path, dict):
        host_path.setdefault("type", "")
    status = part(document, "status")
    status["phase"] = status.get("phase") or "Pending"


def prepare_create(document: Document, context: Context) -> None:
    document["status"] = {"phase": "Pending"}


def validate(document: Document, context: Context) -> Sequence[FieldError]:
    spec = document.get("spec") or {}
    modes = spec.get("accessModes") or []
    errors = [] if modes else [required("spec.accessModes")]
    errors += access_mode_errors(modes, "spec.accessModes")
    errors += _capacity_errors(spec.get("capacity") or {})
    policy = spec.get("persistentVolumeReclaimPolicy")
    if policy and policy not in RECLAIM_POLICIES:
        errors.append(unsupported("spec.persistentVolumeReclaimPolicy", policy, RECLAIM_POLICIES))
    errors += _source_errors(spec)
    class_name = spec.get("storageClassName") or ""
    if class_name:
        errors += [invalid_value("spec.storageClassName", class_name, d) for d in dns1123_subdomain(class_name)]
    mode = spec.get("volumeMode")
    if mode is not None and mode not in VOLUME_MODES:
        errors.append(unsupported("spec.volumeMode", mode, VOLUME_MODES))
    return errors


def _capacity_errors(capacity: Document) -> list[FieldError]:
    errors = [] if capacity else [required("spec.capacity")]
    if set(capacity) != {"storage"}:
        errors.append(unsupported("spec.capacity", capacity, ["storage"]))
    for name, quantity in quantities(capacity).items():
        path = f"spec.capacity[{name}]"
        if quantity < ZERO:
            errors.append(invalid_value(path, quantity.value, "must be a valid resource quantity"))
        if quantity <= ZERO:
            errors.append(invalid_value(path, str(quantity), NOT_POSITIVE))
    return errors


def _source_errors(spec: Document) -> list[FieldError]:
    """Exactly one kind of storage behind it."""
    found = [name for name in _SOURCES if spec.get(name) is not None]
    if not found:
        return [required("spec", "must specify a volume type")]
    return [forbidden_field(f"spec.{name}", "may not specify more than 1 volume type") for name in found[1:]]


def validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    errors = list(validate(new, context))
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    if not same({name: spec.get(name) for name in _SOURCES}, {name: before.get(name) for name in _SOURCES}):
        detail = "spec.persistentvolumesource is immutable after creation"
        errors.append(forbidden_field("spec.persistentvolumesource", detail))
    if not same(spec.get("volumeMode"), before.get("volumeMode")):
        errors.append(invalid_value("volumeMode", spec.get("volumeMode"), "field is immutable"))
    if before.get("nodeAffinity") and not same(spec.get("nodeAffinity"), before["nodeAffinity"]):
        errors.append(invalid_value("nodeAffinity", spec.get("nodeAffinity"), "field is immutable"))
    return errors


def _claim(document: Document, now: float) -> str:
    claim = at(document, "spec.claimRef")
    return f"{claim.get('namespace') or ''}/{claim.get('name') or ''}" if claim else ""


KIND = Kind(
    kind="PersistentVolume",
    plural="persistentvolumes",
    namespaced=False,
    short_names=("pv",),
    subresources=(STATUS,),
    columns=(
        Column("Capacity", lambda document, now: (at(document, "spec.capacity") or {}).get("storage", "0")),
        Column("Access Modes", access_modes("spec.accessModes")),
        Column("Reclaim Policy", text("spec.persistentVolumeReclaimPolicy")),
        Column("Status", phase),
        Column("Claim", _claim),
        Column("StorageClass", storage_class, description="StorageClass of the pv"),
        Column(
            "VolumeAttributesClass",
            text("spec.volumeAttributesClassName", "<unset>"),
            description="VolumeAttributesClass of the pv",
            since=_ATTRIBUTES_SINCE,
        ),
        Column("Reason", text("status.reason")),
        AGE,
        Column("VolumeMode", text("spec.volumeMode", "<unset>"), priority=1),
    ),
    has_generation=False,
    default=default,
    prepare_create=prepare_create,
    validate=validate,
    validate_update=validate_update,
    fields=fields,
    returns_object_on_delete=True,
)

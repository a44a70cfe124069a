"""Namespace: where the names of other objects live; deleting one goes by way of the phase Terminating.

From upstream's `pkg/registry/core/namespace` and `pkg/apis/core/v1/defaults.go`.
"""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.api.kind import STATUS, Column, Context, Kind, Subresource
from tiphys.base.document import Document, metadata
from tiphys.base.field_error import FieldError, invalid_value
from tiphys.base.name_rules import as_name, dns1123_label, label_key
from tiphys.kinds.shapes.columns import AGE, text
from tiphys.kinds.shapes.part import part

NAME_LABEL = "kubernetes.io/metadata.name"
FINALIZER = "kubernetes"
_STANDARD_FINALIZERS = {FINALIZER, "orphan", "foregroundDeletion"}


def default(document: Document, context: Context) -> None:
    """Active, and labelled with its own name once it has one (SetDefaults_Namespace, NamespaceStatus)."""
    _label(document)
    part(document, "spec")
    status = part(document, "status")
    status["phase"] = status.get("phase") or "Active"


def prepare_create(document: Document, context: Context) -> None:
    """Active, and held by the namespace controller's finalizer, whatever the body says."""
    _label(document)
    document["status"] = {"phase": "Active"}
    finalizers = part(document, "spec").get("finalizers") or []
    if FINALIZER not in finalizers:
        document["spec"]["finalizers"] = [*finalizers, FINALIZER]


def _label(document: Document) -> None:
    meta = metadata(document)
    if meta.get("name"):
        meta["labels"] = {**(meta.get("labels") or {}), NAME_LABEL: meta["name"]}


def prepare_update(new: Document, old: Document, context: Context) -> None:
    """Finalizers of the spec change by the finalize subresource only."""
    spec = new["spec"] = dict(new.get("spec") or {})
    spec.pop("finalizers", None)
    if finalizers := (old.get("spec") or {}).get("finalizers"):
        spec["finalizers"] = list(finalizers)


def validate(document: Document, context: Context) -> Sequence[FieldError]:
    errors: list[FieldError] = []
    for name in (document.get("spec") or {}).get("finalizers") or ():
        errors += finalizer_errors(name, "spec.finalizers")
    return errors


def validate_finalize(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    """For a write to /finalize (ValidateNamespaceFinalizeUpdate)."""
    errors: list[FieldError] = []
    for index, name in enumerate((new.get("spec") or {}).get("finalizers") or ()):
        errors += finalizer_errors(name, f"spec.finalizers[{index}]")
    return errors


def finalizer_errors(name: str, path: str) -> list[FieldError]:
    """Qualified, and if without a domain then one of Kubernetes' own (validateFinalizerName)."""
    errors = [invalid_value(path, name, detail) for detail in label_key(name)]
    if "/" not in name and name not in _STANDARD_FINALIZERS:
        detail = "name is neither a standard finalizer name nor is it fully qualified"
        errors.append(invalid_value(path, name, detail))
    return errors


def validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    return validate(new, context)


def validate_status(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    """The phase follows from the deletion timestamp (ValidateNamespaceStatusUpdate)."""
    phase = (new.get("status") or {}).get("phase") or ""
    deleted = bool((new.get("metadata") or {}).get("deletionTimestamp"))
    if deleted and phase != "Terminating":
        detail = "may only be 'Terminating' if `deletionTimestamp` is not empty"
        return [invalid_value("status.Phase", phase, detail)]
    if not deleted and phase != "Active":
        return [invalid_value("status.Phase", phase, "may only be 'Active' if `deletionTimestamp` is empty")]
    return []


def fields(document: Document) -> dict[str, str]:
    name = (document.get("metadata") or {}).get("name") or ""
    return {"status.phase": (document.get("status") or {}).get("phase") or "", "name": name}


KIND = Kind(
    kind="Namespace",
    plural="namespaces",
    namespaced=False,
    short_names=("ns",),
    verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    subresources=(STATUS, Subresource("finalize", verbs=("update",))),
    columns=(Column("Status", text("status.phase"), description="The status of the namespace"), AGE),
    has_generation=False,
    default=default,
    prepare_create=prepare_create,
    prepare_update=prepare_update,
    validate=validate,
    validate_update=validate_update,
    validate_status=validate_status,
    name_errors=as_name(dns1123_label),
    fields=fields,
    returns_object_on_delete=True,
)

"""ReplicationController, the elder of ReplicaSet, with a plain map for its selector (pkg/registry/core)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.api.kind import SCALE, STATUS, Context, Kind, ScalePaths
from tiphys.base import label_selector as selectors
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, invalid_value, required
from tiphys.kinds.shapes import workload
from tiphys.kinds.shapes.columns import AGE, container_columns, labels, selector_column
from tiphys.kinds.shapes.field_checks import Errors, nonnegative
from tiphys.kinds.shapes.part import part
from tiphys.kinds.shapes.pod_template import (
    always_restarts,
    default_template,
    drop_disabled,
    selects_template,
    validate_template,
)


def _default(controller: Document, context: Context) -> None:
    """The template's labels stand in for a selector and for labels that are not given."""
    spec = part(controller, "spec")
    template = spec.get("template")
    if template is not None:
        default_template(spec, context.minor)
        found = (template.get("metadata") or {}).get("labels")
        if found and not spec.get("selector"):
            spec["selector"] = dict(found)
        metadata = part(controller, "metadata")
        if found and not metadata.get("labels"):
            metadata["labels"] = dict(found)
    if spec.get("replicas") is None:
        spec["replicas"] = 1


def _prepare_create(controller: Document, context: Context) -> None:
    controller["status"] = {"replicas": 0}
    drop_disabled(controller["spec"].get("template"), None, context.minor)


def _prepare_update(new: Document, old: Document, context: Context) -> None:
    drop_disabled(new["spec"].get("template"), old["spec"].get("template"), context.minor)


def _validate(controller: Document, context: Context) -> Sequence[FieldError]:
    errors: Errors = []
    spec = controller.get("spec") or {}
    nonnegative(spec, "minReadySeconds", "spec", errors)
    if not spec.get("selector"):
        errors.append(required("spec.selector"))
    nonnegative(spec, "replicas", "spec", errors)
    template = spec.get("template")
    if template is None:
        errors.append(required("spec.template"))
        return errors
    selects_template(selectors.from_labels(spec.get("selector")), template, "spec.template", context.minor, errors)
    validate_template(template, "spec.template", context, errors)
    if (spec.get("replicas") or 0) > 1:
        _read_only_disks(template, errors)
    always_restarts(template, "spec.template", "ReplicationController", errors)
    return errors


def _read_only_disks(template: Document, errors: Errors) -> None:
    for index, volume in enumerate((template.get("spec") or {}).get("volumes") or ()):
        disk = volume.get("gcePersistentDisk")
        if disk is not None and not disk.get("readOnly"):
            path = f"spec.template.spec.volumes[{index}].gcePersistentDisk.readOnly"
            words = (
                "must be true for replicated pods > 1; GCE PD can only be mounted on multiple machines if it is "
                "read-only"
            )
            errors.append(invalid_value(path, False, words))


def _validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    return _validate(new, context)


KIND = Kind(
    kind="ReplicationController",
    plural="replicationcontrollers",
    short_names=("rc",),
    categories=("all",),
    subresources=(SCALE, STATUS),
    scale=ScalePaths(),
    columns=(
        *workload.REPLICA_COLUMNS,
        AGE,
        *container_columns(),
        selector_column(labels("spec.selector")),
    ),
    default=_default,
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    validate=_validate,
    validate_update=_validate_update,
    validate_status=workload.validate_replica_status,
    fields=workload.replica_fields,
    warnings=workload.template_warnings,
    orphans_by_default=True,
)

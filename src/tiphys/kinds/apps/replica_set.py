"""ReplicaSet (pkg/apis/apps, pkg/registry/apps/replicaset)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.api.kind import SCALE, STATUS, Context, Kind, ScalePaths
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError
from tiphys.kinds.shapes import go_syntax, workload
from tiphys.kinds.shapes.columns import AGE, container_columns, label_selector, selector_column
from tiphys.kinds.shapes.field_checks import Errors, all_nonnegative, immutable
from tiphys.kinds.shapes.part import part
from tiphys.kinds.shapes.pod_template import (
    default_template,
    drop_disabled,
    required_selector,
    validate_replicated_template,
)


def _default(replica_set: Document, context: Context) -> None:
    spec = part(replica_set, "spec")
    default_template(spec, context.minor)
    if spec.get("replicas") is None:
        spec["replicas"] = 1


def _prepare_create(replica_set: Document, context: Context) -> None:
    replica_set["status"] = {"replicas": 0}
    drop_disabled(replica_set["spec"].get("template"), None, context.minor)


def _prepare_update(new: Document, old: Document, context: Context) -> None:
    drop_disabled(new["spec"].get("template"), old["spec"].get("template"), context.minor)


def _validate(replica_set: Document, context: Context) -> Sequence[FieldError]:
    errors: Errors = []
    spec = replica_set.get("spec") or {}
    all_nonnegative(spec, ("replicas", "minReadySeconds"), "spec", errors)
    # upstream says "deployment" here, too
    required_selector(spec, "deployment", context.minor, errors)
    validate_replicated_template(spec, context, errors)
    return errors


def _validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    errors = list(_validate(new, context))
    selector = (new.get("spec") or {}).get("selector")
    shown = go_syntax.label_selector(selector, context.minor)
    immutable(selector, (old.get("spec") or {}).get("selector"), "spec.selector", errors, shown)
    return errors


KIND = Kind(
    group="apps",
    kind="ReplicaSet",
    plural="replicasets",
    short_names=("rs",),
    categories=("all",),
    subresources=(SCALE, STATUS),
    scale=ScalePaths(),
    columns=(
        *workload.REPLICA_COLUMNS,
        AGE,
        *container_columns(),
        selector_column(label_selector("spec.selector")),
    ),
    default=_default,
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    validate=_validate,
    validate_update=_validate_update,
    validate_status=workload.validate_replica_status,
    fields=workload.replica_fields,
    warnings=workload.template_warnings,
)

"""Deployment (pkg/apis/apps, pkg/registry/apps/deployment)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.api.kind import SCALE, STATUS, Column, Context, Kind, ScalePaths
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, forbidden_field, invalid_value, required, unsupported
from tiphys.kinds.shapes import go_syntax, workload
from tiphys.kinds.shapes.columns import AGE, container_columns, integer, label_selector, selector_column
from tiphys.kinds.shapes.field_checks import Errors, all_nonnegative, immutable, nonnegative, not_above, same
from tiphys.kinds.shapes.int_or_percent import amount, at_most_100_percent, positive_int_or_percent
from tiphys.kinds.shapes.part import keep_metadata, part
from tiphys.kinds.shapes.pod_template import (
    default_template,
    drop_disabled,
    required_selector,
    validate_replicated_template,
)

STRATEGIES = ("Recreate", "RollingUpdate")
_COUNTS = (
    "observedGeneration",
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
    "collisionCount",
)


def _default(deployment: Document, context: Context) -> None:
    spec = part(deployment, "spec")
    default_template(spec, context.minor)
    for field, value in (("replicas", 1), ("revisionHistoryLimit", 10), ("progressDeadlineSeconds", 600)):
        if spec.get(field) is None:
            spec[field] = value
    strategy = part(spec, "strategy")
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        if strategy.get("rollingUpdate") is None:
            strategy["rollingUpdate"] = {}
        for field in ("maxSurge", "maxUnavailable"):
            if strategy["rollingUpdate"].get(field) is None:
                strategy["rollingUpdate"][field] = "25%"


def _prepare_create(deployment: Document, context: Context) -> None:
    deployment["status"] = {}
    drop_disabled(deployment["spec"].get("template"), None, context.minor)


def _prepare_update(new: Document, old: Document, context: Context) -> None:
    """Annotations count as a change: they are copied to the replica sets."""
    drop_disabled(new["spec"].get("template"), old["spec"].get("template"), context.minor)
    annotations = new["metadata"].get("annotations"), old["metadata"].get("annotations")
    if not same(new["spec"], old["spec"]) or not same(*annotations):
        new["metadata"]["generation"] = (old["metadata"].get("generation") or 0) + 1


def _prepare_status(new: Document, old: Document, context: Context) -> None:
    """The controller writes its revision annotation with the status; labels stay (deploymentStatusStrategy)."""
    keep_metadata(new, old, "labels")


def _validate_spec(spec: Document, context: Context, errors: Errors) -> None:
    nonnegative(spec, "replicas", "spec", errors)
    required_selector(spec, "deployment", context.minor, errors)
    validate_replicated_template(spec, context, errors)
    _strategy(spec.get("strategy") or {}, context.minor, errors)
    all_nonnegative(spec, ("minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"), "spec", errors)
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and deadline <= (spec.get("minReadySeconds") or 0):
        words = "must be greater than minReadySeconds"
        errors.append(invalid_value("spec.progressDeadlineSeconds", deadline, words))


def _strategy(strategy: Document, minor: int, errors: Errors) -> None:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    if kind == "Recreate":
        if rolling is not None:
            words = "may not be specified when strategy `type` is 'Recreate'"
            errors.append(forbidden_field("spec.strategy.rollingUpdate", words))
    elif kind != "RollingUpdate":
        fields = (("Type", "string", kind), ("RollingUpdate", "*apps.RollingUpdateDeployment", rolling))
        shown = go_syntax.struct("apps.DeploymentStrategy", fields, minor)
        errors.append(unsupported("spec.strategy", shown, STRATEGIES))
    elif rolling is None:
        words = "this should be defaulted and never be nil"
        errors.append(required("spec.strategy.rollingUpdate", words))
    else:
        _rolling_update(rolling, "spec.strategy.rollingUpdate", minor, errors)


def _rolling_update(rolling: Document, path: str, minor: int, errors: Errors) -> None:
    unavailable, surge = rolling.get("maxUnavailable") or 0, rolling.get("maxSurge") or 0
    positive_int_or_percent(unavailable, f"{path}.maxUnavailable", minor, errors)
    positive_int_or_percent(surge, f"{path}.maxSurge", minor, errors)
    if not amount(unavailable) and not amount(surge):
        shown = go_syntax.int_or_string(unavailable, minor)
        errors.append(invalid_value(f"{path}.maxUnavailable", shown, "may not be 0 when `maxSurge` is 0"))
    at_most_100_percent(unavailable, f"{path}.maxUnavailable", minor, errors)


def _validate(deployment: Document, context: Context) -> Sequence[FieldError]:
    errors: Errors = []
    _validate_spec(deployment.get("spec") or {}, context, errors)
    return errors


def _validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    errors: Errors = []
    _validate_spec(new.get("spec") or {}, context, errors)
    selector = (new.get("spec") or {}).get("selector")
    shown = go_syntax.label_selector(selector, context.minor)
    immutable(selector, (old.get("spec") or {}).get("selector"), "spec.selector", errors, shown)
    return errors


def _validate_status(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    errors: Errors = []
    status = new.get("status") or {}
    all_nonnegative(status, _COUNTS, "status", errors)
    not_above(
        status,
        ("updatedReplicas", "readyReplicas", "availableReplicas"),
        "replicas",
        workload.ABOVE,
        "status",
        errors,
    )
    workload.available_of_ready(status, "cannot be greater than readyReplicas", errors)
    workload.collisions_only_grow(new, old, errors)
    return errors


KIND = Kind(
    group="apps",
    kind="Deployment",
    plural="deployments",
    short_names=("deploy",),
    categories=("all",),
    subresources=(SCALE, STATUS),
    scale=ScalePaths(),
    columns=(
        Column("Ready", workload.ready_of_desired, description="Number of the pod with ready state"),
        Column("Up-to-date", integer("status.updatedReplicas")),
        Column("Available", integer("status.availableReplicas")),
        AGE,
        *container_columns(),
        selector_column(label_selector("spec.selector")),
    ),
    default=_default,
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    prepare_status=_prepare_status,
    validate=_validate,
    validate_update=_validate_update,
    validate_status=_validate_status,
    warnings=workload.template_warnings,
)

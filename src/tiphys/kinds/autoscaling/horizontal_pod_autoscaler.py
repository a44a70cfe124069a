"""HorizontalPodAutoscaler, kept as v2 and served as v1, too (pkg/apis/autoscaling)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.api.kind import STATUS, Column, Context, Kind
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, forbidden_field, invalid_value
from tiphys.kinds.shapes.autoscaler_conversion import from_v1, to_v1
from tiphys.kinds.shapes.columns import AGE, at, integer
from tiphys.kinds.shapes.field_checks import Errors, all_nonnegative
from tiphys.kinds.shapes.metric_printing import named_targets, targets
from tiphys.kinds.shapes.metric_validation import validate_behavior, validate_metric, validate_reference
from tiphys.kinds.shapes.part import part

NAMED_TARGETS_SINCE = 30


def _default(autoscaler: Document, context: Context) -> None:
    spec = part(autoscaler, "spec")
    if spec.get("minReplicas") is None:
        spec["minReplicas"] = 1
    if not spec.get("metrics"):
        resource = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
        spec["metrics"] = [{"type": "Resource", "resource": resource}]
    if (behavior := spec.get("behavior")) is not None:
        _default_rules(behavior, "scaleUp", {"stabilizationWindowSeconds": 0}, ("Pods", 4), ("Percent", 100))
        _default_rules(behavior, "scaleDown", {}, ("Percent", 100))


def _default_rules(behavior: Document, direction: str, more: Document, *policies: tuple[str, int]) -> None:
    """Both directions are filled in as soon as one is given (SetDefaults_HorizontalPodAutoscalerBehavior)."""
    rules = behavior.get(direction) or {}
    listed = [{"type": kind, "value": value, "periodSeconds": 15} for kind, value in policies]
    for field, value in {**more, "selectPolicy": "Max", "policies": listed}.items():
        if rules.get(field) is None:
            rules[field] = value
    behavior[direction] = rules


def _prepare_create(autoscaler: Document, context: Context) -> None:
    autoscaler["status"] = {"desiredReplicas": 0, "currentMetrics": None}


def _validate_spec(spec: Document, lowest: int, minor: int, errors: Errors) -> None:
    least, most = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    if least is not None and least < lowest:
        words = f"must be greater than or equal to {lowest}"
        errors.append(invalid_value("spec.minReplicas", least, words))
    if most < 1:
        errors.append(invalid_value("spec.maxReplicas", most, "must be greater than 0"))
    if least is not None and most < least:
        words = "must be greater than or equal to `minReplicas`"
        errors.append(invalid_value("spec.maxReplicas", most, words))
    validate_reference(spec.get("scaleTargetRef") or {}, "spec.scaleTargetRef", errors)
    metrics = spec.get("metrics") or ()
    for index, metric in enumerate(metrics):
        validate_metric(metric, f"spec.metrics[{index}]", minor, errors)
    if least == 0 and not any(metric.get("type") in ("Object", "External") for metric in metrics):
        words = "must specify at least one Object or External metric to support scaling to zero replicas"
        errors.append(forbidden_field("spec.metrics", words))
    if behavior := spec.get("behavior"):
        validate_behavior(behavior, "spec.behavior", errors)


def _validate(autoscaler: Document, context: Context) -> Sequence[FieldError]:
    errors: Errors = []
    _validate_spec(autoscaler.get("spec") or {}, 1, context.minor, errors)
    return errors


def _validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    errors: Errors = []
    was_zero = (old.get("spec") or {}).get("minReplicas") == 0
    _validate_spec(new.get("spec") or {}, 0 if was_zero else 1, context.minor, errors)
    return errors


def _validate_status(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    errors: Errors = []
    all_nonnegative(new.get("status") or {}, ("currentReplicas", "desiredReplicas"), "status", errors)
    return errors


def _reference(autoscaler: Document, now: float) -> str:
    target = at(autoscaler, "spec.scaleTargetRef") or {}
    return f"{target.get('kind') or ''}/{target.get('name') or ''}"


def _min_pods(autoscaler: Document, now: float) -> str:
    least = at(autoscaler, "spec.minReplicas")
    return "<unset>" if least is None else str(least)


KIND = Kind(
    group="autoscaling",
    kind="HorizontalPodAutoscaler",
    plural="horizontalpodautoscalers",
    versions=("v2", "v1", "v2beta2"),
    storage_version="v2",
    short_names=("hpa",),
    categories=("all",),
    subresources=(STATUS,),
    has_generation=False,
    columns=(
        Column("Reference", _reference),
        Column("Targets", targets, until=NAMED_TARGETS_SINCE - 1),
        Column("Targets", named_targets, since=NAMED_TARGETS_SINCE),
        Column("MinPods", _min_pods),
        Column("MaxPods", integer("spec.maxReplicas")),
        Column("Replicas", integer("status.currentReplicas")),
        AGE,
    ),
    default=_default,
    prepare_create=_prepare_create,
    validate=_validate,
    validate_update=_validate_update,
    validate_status=_validate_status,
    convert={"v1": (to_v1, from_v1)},
)

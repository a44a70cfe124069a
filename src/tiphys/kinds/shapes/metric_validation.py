"""What an autoscaler measures and how it may react (pkg/apis/autoscaling/validation)."""

from __future__ import annotations

from tiphys.base.document import Document
from tiphys.base.field_error import forbidden_field, invalid_value, required, unsupported
from tiphys.base.name_rules import path_segment
from tiphys.kinds.shapes.field_checks import NOT_POSITIVE, Errors, by_rule, dns_label
from tiphys.kinds.shapes.resource_name import container_resource_name_errors
from tiphys.kinds.shapes.resource_requirements_validation import quantity

METRIC_TYPES = ("ContainerResource", "External", "Object", "Pods", "Resource")
_FIELD_OF = {
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
    "External": "external",
    "ContainerResource": "containerResource",
}
_LOOKED_FOR = ("object", "external", "pods", "resource", "containerResource")
_NOT_POPULATED = "must populate information for the given metric source"
_RAW_OR_UTILIZATION = "must set either a target raw value or a target utilization"
_NOT_BOTH = "may not set both a target raw value and a target utilization"
CONTAINER_METRICS_SINCE = 27
MAX_WINDOW = 3600
MAX_PERIOD = 1800


def validate_reference(reference: Document, path: str, errors: Errors) -> None:
    """A reference to an object by kind and name (ValidateCrossVersionObjectReference)."""
    for field in ("kind", "name"):
        if value := reference.get(field):
            by_rule(path_segment, value, f"{path}.{field}", errors)
        else:
            errors.append(required(f"{path}.{field}"))


def validate_metric(metric: Document, path: str, minor: int, errors: Errors) -> None:
    """A metric names its type and fills in that type's part alone (validateMetricSpec)."""
    kind = metric.get("type") or ""
    if not kind:
        errors.append(required(f"{path}.type", "must specify a metric source type"))
    if kind not in METRIC_TYPES:
        errors.append(unsupported(f"{path}.type", kind, METRIC_TYPES))
    present = [field for field in _LOOKED_FOR if metric.get(field) is not None]
    if present:
        _source(present[0], metric[present[0]], f"{path}.{present[0]}", errors)
    expected = _FIELD_OF.get(kind)
    if expected is None:
        errors.append(unsupported(f"{path}.type", kind, METRIC_TYPES))
    elif expected not in present:
        words = _NOT_POPULATED
        if expected == "containerResource" and minor < CONTAINER_METRICS_SINCE:
            words += " (only allowed when HPAContainerMetrics feature is enabled)"
        errors.append(required(f"{path}.{expected}", words))
    if len(present) != 1:
        for field in present:
            if field != expected:
                errors.append(forbidden_field(f"{path}.{field}", "must populate the given metric source only"))


def _source(field: str, source: Document, path: str, errors: Errors) -> None:
    target = source.get("target") or {}
    if field == "object":
        validate_reference(source.get("describedObject") or {}, f"{path}.describedObject", errors)
    if field in ("object", "external", "pods"):
        _identifier(source.get("metric") or {}, f"{path}.metric", errors)
        _target(target, f"{path}.target", errors)
        _value_target(field, target, f"{path}.target", errors)
        return
    _resource_name(field, source, path, errors)
    _target(target, f"{path}.target", errors)
    utilization, value = target.get("averageUtilization"), target.get("averageValue")
    if utilization is None and value is None:
        errors.append(required(f"{path}.target.averageUtilization", _RAW_OR_UTILIZATION))
    if utilization is not None and value is not None:
        errors.append(forbidden_field(f"{path}.target.averageValue", _NOT_BOTH))


def _resource_name(field: str, source: Document, path: str, errors: Errors) -> None:
    name = source.get("name")
    if not name:
        errors.append(required(f"{path}.name", "must specify a resource name"))
    if field != "containerResource":
        return
    if name:
        errors.extend(container_resource_name_errors(name, f"{path}.name"))
    if container := source.get("container"):
        dns_label(container, f"{path}.container", errors)
    else:
        errors.append(required(f"{path}.container", "must specify a container"))


def _value_target(field: str, target: Document, path: str, errors: Errors) -> None:
    value, average = target.get("value"), target.get("averageValue")
    if field == "pods":
        if average is None:
            words = "must specify a positive target averageValue"
            errors.append(required(f"{path}.averageValue", words))
        return
    if value is None and average is None:
        words = (
            "must set either a target value or averageValue"
            if field == "object"
            else "must set either a target value for metric or a per-pod target"
        )
        errors.append(required(f"{path}.averageValue", words))
    if field == "external" and value is not None and average is not None:
        words = "may not set both a target value for metric and a per-pod target"
        errors.append(forbidden_field(f"{path}.value", words))


def _identifier(metric: Document, path: str, errors: Errors) -> None:
    if name := metric.get("name"):
        by_rule(path_segment, name, f"{path}.name", errors)
    else:
        errors.append(required(f"{path}.name", "must specify a metric name"))


def _target(target: Document, path: str, errors: Errors) -> None:
    kind = target.get("type") or ""
    if not kind:
        errors.append(required(f"{path}.type", "must specify a metric target type"))
    if kind not in ("Utilization", "Value", "AverageValue"):
        words = "must be either Utilization, Value, or AverageValue"
        errors.append(invalid_value(f"{path}.type", kind, words))
    for field in ("value", "averageValue"):
        amount = quantity(target[field]) if target.get(field) is not None else None
        if amount is not None and amount.sign != 1:
            errors.append(invalid_value(f"{path}.{field}", str(amount), "must be positive"))
    utilization = target.get("averageUtilization")
    if utilization is not None and utilization < 1:
        errors.append(invalid_value(f"{path}.averageUtilization", utilization, "must be greater than 0"))


def validate_behavior(behavior: Document, path: str, errors: Errors) -> None:
    for direction in ("scaleUp", "scaleDown"):
        if (rules := behavior.get(direction)) is not None:
            _rules(rules, f"{path}.{direction}", errors)


def _rules(rules: Document, path: str, errors: Errors) -> None:
    window, select = rules.get("stabilizationWindowSeconds"), rules.get("selectPolicy")
    here = f"{path}.stabilizationWindowSeconds"
    if window is not None and window < 0:
        errors.append(invalid_value(here, window, "must be greater than or equal to zero"))
    if window is not None and window > MAX_WINDOW:
        errors.append(invalid_value(here, window, f"must be less than or equal to {MAX_WINDOW}"))
    if select is not None and select not in ("Disabled", "Max", "Min"):
        errors.append(unsupported(f"{path}.selectPolicy", select, ("Disabled", "Max", "Min")))
    policies = rules.get("policies") or ()
    if not policies:
        errors.append(required(f"{path}.policies", "must specify at least one Policy"))
    for index, policy in enumerate(policies):
        _policy(policy, f"{path}.policies[{index}]", errors)


def _policy(policy: Document, path: str, errors: Errors) -> None:
    kind, value, period = policy.get("type") or "", policy.get("value") or 0, policy.get("periodSeconds") or 0
    if kind not in ("Pods", "Percent"):
        errors.append(unsupported(f"{path}.type", kind, ("Percent", "Pods")))
    if value <= 0:
        errors.append(invalid_value(f"{path}.value", value, NOT_POSITIVE))
    if period <= 0:
        errors.append(invalid_value(f"{path}.periodSeconds", period, NOT_POSITIVE))
    if period > MAX_PERIOD:
        errors.append(invalid_value(f"{path}.periodSeconds", period, f"must be less than or equal to {MAX_PERIOD}"))

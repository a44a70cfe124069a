"""Autoscalers in autoscaling/v1, which knows cpu only: everything else travels in annotations.

The shapes are those of pkg/apis/autoscaling/v1/conversion.go, whose old metric fields (`metricName`,
`targetAverageValue`, …) stand in the annotations' JSON.
"""

from __future__ import annotations

from typing import Any

import orjson

from tiphys.base.document import Document

METRICS = "autoscaling.alpha.kubernetes.io/metrics"
CURRENT_METRICS = "autoscaling.alpha.kubernetes.io/current-metrics"
CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions"
BEHAVIOR = "autoscaling.alpha.kubernetes.io/behavior"
_ALL = (METRICS, CURRENT_METRICS, CONDITIONS, BEHAVIOR)
DEFAULT_UTILIZATION = 80

_BEHAVIOR_FIELDS = {
    "ScaleUp": "scaleUp",
    "ScaleDown": "scaleDown",
    "StabilizationWindowSeconds": "stabilizationWindowSeconds",
    "SelectPolicy": "selectPolicy",
    "Policies": "policies",
    "Type": "type",
    "Value": "value",
    "PeriodSeconds": "periodSeconds",
    "Tolerance": "tolerance",
}
_TO_GO = {name: go for go, name in _BEHAVIOR_FIELDS.items()}


def to_v1(autoscaler: Document) -> Document:
    """The v1 form of a v2 autoscaler; the original is left as it is."""
    spec, status = dict(autoscaler.get("spec") or {}), dict(autoscaler.get("status") or {})
    metadata = dict(autoscaler.get("metadata") or {})
    annotations = {k: v for k, v in (metadata.get("annotations") or {}).items() if k not in _ALL}
    metrics, current = spec.pop("metrics", None) or [], status.pop("currentMetrics", None) or []
    cpu = next((each for each in metrics if _is_cpu(each)), None)
    target = ((cpu or {}).get("resource") or {}).get("target") or {}
    if target.get("averageUtilization") is not None:
        spec["targetCPUUtilizationPercentage"] = target["averageUtilization"]
    others = [_metric_to_v1(each) for each in metrics if not (_is_cpu(each) and _utilization(each) is not None)]
    _annotate(annotations, METRICS, others)
    _annotate(annotations, CURRENT_METRICS, [_status_to_v1(each) for each in current])
    for each in current:
        if _is_cpu(each) and (used := (each["resource"].get("current") or {}).get("averageUtilization")) is not None:
            status["currentCPUUtilizationPercentage"] = used
    if (behavior := spec.pop("behavior", None)) is not None:
        _annotate(annotations, BEHAVIOR, _renamed(behavior, _TO_GO))
    _annotate(annotations, CONDITIONS, status.pop("conditions", None) or [])
    status.setdefault("currentReplicas", 0)
    status.setdefault("desiredReplicas", 0)
    metadata["annotations"] = annotations
    if not annotations:
        del metadata["annotations"]
    return {**autoscaler, "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status}


def from_v1(autoscaler: Document) -> Document:
    """The v2 form of a v1 autoscaler. An annotation that is no JSON is ignored, as upstream does."""
    spec, status = dict(autoscaler.get("spec") or {}), dict(autoscaler.get("status") or {})
    metadata = dict(autoscaler.get("metadata") or {})
    annotations = dict(metadata.get("annotations") or {})
    utilization = spec.pop("targetCPUUtilizationPercentage", None)
    metrics = [_metric_from_v1(each) for each in _list(annotations.get(METRICS))]
    if utilization is not None:
        metrics.append(_cpu_metric(utilization))
    spec["metrics"] = metrics or [_cpu_metric(DEFAULT_UTILIZATION)]
    behavior = _json(annotations.get(BEHAVIOR))
    if isinstance(behavior, dict) and behavior:
        spec["behavior"] = _renamed(behavior, _BEHAVIOR_FIELDS)
    _status_fields(status, annotations)
    metadata["annotations"] = {key: value for key, value in annotations.items() if key not in _ALL}
    if not metadata["annotations"]:
        del metadata["annotations"]
    return {**autoscaler, "apiVersion": "autoscaling/v2", "metadata": metadata, "spec": spec, "status": status}


def _status_fields(status: Document, annotations: Document) -> None:
    used = status.pop("currentCPUUtilizationPercentage", None)
    current = [_status_from_v1(each) for each in _list(annotations.get(CURRENT_METRICS))]
    if not current and used is not None:
        resource = {"name": "cpu", "current": {"averageUtilization": used}}
        current = [{"type": "Resource", "resource": resource}]
    status["currentMetrics"] = current or None
    if conditions := _list(annotations.get(CONDITIONS)):
        status["conditions"] = conditions
    status.setdefault("desiredReplicas", 0)


def _annotate(annotations: Document, key: str, value: Any) -> None:
    if value:
        annotations[key] = orjson.dumps(value).decode()


def _json(text: Any) -> Any:
    try:
        return orjson.loads(text) if isinstance(text, str) else None
    except orjson.JSONDecodeError:
        return None


def _list(text: Any) -> list[Document]:
    found = _json(text)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """The behavior's annotation has Go's field names: it was never meant to be seen."""
    if isinstance(value, dict):
        return {names.get(key, key): _renamed(each, names) for key, each in value.items() if each is not None}
    return [_renamed(each, names) for each in value] if isinstance(value, list) else value


def _is_cpu(metric: Document) -> bool:
    return metric.get("type") == "Resource" and (metric.get("resource") or {}).get("name") == "cpu"


def _utilization(metric: Document) -> Any:
    return (metric["resource"].get("target") or {}).get("averageUtilization")


def _cpu_metric(utilization: int) -> Document:
    target = {"type": "Utilization", "averageUtilization": utilization}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def _without_none(fields: Document) -> Document:
    return {key: value for key, value in fields.items() if value is not None}


_SOURCES = ("object", "pods", "resource", "containerResource", "external")


def _metric_to_v1(metric: Document) -> Document:
    shown: Document = {"type": metric.get("type") or ""}
    for field in _SOURCES:
        if (source := metric.get(field)) is not None:
            amounts = source.get("target") or {}
            shown[field] = _old_fields(field, source, amounts, "target")
    return shown


def _status_to_v1(metric: Document) -> Document:
    shown: Document = {"type": metric.get("type") or ""}
    for field in _SOURCES:
        if (source := metric.get(field)) is not None:
            amounts = source.get("current") or {}
            shown[field] = _old_fields(field, source, amounts, "current")
    return shown


def _old_fields(field: str, source: Document, amounts: Document, prefix: str) -> Document:
    """`prefix` is target or current: `targetAverageValue`, `currentValue`."""
    metric, value, average = source.get("metric") or {}, amounts.get("value"), amounts.get("averageValue")
    if field in ("resource", "containerResource"):
        own = {"name": source.get("name"), "container": source.get("container")}
        own |= {f"{prefix}AverageUtilization": amounts.get("averageUtilization"), f"{prefix}AverageValue": average}
        return _without_none(own)
    named = {"metricName": metric.get("name")}
    if field == "object":
        named |= {"target": source.get("describedObject"), f"{prefix}Value": value or "0", "averageValue": average}
        return _without_none({**named, "selector": metric.get("selector")})
    if field == "pods":
        return _without_none({**named, f"{prefix}AverageValue": average or "0", "selector": metric.get("selector")})
    named |= {f"{prefix}Value": value, f"{prefix}AverageValue": average}
    return _without_none({**named, "metricSelector": metric.get("selector")})


def _metric_from_v1(metric: Document) -> Document:
    return _from_old(metric, "target")


def _status_from_v1(metric: Document) -> Document:
    return _from_old(metric, "current")


def _from_old(metric: Document, prefix: str) -> Document:
    shown: Document = {"type": metric.get("type") or ""}
    for field in _SOURCES:
        if isinstance(source := metric.get(field), dict):
            shown[field] = _new_fields(field, source, prefix)
    return shown


def _new_fields(field: str, source: Document, prefix: str) -> Document:
    utilization = source.get(f"{prefix}AverageUtilization")
    value, average = source.get(f"{prefix}Value"), source.get(f"{prefix}AverageValue")
    if field == "object":
        average = source.get("averageValue")
    amounts = _without_none({"value": value, "averageValue": average, "averageUtilization": utilization})
    if prefix == "target":
        amounts = {"type": _target_type(field, value, average, utilization), **amounts}
    if field in ("resource", "containerResource"):
        own = {"name": source.get("name"), "container": source.get("container")}
        return _without_none({**own, prefix: amounts})
    selector = source.get("metricSelector" if field == "external" else "selector")
    identifier = _without_none({"name": source.get("metricName"), "selector": selector})
    described = source.get("target") if field == "object" else None
    return _without_none({"describedObject": described, "metric": identifier, prefix: amounts})


def _target_type(field: str, value: Any, average: Any, utilization: Any) -> str:
    if field in ("resource", "containerResource"):
        return "AverageValue" if utilization is None else "Utilization"
    if field == "object":
        return "Value" if average is None else "AverageValue"
    return "AverageValue" if field == "pods" or value is None else "Value"

"""The TARGETS column of autoscalers (formatHPAMetrics in pkg/printers/internalversion)."""

from __future__ import annotations

from tiphys.base.document import Document
from tiphys.kinds.shapes.columns import NONE, UNKNOWN

MOST_SHOWN = 2
_FIELDS = {
    "External": "external",
    "Pods": "pods",
    "Object": "object",
    "Resource": "resource",
    "ContainerResource": "containerResource",
}


def named_targets(autoscaler: Document, now: float) -> str:
    """`cpu: 12%/80%`: the first two metrics, resources with their names, and how many more there are."""
    return _targets(autoscaler, True)


def targets(autoscaler: Document, now: float) -> str:
    """`12%/80%`, as it was before resources were named."""
    return _targets(autoscaler, False)


def _targets(autoscaler: Document, named: bool) -> str:
    metrics = (autoscaler.get("spec") or {}).get("metrics") or ()
    current = (autoscaler.get("status") or {}).get("currentMetrics") or ()
    if not metrics:
        return NONE
    shown = [_metric(each, current[i] if i < len(current) else {}, named) for i, each in enumerate(metrics)]
    words = ", ".join(shown[:MOST_SHOWN])
    return f"{words} + {len(shown) - MOST_SHOWN} more..." if len(shown) > MOST_SHOWN else words


def _metric(metric: Document, status: Document, named: bool) -> str:
    kind = metric.get("type") or ""
    field = _FIELDS.get(kind)
    if field is None:
        return "<unknown type>"
    source = metric.get(field) or {}
    target, current = source.get("target") or {}, (status.get(field) or {}).get("current") or {}
    if kind in ("Resource", "ContainerResource"):
        name = f"{source.get('name') or ''}: " if named else ""
        return name + _resource(target, current)
    if kind == "Pods" or target.get("averageValue") is not None:
        suffix = "" if kind == "Pods" else " (avg)"
        return f"{current.get('averageValue', UNKNOWN)}/{target.get('averageValue', '0')}{suffix}"
    return f"{current.get('value', UNKNOWN)}/{target.get('value', '0')}"


def _resource(target: Document, current: Document) -> str:
    if target.get("averageValue") is not None:
        return f"{current.get('averageValue', UNKNOWN)}/{target['averageValue']}"
    used, wanted = current.get("averageUtilization"), target.get("averageUtilization")
    shown = UNKNOWN if used is None else f"{used}%"
    return f"{shown}/<auto>" if wanted is None else f"{shown}/{wanted}%"

"""Node selectors: which nodes a pod's nodeSelector and required node affinity allow (component-helpers
`scheduling/corev1/nodeaffinity`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tiphys.base.document import Document

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
NAME = "metadata.name"
"""The one field a node can be selected by."""


def allows(pod_spec: Document, labels: Mapping[str, str], name: str) -> bool:
    """Whether the pod may run on the node of this name and these labels (GetRequiredNodeAffinity(pod).Match)."""
    for key, value in (pod_spec.get("nodeSelector") or {}).items():
        if labels.get(key) != value:
            return False
    required = ((pod_spec.get("affinity") or {}).get("nodeAffinity") or {}).get(REQUIRED)
    if required is None:
        return True
    return any(matches(term, labels, name) for term in required.get("nodeSelectorTerms") or ())


def named_nodes(required: Document) -> frozenset[str] | None:
    """The only nodes that required node affinity can allow, if every term names its nodes; else None.

    So it is for a DaemonSet's pods, which are for one node each (NodeAffinity.PreFilter).
    """
    found: set[str] = set()
    for term in required.get("nodeSelectorTerms") or ():
        fields = term.get("matchFields") or ()
        named = [each.get("values") or () for each in fields if each.get("key") == NAME and each["operator"] == "In"]
        if not named:
            return None
        found |= frozenset(named[0]).intersection(*named[1:])
    return frozenset(found)


def matches(term: Document, labels: Mapping[str, str], name: str) -> bool:
    """Whether a node selector term selects the node; an empty term selects nothing."""
    expressions = term.get("matchExpressions") or ()
    fields = term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    return all(_holds(expression, labels) for expression in expressions) and all(
        _holds(expression, {NAME: name}) for expression in fields
    )


def _holds(expression: Document, labels: Mapping[str, str]) -> bool:
    value = labels.get(expression["key"])
    values = expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" as operator:
            return _compares(operator, value, values)
    return False


def _compares(operator: str, value: str | None, values: Sequence[str]) -> bool:
    try:
        have, bound = int(value or ""), int(values[0])
    except (ValueError, IndexError):
        return False
    return have > bound if operator == "Gt" else have < bound

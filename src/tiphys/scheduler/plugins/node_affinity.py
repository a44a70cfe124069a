"""NodeAffinity: nodeSelector and node affinity, required and preferred."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.base.document import Document
from tiphys.scheduler.framework import NodeInfo, PodInfo, Refusal, default_normalize

_REFUSAL = Refusal(("node(s) didn't match Pod's node affinity/selector",))
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


class NodeAffinity:
    NAME = "NodeAffinity"
    WEIGHT = 2

    def filter_static(self, pod: PodInfo, node: NodeInfo, minor: int) -> Refusal | None:
        for key, value in pod.node_selector.items():
            if node.labels.get(key) != value:
                return _REFUSAL
        required = pod.affinity.get(REQUIRED)
        if required is None:
            return None
        terms = required.get("nodeSelectorTerms") or ()
        return None if any(matches(term, node) for term in terms) else _REFUSAL

    def raw_score(self, pod: PodInfo, node: NodeInfo) -> int:
        preferred = pod.affinity.get(PREFERRED)
        if not preferred:
            return 0
        return sum(term["weight"] for term in preferred if matches(term.get("preference") or {}, node))

    def normalize(self, scores: Sequence[int]) -> list[int]:
        return default_normalize(scores, reverse=False)


def matches(term: Document, node: NodeInfo) -> bool:
    """Whether a node selector term selects the node; an empty term selects nothing."""
    expressions = term.get("matchExpressions") or ()
    fields = term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    return all(_holds(expression, node.labels) for expression in expressions) and all(
        _holds(expression, {"metadata.name": node.name}) for expression in fields
    )


def _holds(expression: Document, labels: dict[str, str]) -> bool:
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


PLUGIN = NodeAffinity()

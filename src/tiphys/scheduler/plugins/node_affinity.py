"""NodeAffinity: nodeSelector and node affinity, required and preferred."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.base.document import Document
from tiphys.resource import node_selector
from tiphys.resource.node_selector import REQUIRED
from tiphys.scheduler.framework import NodeInfo, PodInfo, Refusal, default_normalize

_REFUSAL = Refusal(("node(s) didn't match Pod's node affinity/selector",))
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


class NodeAffinity:
    NAME = "NodeAffinity"
    WEIGHT = 2

    def names(self, pod: PodInfo) -> frozenset[str] | None:
        required = pod.affinity.get(REQUIRED)
        return None if required is None else node_selector.named_nodes(required)

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
    """Whether a node selector term selects the node."""
    return node_selector.matches(term, node.labels, node.name)


PLUGIN = NodeAffinity()

"""InterPodAffinity: pods that want others near or far, and those others' own wishes (plugins/interpodaffinity)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tiphys.scheduler.arguments import integer, only
from tiphys.scheduler.cache import Cache
from tiphys.scheduler.framework import MAX_SCORE, NodeCheck, NodeInfo, PodInfo, Refusal
from tiphys.scheduler.pod_index import PREFERRED, REQUIRED_FAR, REQUIRED_NEAR, Sort

_AFFINITY = Refusal(("node(s) didn't match pod affinity rules",))
_ANTI_AFFINITY = Refusal(("node(s) didn't match pod anti-affinity rules",), resolvable=True)
_EXISTING = Refusal(("node(s) didn't satisfy existing pods anti-affinity rules",), resolvable=True)
Places = Sequence[tuple[str, Mapping[str, int]]]
"""Topology keys, each with the number of pods at every value of it where there are any."""


class InterPodAffinity:
    NAME = "InterPodAffinity"
    WEIGHT = 2

    def __init__(self, hard_weight: int = 1, ignore_existing: bool = False) -> None:
        """`hard_weight` is what a required affinity of a pod already there weighs in scores; `ignore_existing`: only
        pods with wishes of their own are scored by those of others."""
        self._hard_weight = hard_weight
        self._ignore_existing = ignore_existing

    def configured(self, args: Mapping[str, Any]) -> InterPodAffinity:
        only(args, ("hardPodAffinityWeight", "ignorePreferredTermsOfExistingPods"))
        ignore = args.get("ignorePreferredTermsOfExistingPods", False)
        if not isinstance(ignore, bool):
            raise ValueError("ignorePreferredTermsOfExistingPods: must be true or false")
        return InterPodAffinity(integer(args, "hardPodAffinityWeight", 1, 0, 100), ignore)

    def prefilter(self, pod: PodInfo, cache: Cache) -> NodeCheck | None:
        index, nodes = cache.index, cache.nodes
        objecting = index.objections(REQUIRED_FAR, pod)
        existing = [(term.topology_key, tally.at(term.topology_key, nodes)) for term, tally in objecting]
        terms = pod.terms
        if not existing and not terms.affinity and not terms.anti_affinity:
            return None
        near = _near(pod, cache)
        far = [
            (term.topology_key, index.tally(Sort((term.scope,))).at(term.topology_key, nodes))
            for term in terms.anti_affinity
        ]
        first = bool(near) and not any(values for _, values in near) and _likes_itself(pod, cache)

        def check(node: NodeInfo) -> Refusal | None:
            labels = node.labels
            for key, values in near:
                value = labels.get(key)
                if value is None or (value not in values and not first):
                    return _AFFINITY
            for key, values in far:
                if labels.get(key) in values:
                    return _ANTI_AFFINITY
            for key, values in existing:
                if labels.get(key) in values:
                    return _EXISTING
            return None

        return check

    def prescore(self, pod: PodInfo, cache: Cache, nodes: Sequence[NodeInfo]) -> Sequence[int] | None:
        points = self._points(pod, cache)
        if not points:
            return None
        scores = [0] * len(nodes)
        for key, values in points.items():
            scores = [
                score + values.get(node.labels.get(key, ""), 0) if key in node.labels else score
                for score, node in zip(scores, nodes, strict=True)
            ]
        lowest, highest = min(scores), max(scores)
        if lowest == highest:
            return None
        return [int(MAX_SCORE * ((score - lowest) / (highest - lowest))) for score in scores]

    def _points(self, pod: PodInfo, cache: Cache) -> dict[str, dict[str, int]]:
        """Points of each value of each topology key."""
        index, points = cache.index, dict[str, dict[str, int]]()
        weighed = [(term, index.tally(Sort((term.scope,))), term.weight) for term in pod.terms.preferred]
        if pod.terms.preferred or not self._ignore_existing:
            if self._hard_weight:
                liking = index.objections(REQUIRED_NEAR, pod)
                weighed += [(term, tally, self._hard_weight) for term, tally in liking]
            weighed += [(term, tally, term.weight) for term, tally in index.objections(PREFERRED, pod)]
        for term, tally, weight in weighed:
            values = points.setdefault(term.topology_key, {})
            for value, amount in tally.at(term.topology_key, cache.nodes).items():
                values[value] = values.get(value, 0) + weight * amount
        return points


def _near(pod: PodInfo, cache: Cache) -> Places:
    """Where pods are that all required affinity terms want at once."""
    terms = pod.terms.affinity
    if not terms:
        return []
    tally = cache.index.tally(Sort(tuple(term.scope for term in terms)))
    return [(term.topology_key, tally.at(term.topology_key, cache.nodes)) for term in terms]


def _likes_itself(pod: PodInfo, cache: Cache) -> bool:
    """The first of a group of pods that want to be together may go anywhere."""
    labels = cache.namespaces.get(pod.namespace, {})
    return all(term.scope.covers(pod.namespace, pod.labels, labels) for term in pod.terms.affinity)


PLUGIN = InterPodAffinity()

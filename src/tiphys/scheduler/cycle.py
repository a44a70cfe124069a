"""One scheduling cycle: filter the nodes, score those that will do, take the best (scheduler `schedule_one.go`)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from tiphys.scheduler.cache import Cache
from tiphys.scheduler.framework import (
    Filter,
    NodeInfo,
    Plugin,
    PodInfo,
    Refusal,
    RelativeScore,
    Score,
    StaticFilter,
)

MIN_NODES = 100
MIN_PERCENTAGE = 5
KEPT_SIGNATURES = 256


@dataclass(slots=True)
class Outcome:
    """The chosen node, or every node's refusal."""

    node: str | None
    refusals: dict[str, Refusal] = field(default_factory=dict)


def nodes_to_find(total: int) -> int:
    """How many feasible nodes suffice (numFeasibleNodesToFind): all of 100, then 50 % falling to 5 %."""
    if total < MIN_NODES:
        return total
    percentage = max(MIN_PERCENTAGE, 50 - total // 125)
    return max(MIN_NODES, total * percentage // 100)


class Cycle:
    """The plugins at work on the cache."""

    def __init__(self, cache: Cache, plugins: Sequence[Plugin], minor: int, source: random.Random) -> None:
        self._cache = cache
        self._minor = minor
        self._random = source
        self._static = [plugin for plugin in plugins if isinstance(plugin, StaticFilter)]
        self._filters = [plugin for plugin in plugins if isinstance(plugin, Filter)]
        self._scores = [plugin for plugin in plugins if isinstance(plugin, Score)]
        self._relative = [plugin for plugin in plugins if isinstance(plugin, RelativeScore)]
        self._start = 0
        self._verdicts: dict[tuple[object, ...], dict[str, tuple[int, Refusal | None]]] = {}

    def run(self, pod: PodInfo) -> Outcome:
        """Where the pod is to go. Looks round robin, so that every node gets its turn where they are sampled."""
        nodes = list(self._cache.nodes.values())
        wanted = nodes_to_find(len(nodes))
        known = self._known(pod)
        feasible: list[NodeInfo] = []
        refusals: dict[str, Refusal] = {}
        looked = 0
        for looked in range(len(nodes)):
            node = nodes[(self._start + looked) % len(nodes)]
            refusal = self._refusal(pod, node, known)
            if refusal is not None:
                refusals[node.name] = refusal
                continue
            feasible.append(node)
            if len(feasible) >= wanted:
                break
        if nodes:
            self._start = (self._start + looked + 1) % len(nodes)
        return Outcome(self._best(pod, feasible), refusals)

    def _known(self, pod: PodInfo) -> dict[str, tuple[int, Refusal | None]]:
        known = self._verdicts.get(pod.signature)
        if known is None:
            if len(self._verdicts) >= KEPT_SIGNATURES:
                self._verdicts.clear()
            known = self._verdicts[pod.signature] = {}
        return known

    def _refusal(self, pod: PodInfo, node: NodeInfo, known: dict[str, tuple[int, Refusal | None]]) -> Refusal | None:
        version, refusal = known.get(node.name, (0, None))
        if version != node.version:
            refusal = self._static_refusal(pod, node)
            known[node.name] = (node.version, refusal)
        if refusal is not None:
            return refusal
        for plugin in self._filters:
            refusal = plugin.filter(pod, node)
            if refusal is not None:
                return refusal
        return None

    def _static_refusal(self, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        for plugin in self._static:
            refusal = plugin.filter_static(pod, node, self._minor)
            if refusal is not None:
                return refusal
        return None

    def _best(self, pod: PodInfo, feasible: Sequence[NodeInfo]) -> str | None:
        """Highest score; among equals one at random, as upstream."""
        if len(feasible) < 2:
            return feasible[0].name if feasible else None
        totals = [sum(plugin.score(pod, node) * plugin.WEIGHT for plugin in self._scores) for node in feasible]
        for relative in self._relative:
            scores = relative.normalize([relative.raw_score(pod, node) for node in feasible])
            totals = [total + score * relative.WEIGHT for total, score in zip(totals, scores, strict=True)]
        highest = max(totals)
        return self._random.choice(
            [node.name for node, total in zip(feasible, totals, strict=True) if total == highest]
        )

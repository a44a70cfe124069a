"""One scheduling cycle: filter the nodes, score those that will do, take the best (scheduler `schedule_one.go`)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

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
KEPT_DEMANDS = 16
"""Of each, a verdict or a view of every node is kept: with 5,000 nodes some tens of MB at worst."""

Kept = TypeVar("Kept")


@dataclass(slots=True)
class Outcome:
    """The chosen node, or every node's refusal."""

    node: str | None
    refusals: dict[str, Refusal] = field(default_factory=dict)


@dataclass(slots=True)
class View:
    """How pods of one signature and demand fare with a node; true until its `version` or `changes` differ.

    Most pods are replicas of others and each binding changes one node, so nearly every look at a node is this one.
    """

    name: str
    version: int
    changes: int
    refusal: Refusal | None
    score: int = 0
    raw: tuple[int, ...] = ()


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
        self._views: dict[tuple[object, ...], dict[str, View]] = {}

    def run(self, pod: PodInfo) -> Outcome:
        """Where the pod is to go. Looks round robin, so that every node gets its turn where they are sampled."""
        nodes = list(self._cache.nodes.values())
        wanted = nodes_to_find(len(nodes))
        views = _kept(self._views, (pod.signature, pod.demand), KEPT_DEMANDS)
        feasible: list[View] = []
        refusals: dict[str, Refusal] = {}
        looked = 0
        for looked in range(len(nodes)):
            node = nodes[(self._start + looked) % len(nodes)]
            view = views.get(node.name)
            if view is None or view.changes != node.changes or view.version != node.version:
                view = views[node.name] = self._look(pod, node)
            if view.refusal is not None:
                refusals[node.name] = view.refusal
                continue
            feasible.append(view)
            if len(feasible) >= wanted:
                break
        if nodes:
            self._start = (self._start + looked + 1) % len(nodes)
        return Outcome(self._best(feasible), refusals)

    def _look(self, pod: PodInfo, node: NodeInfo) -> View:
        refusal = self._refusal(pod, node)
        if refusal is not None:
            return View(node.name, node.version, node.changes, refusal)
        score = sum(plugin.score(pod, node) * plugin.WEIGHT for plugin in self._scores)
        raw = tuple(plugin.raw_score(pod, node) for plugin in self._relative)
        return View(node.name, node.version, node.changes, None, score, raw)

    def _refusal(self, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        known = _kept(self._verdicts, pod.signature, KEPT_SIGNATURES)
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

    def _best(self, feasible: Sequence[View]) -> str | None:
        """Highest score; among equals one at random, as upstream."""
        if len(feasible) < 2:
            return feasible[0].name if feasible else None
        totals = [view.score for view in feasible]
        for place, relative in enumerate(self._relative):
            scores = relative.normalize([view.raw[place] for view in feasible])
            totals = [total + score * relative.WEIGHT for total, score in zip(totals, scores, strict=True)]
        highest = max(totals)
        return self._random.choice(
            [view.name for view, total in zip(feasible, totals, strict=True) if total == highest]
        )


def _kept(known: dict[tuple[object, ...], dict[str, Kept]], key: tuple[object, ...], most: int) -> dict[str, Kept]:
    """What is known of nodes for pods of this key; all is forgotten when the keys become too many."""
    found = known.get(key)
    if found is None:
        if len(known) >= most:
            known.clear()
        found = known[key] = {}
    return found

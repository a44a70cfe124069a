"""One scheduling cycle: filter the nodes, score those that will do, take the best (scheduler `schedule_one.go`)."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from tiphys.scheduler.cache import Cache
from tiphys.scheduler.framework import (
    Filter,
    Narrow,
    NodeCheck,
    NodeInfo,
    Nomination,
    PodInfo,
    PostFilter,
    PreFilter,
    PreScore,
    Refusal,
    RelativeScore,
    Score,
    StaticFilter,
)
from tiphys.scheduler.profile import Profile

MIN_NODES = 100
MIN_PERCENTAGE = 5
KEPT_SIGNATURES = 256
KEPT_DEMANDS = 16
"""Of each, a verdict or a view of every node is kept: with 5,000 nodes some tens of MB at worst."""

NAMES_PLUGINS = 32
"""From this minor nodes that were not looked at are told with the plugins that left them out."""
_FILTERED_OUT = "node is filtered out by the prefilter result"

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

    node: NodeInfo
    version: int
    changes: int
    refusal: Refusal | None
    score: int = 0
    raw: tuple[int, ...] = ()


def nodes_to_find(total: int, percentage: int = 0) -> int:
    """How many feasible nodes suffice (numFeasibleNodesToFind): all of 100; then the percentage, or if it is 0 from
    50 % falling to 5 %."""
    if total < MIN_NODES:
        return total
    percentage = percentage or max(MIN_PERCENTAGE, 50 - total // 125)
    return max(MIN_NODES, total * percentage // 100)


class Cycle:
    """The plugins at work on the cache."""

    def __init__(self, cache: Cache, profile: Profile, minor: int, source: random.Random) -> None:
        self.cache = cache
        self.random = source
        self._minor = minor
        self._percentage = profile.percentage
        self._static = [plugin for plugin in profile.filters if isinstance(plugin, StaticFilter)]
        self._narrow = [plugin for plugin in profile.filters if isinstance(plugin, Narrow)]
        self._filters = [plugin for plugin in profile.filters if isinstance(plugin, Filter)]
        self._wide = [plugin for plugin in profile.filters if isinstance(plugin, PreFilter)]
        self._post = [plugin for plugin in profile.post_filters if isinstance(plugin, PostFilter)]
        scores = profile.scores
        self._scores = [(plugin, weight) for plugin, weight in scores if isinstance(plugin, Score)]
        self._relative = [(plugin, weight) for plugin, weight in scores if isinstance(plugin, RelativeScore)]
        self._wide_scores = [(plugin, weight) for plugin, weight in scores if isinstance(plugin, PreScore)]
        self._start = 0
        self._verdicts: dict[tuple[object, ...], dict[str, tuple[int, Refusal | None]]] = {}
        self._views: dict[tuple[object, ...], dict[str, View]] = {}

    def run(self, pod: PodInfo) -> Outcome:
        """Where the pod is to go. The node it is nominated to, if it will do; else looks round robin, so that every
        node gets its turn where they are sampled."""
        cache = self.cache
        checks = self._checks(pod)
        promised = cache.nodes.get(cache.nominated.node_of(pod.uid) or "") if cache.nominated else None
        if promised is not None and self._verdict(pod, promised, checks) is None:
            return Outcome(promised.name)
        nodes, left_out = self._candidates(pod)
        wanted = nodes_to_find(len(nodes), self._percentage)
        # What is for few nodes is like no other pod: what is known for its kind is not worth keeping.
        views = _kept(self._views, (pod.signature, pod.demand), KEPT_DEMANDS) if left_out is None else {}
        feasible: list[View] = []
        refusals: dict[str, Refusal] = {}
        plain = not checks and not cache.nominated
        looked = 0
        for looked in range(len(nodes)):
            node = nodes[(self._start + looked) % len(nodes)]
            view = views.get(node.name)
            if view is None or view.changes != node.changes or view.version != node.version:
                view = views[node.name] = self._look(pod, node)
            refusal = view.refusal
            if refusal is None and not plain:
                refusal = self._further(pod, node, checks)
            if refusal is not None:
                refusals[node.name] = refusal
                continue
            feasible.append(view)
            if len(feasible) >= wanted:
                break
        if left_out is not None:
            if not feasible:
                refusals = {**dict.fromkeys(cache.nodes, left_out), **refusals}
        elif nodes:
            self._start = (self._start + looked + 1) % len(nodes)
        return Outcome(self._best(pod, feasible), refusals)

    def _candidates(self, pod: PodInfo) -> tuple[list[NodeInfo], Refusal | None]:
        """The nodes to look at; and if a plugin knows which alone may do, why the others may not."""
        nodes = self.cache.nodes
        found = [(plugin.NAME, names) for plugin in self._narrow if (names := plugin.names(pod)) is not None]
        if not found:
            return list(nodes.values()), None
        plugins = " ".join(sorted(name for name, _ in found))
        words = f"node(s) didn't satisfy plugin(s) [{plugins}]" if self._minor >= NAMES_PLUGINS else _FILTERED_OUT
        common = frozenset.intersection(*(names for _, names in found))
        return [nodes[name] for name in sorted(common) if name in nodes], Refusal((words,))

    def fits(self, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        """Whether the node will do as it is now, also with the pods that were promised it."""
        return self._verdict(pod, node, self._checks(pod))

    def make_room(self, pod: PodInfo, refusals: Mapping[str, Refusal]) -> Nomination:
        """What the PostFilter plugins can do for a pod that fits nowhere: the first that can, else all speak."""
        words = []
        kept = not self._post
        for plugin in self._post:
            nomination = plugin.post_filter(pod, refusals, self)
            if nomination.node:
                return nomination
            kept = kept or nomination.kept
            words.append(nomination.words)
        return Nomination(words=", ".join(words), kept=kept)

    def _checks(self, pod: PodInfo) -> list[NodeCheck]:
        found = (plugin.prefilter(pod, self.cache) for plugin in self._wide)
        return [check for check in found if check is not None]

    def _verdict(self, pod: PodInfo, node: NodeInfo, checks: Sequence[NodeCheck]) -> Refusal | None:
        return self._refusal(pod, node) or self._further(pod, node, checks)

    def _further(self, pod: PodInfo, node: NodeInfo, checks: Sequence[NodeCheck]) -> Refusal | None:
        """Why a node that will do by itself will not: for the rest of the cluster, or for who was promised it."""
        for check in checks:
            refusal = check(node)
            if refusal is not None:
                return refusal
        rivals = self.cache.nominated.rivals(pod, node.name) if self.cache.nominated else ()
        rivals = [rival for rival in rivals if rival.uid not in node.pods]
        if not rivals:
            return None
        with self.cache.pretence(node):
            for rival in rivals:
                self.cache.put(rival, node)
            refusal = self._refusal(pod, node)
            for check in self._checks(pod) if refusal is None else ():
                refusal = refusal or check(node)
            return refusal

    def _look(self, pod: PodInfo, node: NodeInfo) -> View:
        refusal = self._refusal(pod, node)
        if refusal is not None:
            return View(node, node.version, node.changes, refusal)
        score = sum(plugin.score(pod, node) * weight for plugin, weight in self._scores)
        raw = tuple(plugin.raw_score(pod, node) for plugin, _ in self._relative)
        return View(node, node.version, node.changes, None, score, raw)

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

    def _best(self, pod: PodInfo, feasible: Sequence[View]) -> str | None:
        """Highest score; among equals one at random, as upstream."""
        if len(feasible) < 2:
            return feasible[0].node.name if feasible else None
        totals = [view.score for view in feasible]
        alike = len({view.raw for view in feasible}) == 1  # then they are normalized alike, and decide nothing
        for place, (relative, weight) in enumerate(() if alike else self._relative):
            scores = relative.normalize([view.raw[place] for view in feasible])
            totals = [total + score * weight for total, score in zip(totals, scores, strict=True)]
        nodes = [view.node for view in feasible]
        for plugin, weight in self._wide_scores:
            wide = plugin.prescore(pod, self.cache, nodes)
            if wide is not None:
                totals = [total + score * weight for total, score in zip(totals, wide, strict=True)]
        highest = max(totals)
        return self.random.choice([node.name for node, total in zip(nodes, totals, strict=True) if total == highest])


def _kept(known: dict[tuple[object, ...], dict[str, Kept]], key: tuple[object, ...], most: int) -> dict[str, Kept]:
    """What is known of nodes for pods of this key; all is forgotten when the keys become too many."""
    found = known.get(key)
    if found is None:
        if len(known) >= most:
            known.clear()
        found = known[key] = {}
    return found

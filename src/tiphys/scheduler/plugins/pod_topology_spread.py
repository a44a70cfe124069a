"""PodTopologySpread: pods of a sort are spread evenly over zones, nodes or other values of a label
(plugins/podtopologyspread)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tiphys.resource.node_selector import REQUIRED
from tiphys.scheduler.arguments import at, choice, integer, mappings, only
from tiphys.scheduler.cache import Cache
from tiphys.scheduler.framework import MAX_SCORE, NodeCheck, NodeInfo, PodInfo, Refusal
from tiphys.scheduler.plugins.node_affinity import PLUGIN as NODE_AFFINITY
from tiphys.scheduler.spread_constraint import (
    HARD,
    HOSTNAME,
    SOFT,
    ZONE,
    Constraint,
    constraints_for,
    is_eligible,
    read_constraints,
)

_UNEVEN = Refusal(("node(s) didn't match pod topology spread constraints",), resolvable=True)
_UNLABELLED = Refusal(("node(s) didn't match pod topology spread constraints (missing required label)",))
SYSTEM_DEFAULTS = ((SOFT, HOSTNAME, 3), (SOFT, ZONE, 5))
KEPT_TOPOLOGIES = 64
"""Each has an entry a node."""
Defaults = tuple[tuple[str, str, int], ...]
"""(whenUnsatisfiable, topology key, max skew) of each."""


class PodTopologySpread:
    NAME = "PodTopologySpread"
    WEIGHT = 2

    def __init__(self, defaults: Defaults = SYSTEM_DEFAULTS, by_system: bool = True) -> None:
        """`defaults` are for pods that have no constraints of their own but a service or controller."""
        self._defaults = {
            action: tuple((key, skew) for when, key, skew in defaults if when == action) for action in (HARD, SOFT)
        }
        self._by_system = by_system

    def configured(self, args: Mapping[str, Any]) -> PodTopologySpread:
        only(args, ("defaultConstraints", "defaultingType"))
        given = mappings(args, "defaultConstraints")
        if choice(args, "defaultingType", "System", ("System", "List")) == "System":
            if given:
                raise ValueError("defaultConstraints: when .defaultingType is System must be empty")
            return PodTopologySpread()
        defaults = tuple(at("defaultConstraints", _default, each) for each in given)
        return PodTopologySpread(defaults, by_system=False)

    def prefilter(self, pod: PodInfo, cache: Cache) -> NodeCheck | None:
        constraints = self._constraints(pod, cache, HARD)
        if not constraints:
            return None
        limits = [
            (constraint.topology_key, counts, _most(pod, constraint, counts))
            for constraint, counts in zip(constraints, _counts(pod, cache, constraints), strict=True)
        ]

        def check(node: NodeInfo) -> Refusal | None:
            for key, counts, most in limits:
                value = node.labels.get(key)
                if value is None:
                    return _UNLABELLED
                if counts.get(value, 0) > most:
                    return _UNEVEN
            return None

        return check

    def prescore(self, pod: PodInfo, cache: Cache, nodes: Sequence[NodeInfo]) -> Sequence[int] | None:
        constraints = self._constraints(pod, cache, SOFT)
        if not constraints:
            return None
        whole = bool(pod.spread) or not self._by_system
        keys = {constraint.topology_key for constraint in constraints} if whole else set()
        scored = [node for node in nodes if keys <= node.labels.keys()] if keys else nodes
        columns = [_column(pod, cache, constraint, scored, keys) for constraint in constraints]
        scores = _normalized([column for column, _ in columns], [points for _, points in columns])
        if len(scored) == len(nodes):
            return scores
        known = {node.name: score for node, score in zip(scored, scores, strict=True)}
        return [known.get(node.name, 0) for node in nodes]

    def _constraints(self, pod: PodInfo, cache: Cache, action: str) -> Sequence[Constraint]:
        if pod.spread:
            return read_constraints(pod, action)
        wanted = self._defaults[action]
        selector = cache.default_selector(pod) if wanted else None
        return constraints_for(pod.namespace, wanted, selector) if selector is not None else ()


def _default(found: Mapping[str, Any]) -> tuple[str, str, int]:
    only(found, ("maxSkew", "topologyKey", "whenUnsatisfiable"))
    key = found.get("topologyKey")
    if not isinstance(key, str) or not key:
        raise ValueError("topologyKey: can not be empty")
    return choice(found, "whenUnsatisfiable", "", (HARD, SOFT)), key, integer(found, "maxSkew", 0, 1, 2**31 - 1)


def _most(pod: PodInfo, constraint: Constraint, counts: Mapping[str, int]) -> int:
    """How many of the pods may be at a value already."""
    fewest = min(counts.values(), default=2**31 - 1) if len(counts) >= constraint.min_domains else 0
    return constraint.max_skew + fewest - int(constraint.selector.matches(pod.labels))


def _counts(pod: PodInfo, cache: Cache, constraints: Sequence[Constraint]) -> list[dict[str, int]]:
    """For each constraint the pods at every value of its key, zeros too, of the nodes that have all the keys."""
    keys = frozenset(constraint.topology_key for constraint in constraints)
    counts = []
    for constraint in constraints:
        values, domains = _topology(pod, cache, constraint, keys)
        tally = cache.index.tally(constraint.sort)
        if _is_anywhere(pod, constraint) and len(keys) == 1:
            counts.append({**domains, **tally.at(constraint.topology_key, cache.nodes)})
        else:
            counts.append({**domains, **_sums(values, tally.by_node)})
    return counts


def _topology(
    pod: PodInfo, cache: Cache, constraint: Constraint, keys: frozenset[str]
) -> tuple[dict[str, str], dict[str, int]]:
    """The value at each node that is part of the constraint's topology, and nothing (0) for each value; kept until a
    node changes."""
    key = constraint.topology_key
    wanted = (key, keys, constraint.honors_affinity, constraint.honors_taints, pod.signature)
    known: tuple[dict[str, str], dict[str, int]] | None = cache.memory.get(wanted)
    if known is None:
        if len(cache.memory) >= KEPT_TOPOLOGIES:
            cache.memory.clear()
        values = {
            node.name: node.labels.get(key, "")
            for node in cache.nodes.values()
            if keys <= node.labels.keys()
            and is_eligible(pod, node, constraint, NODE_AFFINITY.filter_static(pod, node, 0) is None)
        }
        known = cache.memory[wanted] = values, dict.fromkeys(values.values(), 0)
    return known


def _column(
    pod: PodInfo, cache: Cache, constraint: Constraint, nodes: Sequence[NodeInfo], keys: set[str]
) -> tuple[list[Any], Callable[[Any], float]]:
    """What each node has of the constraint, and the points for that: the more of the pods are there, the more.

    For host names that is the number of pods, for other keys the value: nodes of one zone have the same.
    """
    key, skew = constraint.topology_key, constraint.max_skew - 1
    tally = cache.index.tally(constraint.sort)
    if key == HOSTNAME:
        weight, amount = math.log(len(nodes) + 2), tally.by_node.get
        amounts = [amount(node.name, 0) if HOSTNAME in node.labels else None for node in nodes]
        return amounts, lambda amount: 0.0 if amount is None else amount * weight + skew
    values = [node.labels.get(key) for node in nodes]
    if _is_anywhere(pod, constraint) and len(keys) < 2:
        counts = tally.at(key, cache.nodes)
    else:
        counts = _sums(_topology(pod, cache, constraint, frozenset(keys))[0], tally.by_node)
    spread = math.log(len(set(values)) + 2)
    return values, lambda value: 0.0 if value is None else counts.get(value, 0) * spread + skew


def _is_anywhere(pod: PodInfo, constraint: Constraint) -> bool:
    """Whether every node is part of the topology."""
    return not constraint.honors_taints and not pod.node_selector and not pod.affinity.get(REQUIRED)


def _sums(topology: Mapping[str, str], by_node: Mapping[str, int]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name, amount in by_node.items():
        value = topology.get(name)
        if value is not None:
            counts[value] = counts.get(value, 0) + amount
    return counts


def _normalized(columns: Sequence[list[Any]], points: Sequence[Callable[[Any], float]]) -> list[int]:
    """0 to 100, the fewest pods highest. Most nodes fare like others, so each distinct row is worked out once."""
    rows = list(zip(*columns, strict=True))
    raw = {
        row: math.floor(sum(point(entry) for point, entry in zip(points, row, strict=True)) + 0.5)
        for row in set(rows)
    }
    lowest, highest = min(raw.values(), default=0), max(raw.values(), default=0)
    final = {
        row: MAX_SCORE * (highest + lowest - score) // highest if highest else MAX_SCORE for row, score in raw.items()
    }
    return [final[row] for row in rows]


PLUGIN = PodTopologySpread()

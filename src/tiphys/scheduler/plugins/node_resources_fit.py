"""NodeResourcesFit: requests against what is left of allocatable; scored by a strategy, the emptier node higher by
default (plugins/noderesources)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from tiphys.scheduler.arguments import at, choice, integer, mapping, mappings, only
from tiphys.scheduler.framework import MAX_SCORE, NodeInfo, PodInfo, Refusal

Strategy = Callable[[int, int], int]
"""What a resource scores by (what is taken with the pod, what there is)."""
Weights = tuple[tuple[str, int], ...]
DEFAULT_RESOURCES: Weights = (("cpu", 1), ("memory", 1))
RATIO = "RequestedToCapacityRatio"
RATIO_FIELD = "requestedToCapacityRatio"
MAX_SHAPE_SCORE = 10


def least_allocated(taken: int, capacity: int) -> int:
    return 0 if taken > capacity else (capacity - taken) * MAX_SCORE // capacity


def most_allocated(taken: int, capacity: int) -> int:
    return min(taken, capacity) * MAX_SCORE // capacity


class NodeResourcesFit:
    NAME = "NodeResourcesFit"
    WEIGHT = 1

    def __init__(
        self, strategy: Strategy = least_allocated, resources: Weights = DEFAULT_RESOURCES, shaped: bool = False
    ) -> None:
        """`shaped`: resources that score nothing do not count, and the mean is rounded."""
        self._strategy = strategy
        self._resources = resources
        self._shaped = shaped

    def configured(self, args: Mapping[str, Any]) -> NodeResourcesFit:
        only(args, ("scoringStrategy",))
        plugin: NodeResourcesFit = at("scoringStrategy", self._scored_by, mapping(args, "scoringStrategy"))
        return plugin

    def _scored_by(self, strategy: Mapping[str, Any]) -> NodeResourcesFit:
        only(strategy, ("type", "resources", RATIO_FIELD))
        kind = choice(strategy, "type", "LeastAllocated", ("LeastAllocated", "MostAllocated", RATIO))
        resources = (
            tuple(at("resources", _resource, each) for each in mappings(strategy, "resources")) or DEFAULT_RESOURCES
        )
        if kind == RATIO:
            shape = at(RATIO_FIELD, _shape, mapping(strategy, RATIO_FIELD))
            return NodeResourcesFit(lambda taken, capacity: _on(shape, taken, capacity), resources, shaped=True)
        return NodeResourcesFit(least_allocated if kind == "LeastAllocated" else most_allocated, resources)

    def filter(self, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        """Every resource that does not fit is named; one that exceeds even the empty node is past helping."""
        allocatable, requested = node.allocatable, node.requested
        lacking: list[tuple[str, bool]] = []
        if len(node.pods) + 1 > allocatable.get("pods", 0):
            lacking.append(("Too many pods", True))
        for name, amount in pod.requests.items():
            room = allocatable.get(name, 0)
            if amount and amount > room - requested.get(name, 0):
                lacking.append((f"Insufficient {name}", amount <= room))
        if not lacking:
            return None
        return Refusal(tuple(reason for reason, _ in lacking), all(resolvable for _, resolvable in lacking))

    def score(self, pod: PodInfo, node: NodeInfo) -> int:
        total = weights = 0
        for name, weight in self._resources:
            capacity = node.allocatable.get(name, 0)
            taken = _taken(name, pod, node)
            if capacity == 0 or taken is None:
                continue
            score = self._strategy(taken, capacity)
            if score or not self._shaped:
                total += score * weight
                weights += weight
        if not weights:
            return 0
        return (2 * total + weights) // (2 * weights) if self._shaped else total // weights


def _taken(name: str, pod: PodInfo, node: NodeInfo) -> int | None:
    """With the pod; None for an extended resource that it does not ask for."""
    if name == "cpu":
        return node.nonzero_cpu + pod.nonzero_cpu
    if name == "memory":
        return node.nonzero_memory + pod.nonzero_memory
    asked = pod.requests.get(name, 0)
    if not asked and name != "ephemeral-storage":
        return None
    return node.requested.get(name, 0) + asked


def _on(shape: tuple[tuple[int, int], ...], taken: int, capacity: int) -> int:
    """The score at the utilization in percent, on straight lines between the points of the shape."""
    used = MAX_SCORE if taken > capacity else taken * MAX_SCORE // capacity
    before: tuple[int, int] | None = None
    for utilization, score in shape:
        if used <= utilization:
            if before is None:
                return score
            return before[1] + int((score - before[1]) * (used - before[0]) / (utilization - before[0]))
        before = (utilization, score)
    return shape[-1][1]


def _resource(found: Mapping[str, Any]) -> tuple[str, int]:
    only(found, ("name", "weight"))
    name = found.get("name")
    if not isinstance(name, str) or not name:
        raise ValueError("name: must be a string")
    return name, integer(found, "weight", 1, 0, 100) or 1


def _shape(found: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
    only(found, ("shape",))
    points = [
        (integer(each, "utilization", 0, 0, 100), integer(each, "score", 0, 0, MAX_SHAPE_SCORE))
        for each in mappings(found, "shape")
    ]
    if not points:
        raise ValueError("shape: at least one point must be specified")
    if any(one[0] >= other[0] for one, other in pairwise(points)):
        raise ValueError("shape: utilization values must be sorted")
    return tuple((at, score * (MAX_SCORE // MAX_SHAPE_SCORE)) for at, score in points)


PLUGIN = NodeResourcesFit()

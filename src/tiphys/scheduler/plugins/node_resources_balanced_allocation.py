"""NodeResourcesBalancedAllocation: nodes whose cpu and memory are taken evenly score higher."""

from __future__ import annotations

from tiphys.scheduler.framework import MAX_SCORE, NodeInfo, PodInfo


class NodeResourcesBalancedAllocation:
    NAME = "NodeResourcesBalancedAllocation"
    WEIGHT = 1

    def score(self, pod: PodInfo, node: NodeInfo) -> int:
        """100 minus the standard deviation of the two fractions, in percent: with two, half their difference."""
        cpu = _fraction(node.requested.get("cpu", 0) + pod.requests.get("cpu", 0), node.allocatable.get("cpu", 0))
        memory = _fraction(
            node.requested.get("memory", 0) + pod.requests.get("memory", 0), node.allocatable.get("memory", 0)
        )
        return int((1 - abs(cpu - memory) / 2) * MAX_SCORE)


def _fraction(taken: int, capacity: int) -> float:
    return min(taken / capacity, 1.0) if capacity else 1.0


PLUGIN = NodeResourcesBalancedAllocation()

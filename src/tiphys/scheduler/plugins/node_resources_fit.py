"""NodeResourcesFit: requests against what is left of allocatable; the emptier node scores higher (LeastAllocated)."""

from __future__ import annotations

from tiphys.scheduler.framework import MAX_SCORE, NodeInfo, PodInfo, Refusal


class NodeResourcesFit:
    NAME = "NodeResourcesFit"
    WEIGHT = 1

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
        cpu = _left(node.allocatable.get("cpu", 0), node.nonzero_cpu + pod.nonzero_cpu)
        memory = _left(node.allocatable.get("memory", 0), node.nonzero_memory + pod.nonzero_memory)
        return (cpu + memory) // 2


def _left(capacity: int, taken: int) -> int:
    return 0 if capacity == 0 or taken > capacity else (capacity - taken) * MAX_SCORE // capacity


PLUGIN = NodeResourcesFit()

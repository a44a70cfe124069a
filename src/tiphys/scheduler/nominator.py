"""Pods that were promised a node for which others have to go first (scheduler `backend/queue/nominator.go`)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.scheduler.framework import PodInfo


class Nominator:
    """Which pod is nominated to which node."""

    def __init__(self) -> None:
        self._where: dict[str, str] = {}
        self._nodes: dict[str, dict[str, PodInfo]] = {}

    def __bool__(self) -> bool:
        return bool(self._where)

    def add(self, pod: PodInfo, node: str) -> None:
        self.remove(pod.uid)
        self._where[pod.uid] = node
        self._nodes.setdefault(node, {})[pod.uid] = pod

    def remove(self, uid: str) -> None:
        node = self._where.pop(uid, None)
        if node is not None:
            self._nodes[node].pop(uid)
            if not self._nodes[node]:
                del self._nodes[node]

    def node_of(self, uid: str) -> str | None:
        return self._where.get(uid)

    def rivals(self, pod: PodInfo, node: str) -> Sequence[PodInfo]:
        """Others promised the node whose priority is not below the pod's."""
        there = self._nodes.get(node, {}).values()
        return [other for other in there if other.priority >= pod.priority and other.uid != pod.uid]

    def below(self, pod: PodInfo, node: str) -> Sequence[PodInfo]:
        """Those promised the node whose priority is below the pod's."""
        return [other for other in self._nodes.get(node, {}).values() if other.priority < pod.priority]

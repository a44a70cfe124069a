"""The scheduler's picture of the cluster: nodes, and the pods on them or assumed to be."""

from __future__ import annotations

from tiphys.base.document import Document
from tiphys.base.quantity import parse
from tiphys.scheduler.framework import NodeInfo, PodInfo


class Cache:
    """Kept by informer events; `assume` runs ahead of them for pods whose binding is under way."""

    def __init__(self) -> None:
        self.nodes: dict[str, NodeInfo] = {}
        self._where: dict[str, str] = {}
        self._homeless: dict[str, dict[str, PodInfo]] = {}
        self._versions = 0

    def set_node(self, node: Document) -> None:
        name = node["metadata"]["name"]
        self._versions += 1
        fresh = NodeInfo(
            name,
            node,
            self._versions,
            _allocatable(node),
            tuple(node["spec"].get("taints") or ()),
            node["metadata"].get("labels") or {},
        )
        old = self.nodes.get(name)
        pods = old.pods if old is not None else self._homeless.pop(name, {})
        for info in pods.values():
            fresh.add(info)
        self.nodes[name] = fresh

    def remove_node(self, name: str) -> None:
        """Its pods are remembered, in case the node comes back before they go."""
        old = self.nodes.pop(name, None)
        if old is not None and old.pods:
            self._homeless[name] = old.pods

    def add_pod(self, info: PodInfo, node: str) -> None:
        """The pod is on the node, or is assumed to be."""
        self.remove_pod(info.uid)
        self._where[info.uid] = node
        known = self.nodes.get(node)
        if known is not None:
            known.add(info)
        else:
            self._homeless.setdefault(node, {})[info.uid] = info

    def remove_pod(self, uid: str) -> bool:
        """True if the pod was somewhere."""
        node = self._where.pop(uid, None)
        if node is None:
            return False
        known = self.nodes.get(node)
        if known is not None:
            known.remove(uid)
        else:
            self._homeless.get(node, {}).pop(uid, None)
        return True

    def holds(self, uid: str) -> bool:
        return uid in self._where


def _allocatable(node: Document) -> dict[str, int]:
    amounts = (node.get("status") or {}).get("allocatable") or {}
    return {
        name: parse(amount).milli_value if name == "cpu" else parse(amount).value for name, amount in amounts.items()
    }

"""The scheduler's picture of the cluster: nodes, and the pods on them or assumed to be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tiphys.base.document import Document
from tiphys.base.label_selector import Selector
from tiphys.base.quantity import parse
from tiphys.scheduler.framework import NodeInfo, PodInfo
from tiphys.scheduler.nominator import Nominator
from tiphys.scheduler.pod_index import PodIndex


class Cache:
    """Kept by informer events; `assume` runs ahead of them for pods whose binding is under way."""

    def __init__(self) -> None:
        self.nodes: dict[str, NodeInfo] = {}
        self.namespaces: dict[str, Mapping[str, str]] = {}
        self.index = PodIndex(self.nodes, self.namespaces)
        self.nominated = Nominator()
        self.budgets: dict[str, Document] = {}
        """PodDisruptionBudgets by key."""
        self.images: dict[str, int] = {}
        """On how many nodes each image is."""
        self.memory: dict[object, Any] = {}
        """What plugins keep of the nodes; emptied whenever a node comes, changes or goes."""
        self.latest: Callable[[PodInfo], Document] = lambda info: info.pod
        """The newest document of a pod."""
        self.default_selector: Callable[[PodInfo], Selector | None] = lambda info: None
        """What selects a pod's like: the selectors of its services and of its controller."""
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
            _images(node),
        )
        old = self.nodes.get(name)
        pods = old.pods if old is not None else self._homeless.pop(name, {})
        for info in pods.values():
            fresh.add(info)
        self.nodes[name] = fresh
        self.memory.clear()
        self._count_images(old, -1)
        self._count_images(fresh, 1)
        if old is None:
            for info in pods.values():
                self.index.count(info, fresh, 1)
        elif old.labels != fresh.labels:
            self.index.relabelled()

    def remove_node(self, name: str) -> None:
        """Its pods are remembered, in case the node comes back before they go."""
        old = self.nodes.get(name)
        if old is None:
            return
        for info in old.pods.values():
            self.index.count(info, old, -1)
        self._count_images(old, -1)
        del self.nodes[name]
        self.memory.clear()
        if old.pods:
            self._homeless[name] = old.pods

    def set_namespace(self, name: str, labels: Mapping[str, str] | None) -> None:
        """Its labels; None: it is gone."""
        if self.namespaces.get(name) == labels:
            return
        if labels is None:
            del self.namespaces[name]
        else:
            self.namespaces[name] = labels
        self.index.namespaces_changed()

    def add_pod(self, info: PodInfo, node: str) -> None:
        """The pod is on the node, or is assumed to be."""
        self.remove_pod(info.uid)
        self._where[info.uid] = node
        known = self.nodes.get(node)
        if known is not None:
            self.put(info, known)
        else:
            self._homeless.setdefault(node, {})[info.uid] = info

    def remove_pod(self, uid: str) -> bool:
        """True if the pod was somewhere."""
        node = self._where.pop(uid, None)
        if node is None:
            return False
        known = self.nodes.get(node)
        if known is not None:
            info = known.pods.get(uid)
            if info is not None:
                self.lift(info, known)
        else:
            self._homeless.get(node, {}).pop(uid, None)
        return True

    def holds(self, uid: str) -> bool:
        return uid in self._where

    def find(self, uid: str) -> PodInfo | None:
        """What is known of a pod that is on a node or assumed to be."""
        node = self._where.get(uid)
        if node is None:
            return None
        known = self.nodes.get(node)
        return (known.pods if known is not None else self._homeless.get(node, {})).get(uid)

    def put(self, info: PodInfo, node: NodeInfo) -> None:
        """Count a pod to a known node; by itself only within `pretence`."""
        node.add(info)
        self.index.count(info, node, 1)

    def lift(self, info: PodInfo, node: NodeInfo) -> None:
        """The opposite."""
        node.remove(info.uid)
        self.index.count(info, node, -1)

    @contextmanager
    def pretence(self, node: NodeInfo) -> Iterator[None]:
        """A block in which pods may be put on and lifted off the node to see what then; afterwards all is as before.

        Nothing may wait inside.
        """
        before = dict(node.pods)
        try:
            yield
        finally:
            for info in [info for uid, info in node.pods.items() if uid not in before]:
                self.lift(info, node)
            for info in [info for uid, info in before.items() if uid not in node.pods]:
                self.put(info, node)
            node.pods = before

    def _count_images(self, node: NodeInfo | None, amount: int) -> None:
        for name in node.images if node is not None else ():
            total = self.images.get(name, 0) + amount
            if total:
                self.images[name] = total
            else:
                del self.images[name]


def _allocatable(node: Document) -> dict[str, int]:
    amounts = (node.get("status") or {}).get("allocatable") or {}
    return {
        name: parse(amount).milli_value if name == "cpu" else parse(amount).value for name, amount in amounts.items()
    }


def _images(node: Document) -> dict[str, int]:
    found = (node.get("status") or {}).get("images") or ()
    return {name: image.get("sizeBytes") or 0 for image in found for name in image.get("names") or ()}

"""NodeUnschedulable: a cordoned node takes only pods that tolerate it."""

from __future__ import annotations

from tiphys.scheduler.framework import NodeInfo, PodInfo, Refusal
from tiphys.scheduler.taints import tolerated

_TAINT = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
_REFUSAL = Refusal(("node(s) were unschedulable",))


class NodeUnschedulable:
    NAME = "NodeUnschedulable"

    def filter_static(self, pod: PodInfo, node: NodeInfo, minor: int) -> Refusal | None:
        if not node.node["spec"].get("unschedulable") or tolerated(_TAINT, pod.tolerations):
            return None
        return _REFUSAL


PLUGIN = NodeUnschedulable()

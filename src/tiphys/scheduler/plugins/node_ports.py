"""NodePorts: two pods cannot have the same host port on one node."""

from __future__ import annotations

from tiphys.scheduler.framework import NodeInfo, PodInfo, Refusal

_REFUSAL = Refusal(("node(s) didn't have free ports for the requested pod ports",), resolvable=True)
ANY = "0.0.0.0"


class NodePorts:
    NAME = "NodePorts"

    def filter(self, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        if not pod.ports:
            return None
        taken = [port for port, count in node.ports.items() if count]
        return _REFUSAL if any(_clash(wanted, port) for wanted in pod.ports for port in taken) else None


def _clash(a: tuple[str, str, int], b: tuple[str, str, int]) -> bool:
    return a[0] == b[0] and a[2] == b[2] and (a[1] == b[1] or ANY in (a[1], b[1]))


PLUGIN = NodePorts()

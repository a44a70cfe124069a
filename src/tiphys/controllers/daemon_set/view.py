"""One reconcile's view of a DaemonSet: its nodes, what each is good for, and the pods on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tiphys.base.document import Document
from tiphys.controllers.daemon_set.eligibility import NOT_AT_ALL, Eligibility, NodeRule
from tiphys.controllers.daemon_set.pod_template import is_updated, target_node
from tiphys.controllers.deployment.arithmetic import scaled
from tiphys.controllers.pod_state import is_available, is_terminal


@dataclass
class View:
    """`hashed` is the hash of the revision that is wanted now, `now` in seconds since the epoch."""

    daemon_set: Document
    nodes: Mapping[str, Document]
    hashed: str
    now: float
    eligible: dict[str, Eligibility] = field(init=False)
    desired: int = field(init=False)
    """How many nodes should have a pod."""

    def __post_init__(self) -> None:
        rule = NodeRule(self.daemon_set)
        self.eligible = {name: rule.judge(self.nodes[name]) for name in sorted(self.nodes)}
        self.desired = sum(each.starts for each in self.eligible.values())
        self.min_ready = int(self.daemon_set["spec"].get("minReadySeconds") or 0)
        self.allows_surge = self.budget("maxSurge") > 0

    def starts(self, node: str) -> bool:
        return self.eligible.get(node, NOT_AT_ALL).starts

    def is_available(self, pod: Document) -> bool:
        return is_available(pod, self.min_ready, self.now)

    def is_new(self, pod: Document) -> bool:
        return is_updated(pod, self.hashed)

    def strategy(self) -> str:
        return str((self.daemon_set["spec"].get("updateStrategy") or {}).get("type") or "RollingUpdate")

    def budget(self, name: str) -> int:
        """`maxSurge` or `maxUnavailable` of the wanted pods, percentages rounded up."""
        if self.strategy() != "RollingUpdate":
            return 0
        rolling = (self.daemon_set["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
        return scaled(rolling.get(name), self.desired, True)


def by_node(pods: Iterable[Document], with_ended: bool = False) -> dict[str, list[Document]]:
    """Pods by the node they are for, the oldest bound one first. Those being deleted that have ended already are
    no longer on it, unless `with_ended`."""
    found: dict[str, list[Document]] = {}
    for pod in sorted(pods, key=seniority):
        node = target_node(pod)
        ended = is_terminal(pod) and pod["metadata"].get("deletionTimestamp")
        if node and (with_ended or not ended):
            found.setdefault(node, []).append(pod)
    return found


def seniority(pod: Document) -> tuple[bool, str, str]:
    """Bound ones first, then by age, then by name (podByCreationTimestampAndPhase)."""
    meta = pod["metadata"]
    return (not pod["spec"].get("nodeName"), meta.get("creationTimestamp") or "", meta["name"])

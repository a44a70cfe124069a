"""Why a pod fits nowhere, in upstream's words (framework FitError, defaultpreemption)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from tiphys.scheduler.framework import NodeInfo, PodInfo, Refusal

NO_NODES = "no nodes available to schedule pods"
DYNAMIC_RESOURCES = 34
"""The first minor with DynamicResourceAllocation on, whose plugin adds its word before preemption's."""


def fit_error(pod: PodInfo, nodes: Mapping[str, NodeInfo], refusals: Mapping[str, Refusal], minor: int) -> str:
    """The message of the PodScheduled condition and of the FailedScheduling event."""
    if not nodes:
        return NO_NODES
    reasons = Counter(reason for refusal in refusals.values() for reason in refusal.reasons)
    own = f"{_available(len(nodes), reasons)}."
    preemption = Counter(_preemption(pod, nodes[name], refusal) for name, refusal in refusals.items())
    claims = "no new claims to deallocate, " if minor >= DYNAMIC_RESOURCES else ""
    return f"{own} {claims}preemption: {_available(len(nodes), preemption)}."


def _available(nodes: int, reasons: Counter[str]) -> str:
    shown = ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
    return f"0/{nodes} nodes are available: {shown}"


def _preemption(pod: PodInfo, node: NodeInfo, refusal: Refusal) -> str:
    if not refusal.resolvable:
        return "Preemption is not helpful for scheduling"
    if any(other.priority < pod.priority for other in node.pods.values()):
        return "Preemption is not supported by this scheduler yet"
    return "No preemption victims found for incoming pod"

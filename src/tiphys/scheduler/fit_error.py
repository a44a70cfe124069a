"""Why a pod fits nowhere, in upstream's words (framework FitError)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from tiphys.scheduler.framework import Refusal

NO_NODES = "no nodes available to schedule pods"
DYNAMIC_RESOURCES = 34
"""The first minor with DynamicResourceAllocation on, whose plugin adds its word before preemption's."""


def fit_error(nodes: int, refusals: Mapping[str, Refusal], minor: int, further: str = "") -> str:
    """The message of the PodScheduled condition and of the FailedScheduling event; `further` is what was tried to
    make room for the pod, empty if that helped."""
    if not nodes:
        return NO_NODES
    reasons = Counter(reason for refusal in refusals.values() for reason in refusal.reasons)
    own = f"{available(nodes, reasons)}."
    if not further:
        return own
    claims = "no new claims to deallocate, " if minor >= DYNAMIC_RESOURCES else ""
    return f"{own} {claims}{further}"


def available(nodes: int, reasons: Counter[str]) -> str:
    """How many nodes there are, and how many have each reason not to be taken."""
    shown = ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
    return f"0/{nodes} nodes are available: {shown}"

"""The taints a node's conditions call for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tiphys.base.clock import rfc3339
from tiphys.base.document import Document
from tiphys.controllers.toleration import NO_EXECUTE, NO_SCHEDULE

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"

_BY_CONDITION = {
    ("Ready", "False"): NOT_READY,
    ("Ready", "Unknown"): UNREACHABLE,
    ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
}
_OURS = {*_BY_CONDITION.values(), UNSCHEDULABLE}


def for_scheduling(node: Document, now: float) -> list[Document] | None:
    """The node's taints with the NoSchedule ones that its conditions call for; None if they are right already."""
    wanted = dict.fromkeys(
        _BY_CONDITION[condition.get("type"), condition.get("status")]
        for condition in (node.get("status") or {}).get("conditions") or ()
        if (condition.get("type"), condition.get("status")) in _BY_CONDITION
    )
    if (node.get("spec") or {}).get("unschedulable"):
        wanted[UNSCHEDULABLE] = None
    return _replaced(node, NO_SCHEDULE, _OURS, list(wanted), now)


def for_running(node: Document, ready: str, now: float) -> list[Document] | None:
    """The node's taints with the NoExecute one that its Ready status calls for; None if they are right already."""
    key = _BY_CONDITION.get(("Ready", ready))
    return _replaced(node, NO_EXECUTE, (NOT_READY, UNREACHABLE), [key] if key else [], now)


def _replaced(
    node: Document, effect: str, ours: Iterable[str], wanted: Sequence[str], now: float
) -> list[Document] | None:
    """With the wanted of our taints of this effect and no others of ours."""
    ours = set(ours)
    taints = (node.get("spec") or {}).get("taints") or []
    present = {taint["key"] for taint in taints if taint.get("effect") == effect and taint["key"] in ours}
    if present == set(wanted):
        return None
    gone = present - set(wanted)
    kept = [taint for taint in taints if taint.get("effect") != effect or taint["key"] not in gone]
    added = [{"key": key, "effect": effect, "timeAdded": rfc3339(now)} for key in wanted if key not in present]
    return kept + added

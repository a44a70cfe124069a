"""Whether a node is still heard of (tryUpdateNodeHealth): its lease renewed or its status posted lately."""

from __future__ import annotations

from dataclasses import dataclass

from tiphys.base.clock import rfc3339
from tiphys.base.document import Document
from tiphys.controllers.pod_state import condition

_CONDITIONS = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
"""NetworkUnavailable is not the kubelet's."""


@dataclass(slots=True)
class Health:
    """What was last heard of a node, and when by our clock: a node's own clock may be wrong."""

    probed: float
    heartbeat: object = None
    renewed: object = None
    seen: bool = False


def observe(health: Health, node: Document, lease: Document | None, now: float) -> None:
    """Take note of a heartbeat since the last look."""
    ready = condition(node, "Ready")
    heartbeat = ready.get("lastHeartbeatTime") if ready else None
    renewed = ((lease or {}).get("spec") or {}).get("renewTime")
    if (ready is not None and not health.seen) or heartbeat != health.heartbeat:
        health.probed = now
    if renewed is not None and renewed != health.renewed:
        health.probed = now
        health.renewed = renewed
    health.heartbeat = heartbeat
    health.seen = ready is not None


def silenced(node: Document, now: float) -> Document | None:
    """The node with its conditions Unknown; None if Ready reads so already."""
    conditions = list((node.get("status") or {}).get("conditions") or ())
    told = [_unknown(node, condition(node, type_), type_, now) for type_ in _CONDITIONS]
    found = {each["type"]: each for each in conditions}
    found.update({each["type"]: each for each in told})
    if condition(node, "Ready") == found["Ready"]:
        return None
    return {**node, "status": {**(node.get("status") or {}), "conditions": list(found.values())}}


def _unknown(node: Document, old: Document | None, type_: str, now: float) -> Document:
    if old is None:
        return {
            "type": type_,
            "status": "Unknown",
            "lastHeartbeatTime": node["metadata"].get("creationTimestamp"),
            "lastTransitionTime": rfc3339(now),
            "reason": "NodeStatusNeverUpdated",
            "message": "Kubelet never posted node status.",
        }
    if old.get("status") == "Unknown":
        return old
    told = {"reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}
    return {**old, "status": "Unknown", "lastTransitionTime": rfc3339(now), **told}

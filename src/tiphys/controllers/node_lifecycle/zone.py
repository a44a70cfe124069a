"""How fast the silent nodes of a zone are emptied: the more of a zone is silent, the likelier the fault is ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tiphys.base.document import Document

EVICTIONS = 0.1
"""Nodes a second in a zone that is well, or wholly gone while others are well (--node-eviction-rate)."""
SLOW_EVICTIONS = 0.01
"""In a large zone that is partly gone (--secondary-node-eviction-rate); in a small one none."""
LARGE = 50
UNHEALTHY = 0.55

NORMAL = "Normal"
FULL = "FullDisruption"
PARTIAL = "PartialDisruption"


def zone_of(node: Document) -> str:
    """Region and zone labels (utilnode.GetZoneKey)."""
    labels = node["metadata"].get("labels") or {}
    region = labels.get("topology.kubernetes.io/region", "")
    zone = labels.get("topology.kubernetes.io/zone", "")
    return f"{region}:\x00:{zone}" if region or zone else ""


def state_of(ready: Sequence[bool]) -> str:
    """Of a zone's nodes (ComputeZoneState)."""
    silent = ready.count(False)
    if silent and silent == len(ready):
        return FULL
    return PARTIAL if silent > 2 and silent / len(ready) >= UNHEALTHY else NORMAL


@dataclass(slots=True)
class Limiter:
    """Lets one node of the zone be tainted at a time."""

    rate: float = EVICTIONS
    _next: float = 0.0

    def set(self, state: str, size: int) -> None:
        slow = SLOW_EVICTIONS if size > LARGE else 0.0
        self.rate = slow if state == PARTIAL else EVICTIONS

    def allows(self, now: float) -> bool:
        """Whether one more may be tainted now; counts it if so."""
        if self.rate <= 0 or now < self._next:
            return False
        self._next = now + 1 / self.rate
        return True

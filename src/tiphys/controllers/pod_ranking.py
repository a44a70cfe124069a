"""Which pods of a set to delete first (controller.ActivePodsWithRanks)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from tiphys.base.document import Document
from tiphys.controllers.pod_state import is_active, is_ready, phase, ready_since, time_of

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def pods_to_delete(pods: Sequence[Document], related: Iterable[Document], count: int, now: float) -> list[Document]:
    """The `count` pods to delete; `related` are all pods of the same owner's sets, to spread over nodes.

    Unassigned, then pending, then not ready, of low deletion cost, on crowded nodes, ready for a short time
    (in powers of two), often restarted, young ones go first; ties by uid.
    """
    if count >= len(pods):
        return list(pods)
    crowd = Counter(_node(pod) for pod in related if is_active(pod))
    return sorted(pods, key=lambda pod: _rank(pod, crowd[_node(pod)], now))[:count]


def _rank(pod: Document, crowd: int, now: float) -> tuple[Any, ...]:
    ready = is_ready(pod)
    return (
        bool(_node(pod)),
        _PHASES.get(phase(pod), 0),
        ready,
        deletion_cost(pod),
        -crowd,
        _age(ready_since(pod), now) if ready else 0,
        -_restarts(pod),
        _age(time_of(pod["metadata"].get("creationTimestamp")), now),
        pod["metadata"].get("uid") or "",
    )


def active_order(pod: Document) -> tuple[Any, ...]:
    """The sort key of active pods, the first to delete first, without regard to others (controller.ActivePods)."""
    ready = is_ready(pod)
    return (
        bool(_node(pod)),
        _PHASES.get(phase(pod), 0),
        ready,
        -(ready_since(pod) or math.inf) if ready else 0,
        -_restarts(pod),
        -(time_of(pod["metadata"].get("creationTimestamp")) or math.inf),
    )


def deletion_cost(pod: Document) -> int:
    """The pod's annotated cost; 0 if absent or no 32-bit integer (helper.GetDeletionCostFromPodAnnotations)."""
    text = (pod["metadata"].get("annotations") or {}).get(DELETION_COST)
    try:
        cost = int(text) if text is not None else 0
    except ValueError:
        return 0
    return cost if -(2**31) <= cost < 2**31 else 0


def _age(since: float, now: float) -> int:
    """The age as a power of two of nanoseconds; no time at all is youngest."""
    if not since:
        return -2
    nanoseconds = (now - since) * 1e9
    return int(math.log2(nanoseconds)) if nanoseconds >= 1 else -1


def _restarts(pod: Document) -> int:
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return max((status.get("restartCount") or 0 for status in statuses), default=0)


def _node(pod: Document) -> str:
    return (pod.get("spec") or {}).get("nodeName") or ""

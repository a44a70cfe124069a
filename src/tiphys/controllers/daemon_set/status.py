"""The status of a DaemonSet, counted over its nodes (updateDaemonSetStatus)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tiphys.base.document import Document
from tiphys.controllers.daemon_set.view import View
from tiphys.controllers.pod_state import is_ready

_ALWAYS = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")
"""Counts that are told even if zero."""
COUNTS = (*_ALWAYS, "updatedNumberScheduled", "numberAvailable", "numberUnavailable")


def counts(view: View, pods: Mapping[str, Sequence[Document]]) -> dict[str, int]:
    """Of several pods on a node the most senior one counts (`pods` are sorted so)."""
    found = dict.fromkeys(COUNTS, 0)
    for node, eligible in view.eligible.items():
        here = pods.get(node)
        if not eligible.starts:
            found["numberMisscheduled"] += bool(here)
            continue
        found["desiredNumberScheduled"] += 1
        if here:
            _count_pod(view, here[0], found)
    found["numberUnavailable"] = found["desiredNumberScheduled"] - found["numberAvailable"]
    return found


def _count_pod(view: View, pod: Document, found: dict[str, int]) -> None:
    found["currentNumberScheduled"] += 1
    found["updatedNumberScheduled"] += view.is_new(pod)
    if is_ready(pod):
        found["numberReady"] += 1
        found["numberAvailable"] += view.is_available(pod)


def changed(daemon_set: Document, found: Mapping[str, int], observed: bool) -> Document | None:
    """The status to write; None if the one there says as much. `observed` raises observedGeneration.

    Conditions and the collision count stay as they are.
    """
    old = daemon_set.get("status") or {}
    generation = daemon_set["metadata"].get("generation") or 0
    seen = (old.get("observedGeneration") or 0) >= generation
    if seen and all((old.get(field) or 0) == found[field] for field in COUNTS):
        return None
    return merged(daemon_set, found, generation if observed else 0)


def merged(daemon_set: Document, found: Mapping[str, int], generation: int) -> Document:
    """The object's status with these counts; a generation of 0 leaves the observed one."""
    kept = {field: value for field, value in (daemon_set.get("status") or {}).items() if field not in COUNTS}
    told = {field: value for field, value in found.items() if value or field in _ALWAYS}
    status: Document = {**kept, **told}
    if generation:
        status["observedGeneration"] = generation
    return status

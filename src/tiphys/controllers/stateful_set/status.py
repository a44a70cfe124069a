"""The status of a StatefulSet, counted from its pods (computeReplicaStatus, completeRollingUpdate)."""

from __future__ import annotations

from collections.abc import Iterable

from tiphys.base.document import Document
from tiphys.controllers.pod_state import is_available, is_ready, phase
from tiphys.controllers.replica_set_status import wanted
from tiphys.controllers.stateful_set.identity import revision_of

COUNTS = ("replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")
_TOLD = (*COUNTS, "currentRevision", "updateRevision")
_ALWAYS = ("replicas", "availableReplicas", "collisionCount")
"""Fields that are there even if zero (no omitempty)."""


def is_created(pod: Document) -> bool:
    return bool(phase(pod))


def is_running_and_ready(pod: Document) -> bool:
    return phase(pod) == "Running" and is_ready(pod)


def is_deleted(pod: Document) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))


def counts(pods: Iterable[Document], min_ready: int, current: str, update: str, now: float) -> dict[str, int]:
    """`current` and `update` are names of revisions; pods on their way out are of neither."""
    found = dict.fromkeys(COUNTS, 0)
    for pod in pods:
        if not is_created(pod):
            continue
        found["replicas"] += 1
        if is_running_and_ready(pod):
            found["readyReplicas"] += 1
            found["availableReplicas"] += is_available(pod, min_ready, now)
        if not is_deleted(pod):
            found["currentReplicas"] += revision_of(pod) == current
            found["updatedReplicas"] += revision_of(pod) == update
    return found


def complete_update(stateful_set: Document, status: Document) -> None:
    """With all pods updated and ready, the update revision becomes the current one."""
    total = wanted(stateful_set)
    rolling = (stateful_set["spec"].get("updateStrategy") or {}).get("type") == "RollingUpdate"
    if rolling and status["updatedReplicas"] == status["readyReplicas"] == status["replicas"] == total:
        status["currentReplicas"] = status["updatedReplicas"]
        status["currentRevision"] = status["updateRevision"]


def differs(stateful_set: Document, status: Document) -> bool:
    """Whether there is anything to write (inconsistentStatus)."""
    old = stateful_set.get("status") or {}
    if (status["observedGeneration"] or 0) > (old.get("observedGeneration") or 0):
        return True
    return any((old.get(field) or 0) != (status[field] or 0) for field in _TOLD)


def written(status: Document) -> Document:
    """As it is sent: without what is zero, but for what is always told."""
    return {field: value for field, value in status.items() if value or field in _ALWAYS}

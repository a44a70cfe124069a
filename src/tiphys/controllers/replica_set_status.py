"""The status of a ReplicaSet or ReplicationController, from its pods (`replicaset/replica_set_utils.go`)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.base.clock import rfc3339
from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.controllers import condition
from tiphys.controllers.pod_state import is_available, is_ready

REPLICA_FAILURE = "ReplicaFailure"
TERMINATING_SINCE = 35
"""The first minor with status.terminatingReplicas on by default."""


def wanted(replica_set: Document) -> int:
    """spec.replicas."""
    replicas = replica_set["spec"].get("replicas")
    return 1 if replicas is None else int(replicas)


def new_status(
    replica_set: Document, pods: Sequence[Document], terminating: int | None, failure: StatusError | None, now: float
) -> Document:
    """The status as it should read, without what is zero. `terminating` None: this version does not tell."""
    template_labels = (replica_set["spec"]["template"].get("metadata") or {}).get("labels") or {}
    min_ready = replica_set["spec"].get("minReadySeconds") or 0
    labelled = ready = available = 0
    for pod in pods:
        labels = pod["metadata"].get("labels") or {}
        labelled += template_labels.items() <= labels.items()
        if is_ready(pod):
            ready += 1
            available += is_available(pod, min_ready, now)
    status: Document = {
        "replicas": len(pods),
        "fullyLabeledReplicas": labelled,
        "readyReplicas": ready,
        "availableReplicas": available,
        "observedGeneration": replica_set["metadata"].get("generation") or 0,
        "conditions": _conditions(replica_set, len(pods), failure, now),
    }
    found = {field: value for field, value in status.items() if value or field == "replicas"}
    if terminating is not None:
        found["terminatingReplicas"] = terminating
    return found


def _conditions(replica_set: Document, count: int, failure: StatusError | None, now: float) -> list[Document]:
    conditions: list[Document] = list((replica_set.get("status") or {}).get("conditions") or ())
    if failure is None:
        return condition.without(conditions, REPLICA_FAILURE)
    if condition.find(conditions, REPLICA_FAILURE):
        return conditions
    difference = count - wanted(replica_set)
    reason = "FailedCreate" if difference < 0 else "FailedDelete" if difference > 0 else ""
    new = {
        "type": REPLICA_FAILURE,
        "status": "True",
        "lastTransitionTime": rfc3339(now),
        "reason": reason,
        "message": failure.message,
    }
    return condition.with_condition(conditions, new)

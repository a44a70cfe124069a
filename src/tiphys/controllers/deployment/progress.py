"""How a rollout goes: the status and its conditions (`deployment/progress.go`, calculateStatus in `sync.go`)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.base.document import Document
from tiphys.controllers import condition
from tiphys.controllers.deployment.arithmetic import desired_total, has_deadline, max_unavailable, status_total
from tiphys.controllers.deployment.rollout import AVAILABLE, PROGRESSING, REPLICA_FAILURE, Rollout
from tiphys.controllers.pod_state import time_of
from tiphys.controllers.replica_set_status import TERMINATING_SINCE, wanted

NEW_AVAILABLE = "NewReplicaSetAvailable"
TIMED_OUT = "ProgressDeadlineExceeded"


async def sync_status(rollout: Rollout, new: Document | None, old: Sequence[Document]) -> None:
    """Write the counts and availability if they changed; says nothing of progress."""
    status = _status(rollout, new, old)
    if _pruned(status) != _pruned(rollout.status):
        await rollout.write_status(status)


async def sync_rollout_status(rollout: Rollout, new: Document | None, old: Sequence[Document]) -> None:
    """Write counts, availability, progress and failures if they changed, else see that a deadline is not missed."""
    status = _status(rollout, new, old)
    if not has_deadline(rollout.deployment):
        _remove(status, PROGRESSING)
    else:
        _tell_progress(rollout, status, new)
    _tell_failures(status, new, old)
    if _pruned(status) == _pruned(rollout.status):
        _requeue_stuck(rollout, status)
    else:
        await rollout.write_status(status)


def _status(rollout: Rollout, new: Document | None, old: Sequence[Document]) -> Document:
    """The status from the replica sets, what is zero left out."""
    deployment = rollout.deployment
    sets = [*old, *([new] if new else [])]
    available = status_total(sets, "availableReplicas")
    status: Document = {
        "observedGeneration": deployment["metadata"].get("generation"),
        "replicas": status_total(sets, "replicas"),
        "updatedReplicas": status_total([new] if new else [], "replicas"),
        "readyReplicas": status_total(sets, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, desired_total(sets) - available),
        "conditions": list(rollout.status.get("conditions") or ()),
    }
    status = _pruned(status)
    if rollout.status.get("collisionCount") is not None:
        status["collisionCount"] = rollout.status["collisionCount"]
    if rollout.minor >= TERMINATING_SINCE and all(
        "terminatingReplicas" in (each.get("status") or {}) for each in sets
    ):
        status["terminatingReplicas"] = status_total(sets, "terminatingReplicas")
    enough = available >= wanted(deployment) - max_unavailable(deployment)
    _set(status, _availability(rollout, enough))
    return status


def _availability(rollout: Rollout, enough: bool) -> Document:
    if enough:
        message = "Deployment has minimum availability."
        return rollout.new_condition(AVAILABLE, "True", "MinimumReplicasAvailable", message)
    message = "Deployment does not have minimum availability."
    return rollout.new_condition(AVAILABLE, "False", "MinimumReplicasUnavailable", message)


def _tell_progress(rollout: Rollout, status: Document, new: Document | None) -> None:
    current = rollout.condition(PROGRESSING)
    finished = current is not None and current.get("reason") == NEW_AVAILABLE
    if finished and status.get("replicas") == status.get("updatedReplicas"):
        return
    what = f'ReplicaSet "{new["metadata"]["name"]}"' if new else f'Deployment "{rollout.name}"'
    if is_complete(rollout.deployment, status):
        message = f"{what} has successfully progressed."
        _set(status, rollout.new_condition(PROGRESSING, "True", NEW_AVAILABLE, message))
    elif _is_progressing(rollout.status, status):
        made = rollout.new_condition(PROGRESSING, "True", "ReplicaSetUpdated", f"{what} is progressing.")
        if current is not None:
            # The update time must move with every progress, even if status and reason stay.
            if current.get("status") == "True":
                made["lastTransitionTime"] = current.get("lastTransitionTime")
            _remove(status, PROGRESSING)
        _set(status, made)
    elif _has_timed_out(rollout, status):
        message = f"{what} has timed out progressing."
        _set(status, rollout.new_condition(PROGRESSING, "False", TIMED_OUT, message))


def is_complete(deployment: Document, status: Document) -> bool:
    """All pods are of the new template and available, and this generation was observed."""
    total = wanted(deployment)
    counts = {status.get(field) or 0 for field in ("updatedReplicas", "replicas", "availableReplicas")}
    generation = deployment["metadata"].get("generation") or 0
    return counts == {total} and (status.get("observedGeneration") or 0) >= generation


def _is_progressing(before: Document, now: Document) -> bool:
    """More new, fewer old, more ready or more available pods than when last told."""

    def count(status: Document, field: str) -> int:
        return int(status.get(field) or 0)

    def old_pods(status: Document) -> int:
        return count(status, "replicas") - count(status, "updatedReplicas")

    grown = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return any(count(now, field) > count(before, field) for field in grown) or old_pods(now) < old_pods(before)


def _has_timed_out(rollout: Rollout, status: Document) -> bool:
    current = condition.find(status.get("conditions") or (), PROGRESSING)
    if current is None or current.get("reason") == NEW_AVAILABLE:
        return False
    return current.get("reason") == TIMED_OUT or _seconds_left(rollout, current) < 0


def _seconds_left(rollout: Rollout, progressing: Document) -> float:
    deadline: int = rollout.deployment["spec"]["progressDeadlineSeconds"]
    return time_of(progressing.get("lastUpdateTime")) + deadline - rollout.clock.now()


def _tell_failures(status: Document, new: Document | None, old: Sequence[Document]) -> None:
    """The new set's ReplicaFailure, else an old one's."""
    for each in (*([new] if new else []), *old):
        found = condition.find((each.get("status") or {}).get("conditions") or (), REPLICA_FAILURE)
        if found is not None:
            told = {
                field: found.get(field) for field in ("type", "status", "lastTransitionTime", "reason", "message")
            }
            _set(status, {**told, "lastUpdateTime": found.get("lastTransitionTime")})
            return
    _remove(status, REPLICA_FAILURE)


def _requeue_stuck(rollout: Rollout, status: Document) -> None:
    """Come back when the deadline is over, a second late for safety (requeueStuckDeployment)."""
    current = rollout.condition(PROGRESSING)
    if current is None or not has_deadline(rollout.deployment):
        return
    if is_complete(rollout.deployment, status) or current.get("reason") == TIMED_OUT:
        return
    left = _seconds_left(rollout, current)
    if left < 1:
        rollout.requeue_soon()
    else:
        rollout.requeue_after(left + 1)


def _set(status: Document, new: Document) -> None:
    status["conditions"] = condition.with_condition(status.get("conditions") or [], new)


def _remove(status: Document, type_: str) -> None:
    kept = condition.without(status.get("conditions") or (), type_)
    status["conditions"] = kept
    if not kept:
        del status["conditions"]


def _pruned(status: Document) -> Document:
    return {key: value for key, value in status.items() if value or key in ("terminatingReplicas", "collisionCount")}

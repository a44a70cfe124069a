"""Whether a Job has failed or has met its success policy, in the order upstream asks (`syncJob`)."""

from __future__ import annotations

from tiphys.base.document import Document
from tiphys.controllers.job import success_policy
from tiphys.controllers.job.condition import FAILURE_TARGET, SUCCESS_CRITERIA_MET, new_condition, true_condition
from tiphys.controllers.job.sync import Sync
from tiphys.controllers.job_state import COMPLETE, FAILED
from tiphys.controllers.pod_state import phase, time_of


def decided(sync: Sync) -> Document | None:
    """The condition with which the Job ends, or with which its end begins; None while it goes on."""
    found = _already_decided(sync) or _failed_by_policy(sync) or _failed_by_limit(sync)
    if found is None and sync.indexed:
        found = _failed_by_indexes(sync) or _succeeded_by_policy(sync)
    return found


def success(sync: Sync) -> Document:
    """The condition of a Job whose completions are reached; reasons are told since 1.31."""
    if not sync.features.delays_end:
        return new_condition(COMPLETE, "", "", sync.now)
    message = "Reached expected number of succeeded pods"
    return new_condition(SUCCESS_CRITERIA_MET, "CompletionsReached", message, sync.now)


def final(condition: Document, now: float) -> Document:
    """What follows the condition of a beginning end: Failed or Complete for the same reason."""
    type_ = {FAILURE_TARGET: FAILED, SUCCESS_CRITERIA_MET: COMPLETE}[condition["type"]]
    return new_condition(type_, condition.get("reason") or "", condition.get("message") or "", now)


def seconds_to_deadline(sync: Sync) -> float | None:
    """Until activeDeadlineSeconds have passed since the start; None if there is no deadline running."""
    deadline, start = sync.spec.get("activeDeadlineSeconds"), sync.status.get("startTime")
    if deadline is None or not start or sync.suspended:
        return None
    return float(deadline - (sync.now - time_of(start)))


def _already_decided(sync: Sync) -> Document | None:
    if sync.features.success_policy and (met := true_condition(sync.status, SUCCESS_CRITERIA_MET)):
        return met
    target = true_condition(sync.status, FAILURE_TARGET)
    return final(target, sync.now) if target is not None else None


def _failed_by_policy(sync: Sync) -> Document | None:
    for pod in sync.pods if sync.policy is not None else ():
        if sync.has_failed(pod) and (message := sync.match(pod).message):
            return new_condition(FAILURE_TARGET, "PodFailurePolicy", message, sync.now)
    return None


def _failed_by_limit(sync: Sync) -> Document | None:
    limit = sync.spec.get("backoffLimit")
    if limit is not None and (sync.failed > limit or _restarted_too_often(sync, limit)):
        return _failure(sync, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    left = seconds_to_deadline(sync)
    if left is not None and left <= 0:
        return _failure(sync, "DeadlineExceeded", "Job was active longer than specified deadline")
    return None


def _restarted_too_often(sync: Sync, limit: int) -> bool:
    """Restarts of containers count where the kubelet restarts them (pastBackoffLimitOnFailure)."""
    if sync.spec["template"]["spec"].get("restartPolicy") != "OnFailure":
        return False
    restarts = sum(
        status.get("restartCount") or 0
        for pod in sync.pods
        if phase(pod) in ("Running", "Pending")
        for field in ("initContainerStatuses", "containerStatuses")
        for status in (pod.get("status") or {}).get(field) or ()
    )
    return restarts > 0 if limit == 0 else restarts >= limit


def _failed_by_indexes(sync: Sync) -> Document | None:
    if sync.failed_indexes is None:
        return None
    failed, most = sync.failed_indexes.total(), sync.spec.get("maxFailedIndexes")
    if most is not None and failed > most:
        message = "Job has exceeded the specified maximal number of failed indexes"
        return _failure(sync, "MaxFailedIndexesExceeded", message)
    if failed and failed + sync.succeeded_indexes.total() >= sync.completions:
        return _failure(sync, "FailedIndexes", "Job has failed indexes")
    return None


def _succeeded_by_policy(sync: Sync) -> Document | None:
    policy = sync.spec.get("successPolicy") if sync.features.success_policy else None
    message = success_policy.met(policy, sync.completions, sync.succeeded_indexes)
    return new_condition(SUCCESS_CRITERIA_MET, "SuccessPolicy", message, sync.now) if message else None


def _failure(sync: Sync, reason: str, message: str) -> Document:
    type_ = FAILURE_TARGET if sync.features.delays_end else FAILED
    return new_condition(type_, reason, message, sync.now)

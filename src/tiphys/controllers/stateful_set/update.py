"""Replaces pods of other revisions, the highest ordinal first, once all is well (the end of updateStatefulSet)."""

from __future__ import annotations

from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.retry import is_not_found
from tiphys.controllers.deployment.arithmetic import scaled
from tiphys.controllers.stateful_set.identity import revision_of
from tiphys.controllers.stateful_set.rollout import Rollout
from tiphys.controllers.stateful_set.status import is_deleted

MAX_UNAVAILABLE_SINCE = 35
"""The first minor where rollingUpdate.maxUnavailable counts by default (MaxUnavailableStatefulSet)."""


async def replace_outdated(rollout: Rollout) -> None:
    """Delete what may go now; the next reconciles make it anew. Raises the API's StatusError."""
    candidates = rollout.replicas[_partition(rollout) :][::-1]
    if rollout.minor >= MAX_UNAVAILABLE_SINCE:
        await _within_budget(rollout, candidates)
    else:
        await _one_by_one(rollout, candidates)


def _partition(rollout: Rollout) -> int:
    """How many of the lowest ordinals stay as they are."""
    return int((rollout.strategy.get("rollingUpdate") or {}).get("partition") or 0)


async def _one_by_one(rollout: Rollout, candidates: list[Document]) -> None:
    for pod in candidates:
        if _is_outdated(rollout, pod):
            await _delete(rollout, pod)
            return
        if rollout.is_unavailable(pod):
            return


async def _within_budget(rollout: Rollout, candidates: list[Document]) -> None:
    """At most maxUnavailable pods away at a time, those counted that are so for other reasons."""
    allowed = (rollout.strategy.get("rollingUpdate") or {}).get("maxUnavailable")
    budget = 1 if allowed is None else max(1, scaled(allowed, rollout.total, False))
    budget -= sum(map(rollout.is_unavailable, rollout.replicas))
    outdated = [pod for pod in candidates if _is_outdated(rollout, pod)]
    for pod in outdated[: max(0, budget)]:
        await _delete(rollout, pod)


def _is_outdated(rollout: Rollout, pod: Document) -> bool:
    return revision_of(pod) != rollout.revisions.update_name and not is_deleted(pod)


async def _delete(rollout: Rollout, pod: Document) -> None:
    try:
        await rollout.control.delete(rollout.stateful_set, pod)
    except StatusError as error:
        if not is_not_found(error):
            raise
    rollout.status["currentReplicas"] = max(0, rollout.status["currentReplicas"] - 1)

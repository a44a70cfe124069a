"""RollingUpdate: new pods up and old pods down, within maxSurge and maxUnavailable (`deployment/rolling.go`)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.base.document import Document
from tiphys.controllers.deployment.arithmetic import (
    active,
    by_age,
    desired_total,
    max_unavailable,
    new_set_replicas,
    status_total,
)
from tiphys.controllers.deployment.progress import is_complete, sync_rollout_status
from tiphys.controllers.deployment.revision import sync_revision
from tiphys.controllers.deployment.rollout import Rollout
from tiphys.controllers.deployment.scaling import clean_up, scale_set
from tiphys.controllers.replica_set_status import wanted


async def roll(rollout: Rollout) -> None:
    """One step: up if there is room, else down if enough are available, else clean up; then tell."""
    new, old = await sync_revision(rollout, create=True)
    assert new is not None
    moved, new = await _scale_up(rollout, new, old)
    if not moved:
        moved, old = await _scale_down(rollout, new, old)
    if not moved and is_complete(rollout.deployment, rollout.status):
        await clean_up(rollout, old)
    await sync_rollout_status(rollout, new, old)


async def _scale_up(rollout: Rollout, new: Document, old: Sequence[Document]) -> tuple[bool, Document]:
    total = wanted(rollout.deployment)
    if wanted(new) == total:
        return False, new
    if wanted(new) > total:
        return await scale_set(rollout, new, total)
    return await scale_set(rollout, new, new_set_replicas(rollout.deployment, [*old, new], new))


async def _scale_down(rollout: Rollout, new: Document, old: list[Document]) -> tuple[bool, list[Document]]:
    """By what is above the minimum, counting as gone the new set's pods that are not available yet."""
    running = active(old)
    if not running:
        return False, old
    minimum = wanted(rollout.deployment) - max_unavailable(rollout.deployment)
    unavailable = wanted(new) - ((new.get("status") or {}).get("availableReplicas") or 0)
    most = desired_total([*old, new]) - minimum - unavailable
    if most <= 0:
        return False, old
    if any(_lags(each) for each in running):
        return False, old
    running, unhealthy = await _drop_unhealthy(rollout, by_age(running), most)
    running, healthy = await _drop_healthy(rollout, running, new, minimum)
    current = {each["metadata"]["uid"]: each for each in running}
    return unhealthy + healthy > 0, [current.get(each["metadata"]["uid"], each) for each in old]


def _lags(replica_set: Document) -> bool:
    """Its status tells of more available pods than it should have: it was scaled down and has not noticed.

    To count on those would take too many away; its next status brings us back (upstream finds this out as an
    invalid request to scale down).
    """
    return ((replica_set.get("status") or {}).get("availableReplicas") or 0) > wanted(replica_set)


async def _drop_unhealthy(rollout: Rollout, sets: list[Document], most: int) -> tuple[list[Document], int]:
    """Old pods that are not available go first: nobody misses them."""
    dropped = 0
    after = []
    for each in sets:
        unhealthy = wanted(each) - ((each.get("status") or {}).get("availableReplicas") or 0)
        count = max(0, min(most - dropped, unhealthy))
        if count:
            _, each = await scale_set(rollout, each, wanted(each) - count)
        after.append(each)
        dropped += count
    return after, dropped


async def _drop_healthy(
    rollout: Rollout, sets: list[Document], new: Document, minimum: int
) -> tuple[list[Document], int]:
    spare = status_total([*sets, new], "availableReplicas") - minimum
    dropped = 0
    after = []
    for each in sets:
        count = max(0, min(wanted(each), spare - dropped))
        if count:
            _, each = await scale_set(rollout, each, wanted(each) - count)
        after.append(each)
        dropped += count
    return after, dropped

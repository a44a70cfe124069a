"""Sizing replica sets: one, or all in proportion; and forgetting old ones (`deployment/sync.go`)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.retry import is_not_found
from tiphys.controllers.deployment.arithmetic import (
    DESIRED_REPLICAS,
    UNLIMITED,
    active,
    annotated,
    by_age,
    by_size_newer,
    by_size_older,
    desired_total,
    is_rolling,
    is_saturated,
    max_surge,
    proportion,
)
from tiphys.controllers.deployment.revision import FROM_ZERO_SINCE, replicas_annotations, sync_revision, write_set
from tiphys.controllers.deployment.rollout import APPS, Rollout
from tiphys.controllers.replica_set_status import wanted


async def is_scaling_event(rollout: Rollout) -> bool:
    """Whether spec.replicas changed since the active sets were sized."""
    new, old = await sync_revision(rollout, create=False)
    for each in active([*old, *([new] if new else [])]):
        desired = annotated(each, DESIRED_REPLICAS)
        if desired is not None and desired != wanted(rollout.deployment):
            return True
    return False


async def scale(rollout: Rollout, new: Document | None, old: Sequence[Document]) -> None:
    """Bring the sets to the deployment's size without moving the rollout on."""
    only = _active_or_latest(new, old)
    if only is not None:
        await scale_set(rollout, only, wanted(rollout.deployment))
    elif is_saturated(rollout.deployment, new):
        for each in active(old):
            await scale_set(rollout, each, 0)
    elif is_rolling(rollout.deployment):
        await _scale_in_proportion(rollout, active([*old, *([new] if new else [])]))


def _active_or_latest(new: Document | None, old: Sequence[Document]) -> Document | None:
    """The only active set, or with none active the newest; None if several are."""
    found = active([*old, *([new] if new else [])])
    if not found:
        return new or (by_age(old)[-1] if old else None)
    return found[0] if len(found) == 1 else None


async def _scale_in_proportion(rollout: Rollout, sets: Sequence[Document]) -> None:
    """Larger sets take more of the change; what rounding leaves goes to the largest."""
    total = wanted(rollout.deployment)
    allowed = total + max_surge(rollout.deployment) if total > 0 else 0
    to_add = allowed - desired_total(sets)
    ordered = by_size_newer(sets) if to_add > 0 else by_size_older(sets)
    added = 0
    sizes = []
    for each in ordered:
        share = proportion(each, rollout.deployment, to_add, added)
        sizes.append(wanted(each) + share)
        added += share
    if sizes and to_add:
        sizes[0] = max(0, sizes[0] + to_add - added)
    for each, size in zip(ordered, sizes, strict=True):
        await _write_size(rollout, each, size)


async def scale_set(rollout: Rollout, replica_set: Document, size: int) -> tuple[bool, Document]:
    """(whether it was scaled, the set as it is then); a set of that size already is left alone."""
    if wanted(replica_set) == size:
        return False, replica_set
    return await _write_size(rollout, replica_set, size)


async def _write_size(rollout: Rollout, replica_set: Document, size: int) -> tuple[bool, Document]:
    meta, before = replica_set["metadata"], wanted(replica_set)
    annotations = {**(meta.get("annotations") or {}), **replicas_annotations(rollout.deployment)}
    if before == size and annotations == meta.get("annotations"):
        return False, replica_set
    changed = {**replica_set, "metadata": {**meta, "annotations": annotations}}
    changed["spec"] = {**replica_set["spec"], "replicas": size}
    written = await write_set(rollout, changed)
    if before == size:
        return False, written
    rollout.say("ScalingReplicaSet", _scaled_words(rollout.minor, meta["name"], before, size))
    return True, written


def _scaled_words(minor: int, name: str, before: int, size: int) -> str:
    direction = "up" if before < size else "down"
    how = f"from {before} to {size}" if minor >= FROM_ZERO_SINCE else f"to {size} from {before}"
    return f"Scaled {direction} replica set {name} {how}"


async def clean_up(rollout: Rollout, old: Sequence[Document]) -> None:
    """Delete the oldest empty sets beyond revisionHistoryLimit."""
    limit = rollout.deployment["spec"].get("revisionHistoryLimit")
    if limit is None or limit == UNLIMITED:
        return
    alive = by_age(each for each in old if not each["metadata"].get("deletionTimestamp"))
    for each in alive[: max(0, len(alive) - limit)]:
        if _is_empty(each):
            await _delete(rollout, each)


def _is_empty(replica_set: Document) -> bool:
    status = replica_set.get("status") or {}
    observed = (replica_set["metadata"].get("generation") or 0) <= (status.get("observedGeneration") or 0)
    return observed and not wanted(replica_set) and not status.get("replicas")


async def _delete(rollout: Rollout, replica_set: Document) -> None:
    try:
        await rollout.client.delete(APPS, "replicasets", replica_set["metadata"]["name"], rollout.namespace)
    except StatusError as error:
        if not is_not_found(error):
            raise

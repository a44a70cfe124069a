"""Recreate: all old pods gone before the first new one (`deployment/recreate.go`)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.base.document import Document
from tiphys.controllers.deployment.arithmetic import active, status_total
from tiphys.controllers.deployment.progress import is_complete, sync_rollout_status
from tiphys.controllers.deployment.revision import sync_revision
from tiphys.controllers.deployment.rollout import Rollout
from tiphys.controllers.deployment.scaling import clean_up, scale_set
from tiphys.controllers.replica_set_status import wanted


async def recreate(rollout: Rollout) -> None:
    """One step; a pod that ends wakes the deployment for the next."""
    new, old = await sync_revision(rollout, create=False)
    running = active(old)
    for each in running:
        await scale_set(rollout, each, 0)
    if running or _old_pods_running(rollout, old):
        await sync_rollout_status(rollout, new, old)
        return
    if new is None:
        new, old = await sync_revision(rollout, create=True)
        assert new is not None
    _, new = await scale_set(rollout, new, wanted(rollout.deployment))
    if is_complete(rollout.deployment, rollout.status):
        await clean_up(rollout, old)
    await sync_rollout_status(rollout, new, old)


def _old_pods_running(rollout: Rollout, old: Sequence[Document]) -> bool:
    return status_total(old, "replicas") > 0 or any(rollout.pods_of(each) for each in old)

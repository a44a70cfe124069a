"""Deletes Jobs so long after they ended as `ttlSecondsAfterFinished` says (`pkg/controller/ttlafterfinished`)."""

from __future__ import annotations

import logging

from tiphys.base.document import Document, split_key
from tiphys.base.status import StatusError
from tiphys.client.retry import is_not_found
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.job_state import JOB, finished_condition
from tiphys.controllers.pod_state import time_of
from tiphys.controllers.reconciler import Reconciler

log = logging.getLogger(__name__)


class TtlAfterFinished(Reconciler):
    """Level-triggered by Job key."""

    name = "ttl-after-finished"

    def __init__(self, context: Context) -> None:
        self.jobs = context.informers.of(JOB.api_version, JOB.plural)
        super().__init__(context, [self.jobs])
        self.jobs.add_handlers(self._seen, lambda old, new: self._seen(new), None)

    def _seen(self, job: Document) -> None:
        if _expires_at(job) is not None:
            self.enqueue(job)

    async def reconcile(self, key: str) -> None:
        """What the cache says is asked of the API once more: the time may have been changed meanwhile."""
        job = self.jobs.items.get(key)
        if job is None or not self._has_expired(key, job):
            return
        namespace, name = split_key(key)
        try:
            fresh = await self.client.get(JOB.api_version, JOB.plural, name, namespace)
            if self._has_expired(key, fresh):
                uid = fresh["metadata"]["uid"]
                await self.client.delete(
                    JOB.api_version, JOB.plural, name, namespace, propagation="Foreground", uid=uid
                )
        except StatusError as error:
            if not is_not_found(error):
                raise

    def _has_expired(self, key: str, job: Document) -> bool:
        """If it will only expire later, it is looked at again then."""
        expires = _expires_at(job)
        if expires is None:
            return False
        left = expires - self.clock.now()
        if left > 0:
            self.queue.add_after(key, left)
        return left <= 0


def _expires_at(job: Document) -> float | None:
    """Seconds since the epoch; None for a Job that has not ended, is being deleted or may stay."""
    ttl, ended = (job.get("spec") or {}).get("ttlSecondsAfterFinished"), finished_condition(job)
    if ttl is None or ended is None or job["metadata"].get("deletionTimestamp"):
        return None
    at = time_of(ended.get("lastTransitionTime"))
    if not at:
        log.info("unable to find the time when the Job %s finished", job["metadata"]["name"])
        return None
    return float(at + ttl)


CONTROLLER = ControllerSpec("ttl-after-finished", TtlAfterFinished)

"""The Jobs of one CronJob: which are active, which have ended, which are kept."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.client import Client
from tiphys.client.events import NORMAL, WARNING, EventRecorder
from tiphys.controllers.job_state import COMPLETE, FAILED, JOB, finished_condition
from tiphys.controllers.pod_state import time_of

LIMITS = ((COMPLETE, "successfulJobsHistoryLimit"), (FAILED, "failedJobsHistoryLimit"))


def active(cron_job: Document) -> list[Document]:
    """The references in `status.active`."""
    return list((cron_job.get("status") or {}).get("active") or ())


def is_active(cron_job: Document, uid: str) -> bool:
    return any(reference.get("uid") == uid for reference in active(cron_job))


def remove_active(cron_job: Document, uid: str) -> None:
    status = cron_job["status"]
    left = [reference for reference in active(cron_job) if reference.get("uid") != uid]
    status.pop("active", None)
    if left:
        status["active"] = left


def reference_to(job: Document) -> Document:
    """As ref.GetReference makes it."""
    meta = job["metadata"]
    return {
        "kind": JOB.kind,
        "namespace": meta["namespace"],
        "name": meta["name"],
        "uid": meta["uid"],
        "apiVersion": JOB.api_version,
        "resourceVersion": meta.get("resourceVersion") or "",
    }


class Children:
    """`told_as` is upstream's word for how a Job ended: `condition` since 1.31, `status` before."""

    def __init__(self, client: Client, recorder: EventRecorder, told_as: str) -> None:
        self._client = client
        self._recorder = recorder
        self._told_as = told_as

    def note_ended(self, cron_job: Document, job: Document) -> bool:
        """Take an ended Job from the active ones and keep the time of the latest success; whether it was news."""
        condition, changed = finished_condition(job) or {}, False
        if is_active(cron_job, job["metadata"]["uid"]):
            remove_active(cron_job, job["metadata"]["uid"])
            told = f"Saw completed job: {job['metadata']['name']}, {self._told_as}: {condition.get('type')}"
            self._recorder.event(cron_job, NORMAL, "SawCompletedJob", told)
            changed = True
        ended = (job.get("status") or {}).get("completionTime")
        if condition.get("type") != COMPLETE or not ended:
            return changed
        if time_of(ended) <= time_of(cron_job["status"].get("lastSuccessfulTime")):
            return changed
        cron_job["status"]["lastSuccessfulTime"] = ended
        return True

    async def drop_missing(self, cron_job: Document, jobs: Sequence[Document]) -> bool:
        """Take Jobs that are no more from the active ones. Raises StatusError."""
        known, changed = {job["metadata"]["uid"] for job in jobs}, False
        for reference in active(cron_job):
            uid, name = reference.get("uid") or "", reference.get("name") or ""
            if uid in known or await self._exists(reference.get("namespace") or "", name):
                continue
            self._recorder.event(cron_job, NORMAL, "MissingJob", f"Active job went missing: {name}")
            remove_active(cron_job, uid)
            changed = True
        return changed

    async def clean_up(self, cron_job: Document, jobs: Sequence[Document]) -> bool:
        """Delete the oldest of those that have ended beyond the limits; whether any were deleted."""
        changed = False
        for type_, field in LIMITS:
            limit = cron_job["spec"].get(field)
            if limit is None:
                continue
            ended = [job for job in jobs if (finished_condition(job) or {}).get("type") == type_]
            for job in sorted(ended, key=_started)[: max(0, len(ended) - limit)]:
                changed = await self.delete(cron_job, job) or changed
        return changed

    async def delete(self, cron_job: Document, job: Document) -> bool:
        """A Job, its pods and its place among the active ones; whether that succeeded."""
        meta = job["metadata"]
        try:
            await self._client.delete(
                JOB.api_version, JOB.plural, meta["name"], meta["namespace"], propagation="Background"
            )
        except StatusError as error:
            self._recorder.event(cron_job, WARNING, "FailedDelete", f"Deleted job: {error.message}")
            return False
        remove_active(cron_job, meta["uid"])
        self._recorder.event(cron_job, NORMAL, "SuccessfulDelete", f"Deleted job {meta['name']}")
        return True

    async def _exists(self, namespace: str, name: str) -> bool:
        try:
            await self._client.get(JOB.api_version, JOB.plural, name, namespace)
        except StatusError as error:
            if error.reason == "NotFound":
                return False
            raise
        return True


def _started(job: Document) -> tuple[bool, str, str]:
    """Those that have not started come last."""
    start = (job.get("status") or {}).get("startTime") or ""
    return (not start, start, job["metadata"]["name"])

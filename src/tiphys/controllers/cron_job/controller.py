"""The controller of CronJobs: one reconcile looks after the Jobs there are and starts the one that is due."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime

from tiphys.base import cron_schedule
from tiphys.base.clock import rfc3339
from tiphys.base.cron_schedule import CronSchedule
from tiphys.base.document import Document, namespaced_name, owner_reference
from tiphys.base.field_error import quoted
from tiphys.base.status import StatusError
from tiphys.client.events import NORMAL, WARNING
from tiphys.client.retry import NAMESPACE_TERMINATING, has_cause, is_already_exists
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.controller_reference import (
    BY_CONTROLLER,
    ResourceKind,
    controller_reference,
    index_by_controller,
    resolve,
)
from tiphys.controllers.cron_job import children, run_time
from tiphys.controllers.cron_job.children import Children
from tiphys.controllers.job_state import JOB, is_finished
from tiphys.controllers.pod_state import time_of
from tiphys.controllers.reconciler import Reconciler
from tiphys.controllers.seen_version import SeenVersions

CRON_JOB = ResourceKind("batch/v1", "CronJob", "cronjobs")
SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
SCHEDULED_SINCE = 28
CONDITION_WORD_SINCE = 31
DOCUMENTATION = "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/"


class CronJobController(Reconciler):
    """Level-triggered by CronJob key, and by time."""

    name = "cronjob"

    def __init__(self, context: Context) -> None:
        self.cron_jobs = context.informers.of(CRON_JOB.api_version, CRON_JOB.plural)
        self.jobs = context.informers.of(JOB.api_version, JOB.plural)
        super().__init__(context, [self.cron_jobs, self.jobs])
        self.recorder = context.recorder("cronjob-controller")
        self.seen = SeenVersions()
        told_as = "condition" if context.minor >= CONDITION_WORD_SINCE else "status"
        self.children = Children(context.client, self.recorder, told_as)
        index_by_controller(self.jobs)
        self.cron_jobs.add_handlers(self.enqueue, self._updated, self.enqueue)
        self.jobs.add_handlers(self._wake_owner, self._job_updated, self._wake_owner)

    # Events

    def _wake_owner(self, job: Document) -> None:
        owner = resolve(owner_reference(job), job["metadata"]["namespace"], CRON_JOB, self.cron_jobs)
        if owner is not None:
            self.enqueue(owner)

    def _job_updated(self, old: Document, new: Document) -> None:
        if owner_reference(old) != owner_reference(new):
            self._wake_owner(old)
        self._wake_owner(new)

    def _updated(self, old: Document, new: Document) -> None:
        """With another schedule it is looked at when that says so."""
        if all(old["spec"].get(field) == new["spec"].get(field) for field in ("schedule", "timeZone")):
            self.enqueue(new)
            return
        try:
            schedule = run_time.schedule_of(new)
        except ValueError:
            message = f"unparseable schedule for cronjob: {new['spec'].get('schedule')}"
            self.recorder.event(new, WARNING, "UnParseableCronJobSchedule", message)
            return
        seconds = run_time.seconds_to_next(new, schedule, self.clock.now())
        self.queue.add_after(namespaced_name(new), seconds)

    # Reconciling

    async def reconcile(self, key: str) -> None:
        cached = self.cron_jobs.items.get(key)
        if cached is None:
            self.seen.forget(key)
            return
        if self.seen.is_behind(cached):
            return
        jobs = sorted(self.jobs.indexed(BY_CONTROLLER, cached["metadata"]["uid"]).values(), key=namespaced_name)
        cron_job = {**cached, "status": copy.deepcopy(cached.get("status") or {})}
        changed = await self.children.clean_up(cron_job, jobs)
        failure: StatusError | None = None
        try:
            cron_job = await self._look_after(cron_job, jobs)
            wait = await self._start_due(cron_job)
        except StatusError as error:
            wait, failure = None, error
        if changed or cron_job["status"] != (cached.get("status") or {}):
            namespace = cron_job["metadata"]["namespace"]
            self.seen.wrote(
                await self.client.update_status(CRON_JOB.api_version, CRON_JOB.plural, cron_job, namespace)
            )
        if failure is not None:
            raise failure
        if wait is not None:
            self.queue.add_after(key, wait)

    async def _look_after(self, cron_job: Document, jobs: Sequence[Document]) -> Document:
        """Bring the list of active Jobs up to date. Returns the CronJob, a newer version if the API has one."""
        for job in jobs:
            meta = job["metadata"]
            if is_finished(job):
                self.children.note_ended(cron_job, job)
            elif not children.is_active(cron_job, meta["uid"]):
                fresh = await self.client.get(
                    CRON_JOB.api_version, CRON_JOB.plural, cron_job["metadata"]["name"], meta["namespace"]
                )
                if children.is_active(fresh, meta["uid"]):
                    cron_job = {**fresh, "status": fresh.get("status") or {}}
                    continue
                message = f"Saw a job that the controller did not create or forgot: {meta['name']}"
                self.recorder.event(cron_job, WARNING, "UnexpectedJob", message)
        await self.children.drop_missing(cron_job, jobs)
        return cron_job

    async def _start_due(self, cron_job: Document) -> float | None:
        """Start the run that is due, if one is. Returns the seconds until the next; None if there is to be none."""
        spec, now = cron_job["spec"], self.clock.now()
        schedule = self._schedule(cron_job)
        if schedule is None:
            return None
        try:
            found = run_time.runs(cron_job, schedule, now, within_deadline=True)
        except ValueError as error:
            message = f"invalid schedule: {spec['schedule']} : {error}"
            self.recorder.event(cron_job, WARNING, "InvalidSchedule", message)
            return None
        if found.due is not None and found.missed > run_time.MANY:
            message = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
            self.recorder.event(cron_job, WARNING, "TooManyMissedTimes", message)
        if (
            found.due is not None
            and self._may_start(cron_job, found.due, now)
            and not await self._start(cron_job, found.due)
        ):
            return None
        return run_time.seconds_to_next(cron_job, schedule, now)

    def _schedule(self, cron_job: Document) -> CronSchedule | None:
        """None if nothing is to be started."""
        spec = cron_job["spec"]
        if cron_job["metadata"].get("deletionTimestamp"):
            return None
        zone, text = spec.get("timeZone"), str(spec.get("schedule") or "")
        if zone is not None and not cron_schedule.is_known_zone(zone):
            message = f"invalid timeZone: {quoted(zone)}: unknown time zone {zone}"
            self.recorder.event(cron_job, WARNING, "UnknownTimeZone", message)
            return None
        if spec.get("suspend"):
            return None
        if "TZ" in text:
            words = f"CRON_TZ or TZ used in schedule {quoted(text)} is not officially supported"
            message = f"{words}, see {DOCUMENTATION} for more details"
            self.recorder.event(cron_job, WARNING, "UnsupportedSchedule", message)
        try:
            return run_time.schedule_of(cron_job)
        except ValueError as error:
            message = f"unparseable schedule: {quoted(text)} : {error}"
            self.recorder.event(cron_job, WARNING, "UnparseableSchedule", message)
            return None

    def _may_start(self, cron_job: Document, due: float, now: float) -> bool:
        """Unless it is too late, was started already, or another one runs that may not be joined."""
        spec, status = cron_job["spec"], cron_job["status"]
        deadline = spec.get("startingDeadlineSeconds")
        if deadline is not None and due + deadline < now:
            message = f"Missed scheduled time to start a job: {_rfc1123(due)}"
            self.recorder.event(cron_job, WARNING, "MissSchedule", message)
            return False
        name = _job_name(cron_job, due)
        if any(each.get("name") == name for each in children.active(cron_job)):
            return False
        if time_of(status.get("lastScheduleTime")) == int(due):
            return False
        if spec.get("concurrencyPolicy") == "Forbid" and children.active(cron_job):
            message = "Not starting job because prior execution is running and concurrency policy is Forbid"
            self.recorder.event(cron_job, NORMAL, "JobAlreadyActive", message)
            return False
        return True

    async def _start(self, cron_job: Document, due: float) -> bool:
        """Make the Job of a run and put it among the active ones; False if it is another's. Raises StatusError."""
        if cron_job["spec"].get("concurrencyPolicy") == "Replace":
            await self._delete_active(cron_job)
        wanted = _job(cron_job, due, tells_time=self.context.minor >= SCHEDULED_SINCE)
        namespace = cron_job["metadata"]["namespace"]
        try:
            job = await self.client.create(JOB.api_version, JOB.plural, wanted, namespace)
            self.recorder.event(cron_job, NORMAL, "SuccessfulCreate", f"Created job {job['metadata']['name']}")
        except StatusError as error:
            if not is_already_exists(error):
                if not has_cause(error, NAMESPACE_TERMINATING):
                    message = f"Error creating job: {error.message}"
                    self.recorder.event(cron_job, WARNING, "FailedCreate", message)
                raise
            job = await self.client.get(JOB.api_version, JOB.plural, wanted["metadata"]["name"], namespace)
            ours = (owner_reference(job) or {}).get("uid") == cron_job["metadata"]["uid"]
            if not ours or children.is_active(cron_job, job["metadata"]["uid"]):
                return False
        cron_job["status"]["active"] = [*children.active(cron_job), children.reference_to(job)]
        cron_job["status"]["lastScheduleTime"] = rfc3339(due)
        return True

    async def _delete_active(self, cron_job: Document) -> None:
        for reference in children.active(cron_job):
            namespace, name = reference.get("namespace") or "", reference.get("name") or ""
            try:
                job = await self.client.get(JOB.api_version, JOB.plural, name, namespace)
            except StatusError as error:
                self.recorder.event(cron_job, WARNING, "FailedGet", f"Get job: {error.message}")
                raise
            if not await self.children.delete(cron_job, job):
                raise StatusError(500, "", f"could not replace job {namespace}/{name}")


def _job_name(cron_job: Document, due: float) -> str:
    """By the minute of the run, so that a run is never started twice."""
    return f"{cron_job['metadata']['name']}-{int(due) // 60}"


def _job(cron_job: Document, due: float, *, tells_time: bool) -> Document:
    template = cron_job["spec"].get("jobTemplate") or {}
    meta = template.get("metadata") or {}
    made: Document = {"name": _job_name(cron_job, due)}
    annotations = dict(meta.get("annotations") or {})
    if tells_time:
        annotations[SCHEDULED] = _in_zone(due, cron_job["spec"].get("timeZone") or "")
    for field, values in (("labels", meta.get("labels")), ("annotations", annotations)):
        if values:
            made[field] = values
    made["ownerReferences"] = [controller_reference(cron_job, CRON_JOB)]
    return {
        "apiVersion": JOB.api_version,
        "kind": JOB.kind,
        "metadata": made,
        "spec": template.get("spec") or {},
    }


def _in_zone(due: float, zone: str) -> str:
    """Go's RFC 3339: an offset of nothing is `Z`."""
    text = datetime.fromtimestamp(int(due), cron_schedule.zone_of(zone)).isoformat()
    return f"{text.removesuffix('+00:00')}Z" if text.endswith("+00:00") else text


def _rfc1123(seconds: float) -> str:
    """Go's time.RFC1123Z."""
    return format_datetime(datetime.fromtimestamp(int(seconds), cron_schedule.zone_of("")))


CONTROLLER = ControllerSpec("cronjob", CronJobController)

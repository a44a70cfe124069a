"""The controller of Jobs: hears of Jobs and pods, and reconciles Job by Job."""

from __future__ import annotations

import asyncio

from tiphys.base import label_selector
from tiphys.base.clock import rfc3339
from tiphys.base.document import Document, namespaced_name, owner_reference
from tiphys.base.status import StatusError
from tiphys.client.events import NORMAL, WARNING
from tiphys.client.work_queue import WorkQueue
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.controller_reference import (
    BY_CONTROLLER,
    Claimer,
    ResourceKind,
    index_by_controller,
    orphan_key,
    resolve,
)
from tiphys.controllers.expectations import Expectations
from tiphys.controllers.job import verdict
from tiphys.controllers.job.backoff import Backoff
from tiphys.controllers.job.condition import SUSPENDED, ensure, new_condition
from tiphys.controllers.job.features import features_of
from tiphys.controllers.job.orphan_pods import TRACKING, OrphanPods, is_managed_elsewhere, is_tracked
from tiphys.controllers.job.pods import JobPods
from tiphys.controllers.job.sync import Sync
from tiphys.controllers.job.tracking import FinalizerRemovals, Tracking
from tiphys.controllers.job_state import COMPLETE, JOB, is_finished
from tiphys.controllers.pod_control import PodControl
from tiphys.controllers.reconciler import Reconciler
from tiphys.controllers.seen_version import SeenVersions

POD = ResourceKind("v1", "Pod", "pods")
BATCH_SECONDS = 0.02
"""Pods' events within this time are looked at together. Upstream waits a second; nothing else hangs on it."""
SECONDS_PER_POD = 0.0001
FIRST_RETRY, LONGEST_RETRY = 0.02, 60.0


class JobController(Reconciler):
    """Level-triggered by Job key."""

    name = "job"

    def __init__(self, context: Context) -> None:
        self.jobs = context.informers.of(JOB.api_version, JOB.plural)
        self.pods = context.informers.of("v1", "pods")
        super().__init__(context, [self.jobs, self.pods])
        self.queue = WorkQueue(context.clock, FIRST_RETRY, LONGEST_RETRY)
        self.features = features_of(context.minor)
        self.recorder = context.recorder("job-controller")
        self.expectations = Expectations(context.clock)
        self.removals = FinalizerRemovals()
        self.seen = SeenVersions()
        self.backoffs: dict[str, Backoff] = {}
        self.orphans = OrphanPods(context, self.jobs, self.pods, self.features)
        control = PodControl(context.client, self.recorder)
        self.job_pods = JobPods(context.client, control, self.expectations, self.queue.add_after)
        self.tracking = Tracking(context.client, self.removals, self.seen.wrote, self._noted)
        index_by_controller(self.pods)
        self.jobs.add_handlers(self.enqueue, self._job_updated, self._job_deleted)
        self.pods.add_handlers(self._pod_added, self._pod_updated, self._pod_deleted)

    def start(self, group: asyncio.TaskGroup) -> None:
        group.create_task(self.orphans.run(), name="job orphan pods")

    # Events

    def _job_updated(self, old: Document, new: Document) -> None:
        """What only changed in its status is most likely our own doing."""
        if old["metadata"].get("generation") == new["metadata"].get("generation"):
            self._wake(new)
        else:
            self.enqueue(new)
        if is_finished(new):
            self.orphans.free_pods_of(new)

    def _job_deleted(self, job: Document) -> None:
        self.enqueue(job)
        self.orphans.free_pods_of(job)

    def _owner(self, pod: Document) -> Document | None:
        return resolve(owner_reference(pod), pod["metadata"]["namespace"], JOB, self.jobs)

    def _wake(self, job: Document) -> None:
        count = len(self.pods.indexed(BY_CONTROLLER, job["metadata"]["uid"]))
        self.queue.add_after(namespaced_name(job), BATCH_SECONDS + count * SECONDS_PER_POD)

    def _pod_added(self, pod: Document) -> None:
        if pod["metadata"].get("deletionTimestamp"):
            self._pod_leaves(pod, gone=False)
        elif owner_reference(pod) is None:
            self._orphan_seen(pod)
            self._wake_matching(pod)
        elif (job := self._owner(pod)) is not None:
            self.expectations.creation_observed(namespaced_name(job))
            self._wake(job)

    def _pod_updated(self, old: Document, new: Document) -> None:
        if new["metadata"].get("deletionTimestamp"):
            self._pod_leaves(new, gone=False)
            return
        before, now = owner_reference(old), owner_reference(new)
        for each in (old, new) if before != now else (new,):
            self._pod_changed(self._owner(each), new)
        if now is not None:
            return
        self._orphan_seen(new)
        if before is not None or old["metadata"].get("labels") != new["metadata"].get("labels"):
            self._wake_matching(new)

    def _pod_changed(self, job: Document | None, pod: Document) -> None:
        if job is None:
            return
        if not is_tracked(pod):
            self.removals.observed(namespaced_name(job), pod["metadata"]["uid"])
        self._wake(job)

    def _pod_deleted(self, pod: Document) -> None:
        self._pod_leaves(pod, gone=True)

    def _pod_leaves(self, pod: Document, gone: bool) -> None:
        """A pod that is being deleted, or is gone; nobody counts it if its Job is gone or has ended."""
        job = self._owner(pod)
        if job is None or is_finished(job):
            self._orphan_seen(pod)
            return
        key = namespaced_name(job)
        self.expectations.deletion_observed(key, namespaced_name(pod))
        if gone or not is_tracked(pod):
            self.removals.observed(key, pod["metadata"]["uid"])
        self._wake(job)

    def _orphan_seen(self, pod: Document) -> None:
        if is_tracked(pod):
            self.orphans.enqueue(pod)

    def _wake_matching(self, pod: Document) -> None:
        """A pod without controller: any Job that selects it may want it."""
        namespace, labels = pod["metadata"]["namespace"], pod["metadata"].get("labels")
        for job in self.jobs.items.values() if labels else ():
            if job["metadata"]["namespace"] != namespace:
                continue
            try:
                selector = label_selector.from_document(job["spec"].get("selector"))
            except ValueError:
                continue
            if not selector.empty and selector.matches(labels):
                self._wake(job)

    # Reconciling

    async def reconcile(self, key: str) -> None:
        job = self.jobs.items.get(key)
        if job is None:
            self._forget(key)
            return
        if is_finished(job):
            self.backoffs.pop(key, None)
        elif not is_managed_elsewhere(job, self.features) and not self.seen.is_behind(job):
            await self._sync(key, job)

    def _forget(self, key: str) -> None:
        self.expectations.forget(key)
        self.removals.forget(key)
        self.seen.forget(key)
        self.backoffs.pop(key, None)

    def _noted(self, sync: Sync) -> None:
        """Failures are kept in mind once they are written down."""
        self.backoffs[sync.key] = sync.backoff

    async def _sync(self, key: str, job: Document) -> None:
        satisfied = self.expectations.satisfied(key)
        pods = await self._pods_of(job)
        sync = Sync(job, pods, self.removals.expected(key), self.features, self.clock.now())
        if not sync.status.get("startTime") and not sync.suspended:
            sync.status["startTime"] = rfc3339(sync.now)
        sync.backoff = self.backoffs.get(key, Backoff()).after(sync.new_succeeded, sync.new_failed)
        sync.finished = verdict.decided(sync)
        changed = False
        if sync.finished is not None:
            complete, failure = await self.job_pods.delete_active(sync)
            if not complete or not satisfied:
                # There may be pods that are not known yet.
                sync.finished = None
        else:
            self._watch_deadline(sync)
            changed, failure = await self._go_on(sync, satisfied)
        changed = _tell_counts(sync, self.features.replacement_policy) or changed
        if await self.tracking.track(sync, changed):
            self._tell_end(sync)
        if failure is not None:
            raise failure

    async def _pods_of(self, job: Document) -> list[Document]:
        """Those it controls; orphans that match are adopted and tracked on the way."""
        meta = job["metadata"]
        try:
            selector = label_selector.from_document(job["spec"].get("selector"))
        except ValueError as error:
            raise StatusError(500, "", f"couldn't convert Job selector: {error}") from error
        owned = self.pods.indexed(BY_CONTROLLER, meta["uid"]).values()
        orphans = self.pods.indexed(BY_CONTROLLER, orphan_key(meta["namespace"])).values()
        claimer = Claimer(self.client, job, JOB, POD, selector, finalizer=TRACKING)
        claimed = await claimer.claim([*owned, *orphans])
        return [pod if owner_reference(pod) is not None else _tracked(pod) for pod in claimed]

    def _watch_deadline(self, sync: Sync) -> None:
        left = verdict.seconds_to_deadline(sync)
        if left is not None:
            self.queue.add_after(sync.key, left)

    async def _go_on(self, sync: Sync, satisfied: bool) -> tuple[bool, StatusError | None]:
        """A Job that has not failed: see to its pods, then whether it is complete. (status changed, error)."""
        failure: StatusError | None = None
        managed = satisfied and not sync.job["metadata"].get("deletionTimestamp")
        if managed:
            failure = await self.job_pods.manage(sync)
        enough = 1 if sync.spec.get("completions") is None else sync.completions
        if sync.succeeded >= enough and sync.active == 0:
            sync.finished = verdict.success(sync)
            return False, failure
        return managed and self._tell_suspension(sync), failure

    def _tell_suspension(self, sync: Sync) -> bool:
        """A Job that is resumed begins anew: its deadline counts the time it runs without a break."""
        if sync.suspended:
            word, condition = "Suspended", new_condition(SUSPENDED, "JobSuspended", "Job suspended", sync.now)
        else:
            word = "Resumed"
            condition = new_condition(SUSPENDED, "JobResumed", "Job resumed", sync.now, "False")
        if not ensure(sync.status, condition):
            return False
        self.recorder.event(sync.job, NORMAL, word, f"Job {word.lower()}")
        if not sync.suspended:
            sync.status["startTime"] = rfc3339(sync.now)
        elif self.features.clears_start:
            sync.status.pop("startTime", None)
        return True

    def _tell_end(self, sync: Sync) -> None:
        condition, completions = sync.finished or {}, sync.spec.get("completions")
        if condition.get("type") != COMPLETE:
            self.recorder.event(sync.job, WARNING, condition.get("reason") or "", condition.get("message") or "")
            return
        if completions is not None and sync.count("succeeded") > completions:
            message = "Too many succeeded pods running after completion count reached"
            self.recorder.event(sync.job, WARNING, "TooManySucceededPods", message)
        self.recorder.event(sync.job, NORMAL, "Completed", "Job completed")


def _tracked(pod: Document) -> Document:
    meta = pod["metadata"]
    return {**pod, "metadata": {**meta, "finalizers": [*(meta.get("finalizers") or ()), TRACKING]}}


def _tell_counts(sync: Sync, tells_terminating: bool) -> bool:
    """Set `active`, `ready` and `terminating`; whether one of them is another now."""
    status = sync.status
    told = {"active": sync.active or None, "ready": sync.ready}
    told["terminating"] = sync.terminating if tells_terminating else None
    changed = any(
        (status.get(name) or None if name == "active" else status.get(name)) != n for name, n in told.items()
    )
    for name, number in told.items():
        status.pop(name, None)
        if number is not None:
            status[name] = number
    return changed


CONTROLLER = ControllerSpec("job", JobController)

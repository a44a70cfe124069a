"""Takes the tracking finalizer off pods no Job counts any more, so that they can go (`syncOrphanPod`)."""

from __future__ import annotations

from tiphys.base.document import Document, namespaced_name, owner_reference
from tiphys.base.status import StatusError
from tiphys.client.client import Client
from tiphys.client.informer import Informer
from tiphys.client.retry import is_not_found
from tiphys.controllers.contract import Context
from tiphys.controllers.controller_reference import BY_CONTROLLER, resolve
from tiphys.controllers.finalizer import has_finalizer
from tiphys.controllers.job.features import Features
from tiphys.controllers.job_state import JOB, is_finished
from tiphys.controllers.reconciler import Reconciler

TRACKING = "batch.kubernetes.io/job-tracking"
MANAGER = "kubernetes.io/job-controller"


def is_tracked(pod: Document) -> bool:
    return has_finalizer(pod, TRACKING)


def is_managed_elsewhere(job: Document, features: Features) -> bool:
    """Whether the Job names another controller that is to run it (managedByExternalController)."""
    manager = (job.get("spec") or {}).get("managedBy")
    return features.managed_by and manager is not None and manager != MANAGER


async def untrack(client: Client, pod: Document) -> None:
    """Take the finalizer off. Raises StatusError."""
    meta = pod["metadata"]
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": [TRACKING]}}
    await client.patch("v1", "pods", meta["name"], patch, meta["namespace"], kind="strategic")


class OrphanPods(Reconciler):
    """Keys are pods that had the finalizer and nobody to count them when they were added."""

    name = "job orphan pods"
    workers = 1

    def __init__(self, context: Context, jobs: Informer, pods: Informer, features: Features) -> None:
        super().__init__(context, [jobs, pods])
        self.jobs = jobs
        self.pods = pods
        self.features = features

    def free_pods_of(self, job: Document) -> None:
        """The pods of a Job that is gone or has ended."""
        for pod in self.pods.indexed(BY_CONTROLLER, job["metadata"]["uid"]).values():
            if is_tracked(pod):
                self.queue.add(namespaced_name(pod))

    async def reconcile(self, key: str) -> None:
        pod = self.pods.items.get(key)
        if pod is None or not is_tracked(pod) or self._is_counted(pod):
            return
        try:
            await untrack(self.client, pod)
        except StatusError as error:
            if not is_not_found(error):
                raise

    def _is_counted(self, pod: Document) -> bool:
        reference = owner_reference(pod)
        if reference is None:
            return False
        if reference.get("kind") != JOB.kind or reference.get("apiVersion") != JOB.api_version:
            return True
        job = resolve(reference, pod["metadata"]["namespace"], JOB, self.jobs)
        return job is not None and (is_managed_elsewhere(job, self.features) or not is_finished(job))

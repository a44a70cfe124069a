"""Making and deleting the pods of a Job so that as many run as should (`manageJob`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice

from tiphys.base.document import Document, namespaced_name
from tiphys.base.status import StatusError
from tiphys.client.client import Client
from tiphys.client.retry import NAMESPACE_TERMINATING, has_cause, is_not_found
from tiphys.controllers.controller_reference import controller_reference
from tiphys.controllers.expectations import Expectations
from tiphys.controllers.job import completion_index
from tiphys.controllers.job.backoff import remaining_for_index
from tiphys.controllers.job.completion_index import index_of, valid_index
from tiphys.controllers.job.orphan_pods import TRACKING, is_tracked, untrack
from tiphys.controllers.job.sync import Sync
from tiphys.controllers.job_state import JOB
from tiphys.controllers.pod_control import PodControl, gather_failures, slow_start
from tiphys.controllers.pod_ranking import active_order
from tiphys.controllers.pod_state import is_ready

MOST_PODS_A_SYNC = 500


class JobPods:
    """Acts on the pods of one sync and keeps its counts; `later` has the Job looked at again in so many seconds."""

    def __init__(
        self,
        client: Client,
        control: PodControl,
        expectations: Expectations,
        later: Callable[[str, float], None],
    ) -> None:
        self._client = client
        self._control = control
        self._expectations = expectations
        self._later = later

    async def delete_active(self, sync: Sync) -> tuple[bool, StatusError | None]:
        """Delete what is active but leave the finalizers, for these pods are still to be counted.

        Returns whether all went, and an error.
        """

        async def delete(pod: Document) -> None:
            await self._delete(pod, sync)

        failures = await gather_failures([delete(pod) for pod in sync.active_pods])
        self._gone(sync, sync.active_pods, len(failures))
        return not failures, failures[0] if failures else None

    async def manage(self, sync: Sync) -> StatusError | None:
        """Delete if there are too many or the Job is suspended, else make what is missing. Returns an error."""
        if sync.suspended:
            return await self._delete_uncounted(sync, _doomed(sync, sync.active))
        wanted = _wanted_active(sync)
        doomed = _doomed(sync, max(0, sync.active - wanted))[:MOST_PODS_A_SYNC]
        if doomed:
            return await self._delete_uncounted(sync, doomed)
        ending = sync.terminating if sync.replaces_only_failed else 0
        missing = wanted - ending - sync.active
        return await self._make(sync, min(missing, MOST_PODS_A_SYNC)) if missing > 0 else None

    # Deleting

    async def _delete(self, pod: Document, sync: Sync) -> None:
        try:
            await self._control.delete(pod["metadata"]["name"], sync.job)
        except StatusError as error:
            if not is_not_found(error):
                raise

    async def _delete_uncounted(self, sync: Sync, pods: Sequence[Document]) -> StatusError | None:
        """Delete pods that never were to be: they neither succeed nor fail, so they lose their finalizer first."""
        key = sync.key
        self._expectations.expect_deletions(key, [namespaced_name(pod) for pod in pods])

        async def delete(pod: Document) -> None:
            try:
                if is_tracked(pod):
                    await untrack(self._client, pod)
                await self._control.delete(pod["metadata"]["name"], sync.job)
            except BaseException as error:
                self._expectations.deletion_observed(key, namespaced_name(pod))
                if not is_not_found(error):
                    raise

        failures = await gather_failures([delete(pod) for pod in pods])
        self._gone(sync, pods, len(failures))
        return failures[0] if failures else None

    def _gone(self, sync: Sync, pods: Sequence[Document], failed: int) -> None:
        sync.active -= len(pods) - failed
        sync.terminating += len(pods) - failed
        sync.ready -= sum(map(is_ready, pods))

    # Making

    async def _make(self, sync: Sync, count: int) -> StatusError | None:
        indexes: list[int] | None = None
        wait = 0.0 if sync.per_index else sync.backoff.remaining(sync.now, sync.features.longest_backoff)
        if wait <= 0 and sync.indexed:
            indexes, wait = _indexes_to_make(sync, count)
            count = len(indexes)
        if wait > 0:
            self._later(sync.key, wait)
            # Upstream's word for "not now": until then none counts as active.
            sync.active = 0
            return None
        return await self._make_now(sync, count, indexes)

    async def _make_now(self, sync: Sync, count: int, indexes: Sequence[int] | None) -> StatusError | None:
        key, job = sync.key, sync.job
        self._expectations.expect_creations(key, count)
        reference = controller_reference(job, JOB)
        templates = _templates(sync, count, indexes)
        made = 0

        async def create() -> None:
            nonlocal made
            template, prefix = next(templates)
            try:
                await self._control.create(template, job, reference, generate_name=prefix)
                made += 1
            except StatusError as error:
                if not has_cause(error, NAMESPACE_TERMINATING):
                    raise

        try:
            _, failure = await slow_start(count, create)
        finally:
            self._expectations.creation_observed(key, count - made)
        sync.active += made
        return failure


def _wanted_active(sync: Sync) -> int:
    """Without completions, as many as may run in parallel until one has succeeded; from then on what runs runs on."""
    parallelism: int = sync.spec.get("parallelism") or 0
    if sync.spec.get("completions") is None:
        return sync.active if sync.succeeded > 0 else parallelism
    return max(0, min(sync.completions - sync.succeeded, parallelism))


def _indexes_to_make(sync: Sync, count: int) -> tuple[list[int], float]:
    """The lowest of the missing indexes; where each backs off on its own, of these the ones whose time has come, or
    the seconds until it comes for the first of them."""
    indexes = list(islice(sync.pending_indexes(), count))
    if not sync.per_index:
        return indexes, 0.0
    longest = sync.features.longest_backoff
    waits = {index: remaining_for_index(sync.replaced.get(index), sync.now, longest) for index in indexes}
    now = [index for index in indexes if waits[index] <= 0]
    return now, 0.0 if now else min(waits.values(), default=0.0)


def _templates(sync: Sync, count: int, indexes: Sequence[int] | None) -> Iterator[tuple[Document, str]]:
    """(pod template, prefix of the name or none) of each pod to make."""
    template: Document = sync.spec["template"]
    meta = template.get("metadata") or {}
    finalizers = list(meta.get("finalizers") or ())
    tracked = finalizers if TRACKING in finalizers else [*finalizers, TRACKING]
    template = {**template, "metadata": {**meta, "finalizers": tracked}}
    if indexes is None:
        for _ in range(count):
            yield template, ""
        return
    template = completion_index.with_environment(template, sync.features.index_label)
    for index in indexes:
        yield _indexed(sync, template, index), completion_index.name_prefix(sync.job["metadata"]["name"], index)


def _indexed(sync: Sync, template: Document, index: int) -> Document:
    """The index as annotation, label and hostname; and how often it has failed where that counts by index."""
    meta = dict(template["metadata"])
    annotations = {**(meta.get("annotations") or {}), completion_index.ANNOTATION: str(index)}
    if sync.features.index_label:
        meta["labels"] = {**(meta.get("labels") or {}), completion_index.ANNOTATION: str(index)}
    if sync.per_index:
        annotations |= _failure_counts(sync, sync.replaced.get(index))
    meta["annotations"] = annotations
    spec = {**template["spec"], "hostname": f"{sync.job['metadata']['name']}-{index}"}
    return {**template, "metadata": meta, "spec": spec}


def _failure_counts(sync: Sync, replaced: Document | None) -> dict[str, str]:
    if replaced is None:
        return {completion_index.FAILURES: "0"}
    counts = sync.match(replaced).counts
    counted = completion_index.failures(replaced) + counts
    ignored = completion_index.ignored_failures(replaced) + (not counts)
    found = {completion_index.FAILURES: str(counted)}
    if ignored:
        found[completion_index.IGNORED_FAILURES] = str(ignored)
    return found


def _doomed(sync: Sync, at_least: int) -> list[Document]:
    """Active pods to delete: of an Indexed Job all that have no index of their own, then the least useful."""
    doomed: list[Document] = []
    left = list(sync.active_pods)
    if sync.indexed:
        doomed, left = _superfluous(sync.active_pods, sync.completions)
    if len(doomed) < at_least:
        doomed += sorted(left, key=active_order)[: at_least - len(doomed)]
    return doomed


def _superfluous(pods: Iterable[Document], completions: int) -> tuple[list[Document], list[Document]]:
    """(pods without a valid index or with one that a better pod has too, the others)."""
    doomed, left = [], []
    for index, group in groupby(pods, key=index_of):
        same = sorted(group, key=active_order)
        if index is None or valid_index(same[0], completions) is None:
            doomed += same
        else:
            doomed += same[:-1]
            left.append(same[-1])
    return doomed, left

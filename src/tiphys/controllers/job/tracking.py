"""Counting ended pods, each exactly once, whatever is lost on the way (`trackJobStatusAndRemoveFinalizers`).

An ended pod is first noted in `status.uncountedTerminatedPods`, then freed of its finalizer, then taken from there
into the counts. If the process ends in between, the finalizer and the note tell how far it came.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.client import Client
from tiphys.client.retry import is_not_found
from tiphys.controllers.job.completion_index import Intervals, index_of, valid_index
from tiphys.controllers.job.condition import FAILURE_TARGET, SUCCESS_CRITERIA_MET, ensure, true_condition
from tiphys.controllers.job.orphan_pods import untrack
from tiphys.controllers.job.sync import Sync
from tiphys.controllers.job.verdict import final
from tiphys.controllers.job_state import COMPLETE, JOB
from tiphys.controllers.pod_state import phase

MOST_UNCOUNTED = 500
"""Pods noted in one go, so that the status stays below 20 KB and one Job does not keep others waiting."""


class FinalizerRemovals:
    """Per Job, the uids of pods whose finalizer was taken off, until the cache shows it."""

    def __init__(self) -> None:
        self._expected: dict[str, set[str]] = {}

    def expect(self, key: str, uid: str) -> None:
        self._expected.setdefault(key, set()).add(uid)

    def observed(self, key: str, uid: str) -> None:
        expected = self._expected.get(key)
        if expected is not None:
            expected.discard(uid)

    def expected(self, key: str) -> frozenset[str]:
        return frozenset(self._expected.get(key, ()))

    def forget(self, key: str) -> None:
        self._expected.pop(key, None)


class Tracking:
    """Writes one Job's status; `wrote` is called with every version written, `noted` after the first write."""

    def __init__(
        self,
        client: Client,
        removals: FinalizerRemovals,
        wrote: Callable[[Document], None],
        noted: Callable[[Sync], None],
    ) -> None:
        self._client = client
        self._removals = removals
        self._wrote = wrote
        self._noted = noted

    async def track(self, sync: Sync, changed: bool) -> bool:
        """Bring the status up to date; `changed` says it is not already. Returns whether the Job has ended now.

        Raises StatusError; the next reconcile goes on from there.
        """
        unfreed = {pod["metadata"]["uid"] for pod in sync.pods if sync.is_pending_count(pod)}
        changed = _count(sync, unfreed) or changed
        noted, freed, complete = _note_ended_pods(sync)
        changed = noted or changed
        changed = _note_end(sync) or changed
        if changed:
            await self._write(sync)
            self._noted(sync)
        failures = await self._free(sync, freed, unfreed)
        changed = _count(sync, unfreed)
        if failures:
            if changed:
                await self._write(sync)
            raise failures[0]
        ended = complete and _end(sync)
        if changed or ended:
            await self._write(sync)
        return ended

    async def _write(self, sync: Sync) -> None:
        made = await self._client.update_status(
            JOB.api_version, JOB.plural, sync.job, sync.job["metadata"]["namespace"]
        )
        self._wrote(made)
        sync.job = made
        sync.uncounted()

    async def _free(self, sync: Sync, pods: Sequence[Document], unfreed: set[str]) -> list[StatusError]:
        """Take the finalizers off; `unfreed` keeps the uids of those where it failed."""
        key, failures = sync.key, []
        for pod in pods:
            self._removals.expect(key, pod["metadata"]["uid"])
        results = await asyncio.gather(*(untrack(self._client, pod) for pod in pods), return_exceptions=True)
        for pod, result in zip(pods, results, strict=True):
            uid = pod["metadata"]["uid"]
            if result is not None:
                self._removals.observed(key, uid)
            if result is None or is_not_found(result):
                unfreed.discard(uid)
            elif isinstance(result, StatusError):
                failures.append(result)
            else:
                raise result
        return failures


def _count(sync: Sync, unfreed: set[str]) -> bool:
    """Take pods that have lost their finalizer from the notes into the counts; whether there were any."""
    uncounted, changed = sync.uncounted(), False
    for name in ("succeeded", "failed"):
        noted = uncounted.get(name) or []
        left = [uid for uid in noted if uid in unfreed]
        if len(left) == len(noted):
            continue
        changed = True
        sync.status[name] = sync.count(name) + len(noted) - len(left)
        uncounted.pop(name, None)
        if left:
            uncounted[name] = left
    return changed


def _note_ended_pods(sync: Sync) -> tuple[bool, list[Document], bool]:
    """(whether the status has changed, the pods to free of their finalizer, whether these are all)."""
    changed, freed, indexes = False, [], []
    complete = True
    for pod in sync.pods:
        if not sync.is_pending_count(pod) or not _can_be_freed(sync, pod):
            continue
        freed.append(pod)
        if phase(pod) == "Succeeded" and pod["metadata"]["uid"] not in sync.uncounted_failed:
            if sync.indexed:
                index = valid_index(pod, sync.completions)
                if index is not None and index not in sync.previous_indexes:
                    indexes.append(index)
            else:
                changed = _note(sync, "succeeded", pod) or changed
        elif _counts_as_failed(sync, pod):
            changed = _note(sync, "failed", pod) or changed
        if len(indexes) + sum(map(len, sync.uncounted().values())) >= MOST_UNCOUNTED:
            complete = False
            break
    if sync.indexed:
        changed = _note_indexes(sync, indexes) or changed
    return changed, freed, complete


def _note(sync: Sync, name: str, pod: Document) -> bool:
    before = sync.uncounted_succeeded if name == "succeeded" else sync.uncounted_failed
    if pod["metadata"]["uid"] in before:
        return False
    sync.uncounted().setdefault(name, []).append(pod["metadata"]["uid"])
    return True


def _counts_as_failed(sync: Sync, pod: Document) -> bool:
    """When a Job ends otherwise than by its success policy, pods that have not ended have failed."""
    ending = sync.finished is not None and sync.finished["type"] != SUCCESS_CRITERIA_MET
    if not ending and not sync.has_failed(pod):
        return False
    if sync.indexed and valid_index(pod, sync.completions) is None:
        return False
    return sync.match(pod).counts


def _note_indexes(sync: Sync, indexes: Sequence[int]) -> bool:
    """Of an Indexed Job the indexes themselves are the note."""
    status, done = sync.status, sync.succeeded_indexes | Intervals.of(indexes)
    old = (status.get("completedIndexes") or "", status.get("failedIndexes"))
    _set(status, "completedIndexes", str(done))
    _set(status, "succeeded", done.total())
    status.pop("failedIndexes", None)
    if sync.failed_indexes is not None:
        status["failedIndexes"] = str(sync.failed_indexes)
    return bool(indexes) or old != (str(done), status.get("failedIndexes"))


def _set(status: Document, name: str, value: object) -> None:
    """Nothing and zero are not told."""
    if value:
        status[name] = value
    else:
        status.pop(name, None)


def _can_be_freed(sync: Sync, pod: Document) -> bool:
    """A failed pod of an index waits for the one that replaces it (canRemoveFinalizer)."""
    ending = sync.job["metadata"].get("deletionTimestamp") or sync.finished is not None
    if ending or phase(pod) == "Succeeded":
        return True
    if not sync.has_failed(pod):
        return False
    index = index_of(pod)
    waiting = sync.replaced.get(index) if index is not None else None
    return waiting is None or waiting["metadata"]["uid"] != pod["metadata"]["uid"]


def _note_end(sync: Sync) -> bool:
    """The condition that announces the end is told before the pods are freed; whether it was new."""
    condition = sync.finished
    if condition is None or condition["type"] not in (FAILURE_TARGET, SUCCESS_CRITERIA_MET):
        return False
    sync.finished = final(condition, sync.now)
    if true_condition(sync.status, condition["type"]) is not None:
        return False
    return ensure(sync.status, condition)


def _end(sync: Sync) -> bool:
    """Set the final condition if nothing stands in its way any more (enactJobFinished)."""
    condition = sync.finished
    if condition is None or any(sync.uncounted().values()):
        return False
    if sync.features.delays_end and sync.terminating > 0:
        return False
    ensure(sync.status, condition)
    if condition["type"] == COMPLETE:
        sync.status["completionTime"] = condition["lastTransitionTime"]
    return True

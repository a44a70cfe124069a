"""One reconcile's view of a Job: its pods sorted by what they are, and the counts that follow."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property

from tiphys.base.document import Document, namespaced_name
from tiphys.controllers.job import pod_failure_policy
from tiphys.controllers.job.backoff import Backoff, finished_at
from tiphys.controllers.job.completion_index import Intervals, all_failures, failures, index_of, valid_index
from tiphys.controllers.job.features import Features
from tiphys.controllers.job.orphan_pods import is_tracked
from tiphys.controllers.pod_state import is_active, is_ready, is_terminating, phase


@dataclass(eq=False)
class Sync:
    """`job` is a copy whose status is written to; `removing` are the uids of pods whose finalizer was taken off
    though the cache still shows it; `finished` is the condition with which the Job ends, once that is known.

    `succeeded` and `failed` are the pods that have, whether the status counts them already or not;
    `previous_indexes` are those the status knows to have succeeded, `succeeded_indexes` all.
    """

    job: Document
    pods: Sequence[Document]
    removing: AbstractSet[str]
    features: Features
    now: float
    backoff: Backoff = field(default_factory=Backoff)
    finished: Document | None = None
    active: int = field(init=False)
    ready: int = field(init=False)
    terminating: int = field(init=False)

    def __post_init__(self) -> None:
        self.pods = sorted(self.pods, key=_order)
        self.job = {**self.job, "status": copy.deepcopy(self.job.get("status") or {})}
        self.uncounted()
        before = self.status["uncountedTerminatedPods"]
        self.uncounted_succeeded = frozenset(before.get("succeeded") or ())
        self.uncounted_failed = frozenset(before.get("failed") or ())
        self.active_pods = [pod for pod in self.pods if is_active(pod)]
        self.active = len(self.active_pods)
        self.ready = sum(map(is_ready, self.active_pods))
        self.terminating = sum(map(is_terminating, self.pods))
        self.new_succeeded = list(self._uncounted_pods(self.uncounted_succeeded, _has_succeeded))
        self.new_failed = list(self._uncounted_pods(self.uncounted_failed, self.has_failed))
        self.previous_indexes = Intervals.parse(self.status.get("completedIndexes") or "", self.completions)
        self.succeeded_indexes = self.previous_indexes | self._indexes_of(_has_succeeded)
        self.failed_indexes = self._failed_indexes()
        self.succeeded = self._succeeded()
        counted = sum(self.match(pod).counts for pod in self.new_failed)
        self.failed = self.count("failed") + counted + len(self.uncounted_failed)

    # The Job

    @property
    def key(self) -> str:
        return namespaced_name(self.job)

    @property
    def spec(self) -> Document:
        spec: Document = self.job["spec"]
        return spec

    @property
    def status(self) -> Document:
        status: Document = self.job["status"]
        return status

    @property
    def policy(self) -> Document | None:
        policy: Document | None = self.spec.get("podFailurePolicy") if self.features.pod_failure_policy else None
        return policy

    @property
    def suspended(self) -> bool:
        return bool(self.spec.get("suspend"))

    @property
    def indexed(self) -> bool:
        return self.spec.get("completionMode") == "Indexed"

    @property
    def completions(self) -> int:
        """Of a Job that has them, as every Indexed one."""
        return self.spec.get("completions") or 0

    @property
    def per_index(self) -> bool:
        return self.features.backoff_limit_per_index and self.spec.get("backoffLimitPerIndex") is not None

    @property
    def replaces_only_failed(self) -> bool:
        """Whether a pod that is terminating is replaced only when it has ended (onlyReplaceFailedPods)."""
        asked = self.features.replacement_policy and self.spec.get("podReplacementPolicy") == "Failed"
        return asked or self.policy is not None

    def uncounted(self) -> dict[str, list[str]]:
        """`status.uncountedTerminatedPods`: uids of pods that have ended but not been added to the counts."""
        found: dict[str, list[str]] = self.status.setdefault("uncountedTerminatedPods", {})
        return found

    def count(self, name: str) -> int:
        return self.status.get(name) or 0

    # Its pods

    def has_failed(self, pod: Document) -> bool:
        """Failed, or as good as: being deleted may be all that is ever heard of a pod (isPodFailed)."""
        if phase(pod) == "Failed":
            return True
        if self.replaces_only_failed:
            return False
        return bool(pod["metadata"].get("deletionTimestamp")) and phase(pod) != "Succeeded"

    def is_pending_count(self, pod: Document) -> bool:
        """Whether it still has the finalizer, so far as is known."""
        return is_tracked(pod) and pod["metadata"]["uid"] not in self.removing

    def match(self, pod: Document) -> pod_failure_policy.Match:
        return pod_failure_policy.match(self.policy, pod, self.features)

    def _uncounted_pods(self, uncounted: AbstractSet[str], wanted: Callable[[Document], bool]) -> Iterator[Document]:
        """Those with the finalizer, not among the uids, and with an index of the Job's if it has any."""
        for pod in self.pods:
            if not self.is_pending_count(pod) or pod["metadata"]["uid"] in uncounted:
                continue
            if (not self.indexed or valid_index(pod, self.completions) is not None) and wanted(pod):
                yield pod

    def _succeeded(self) -> int:
        """Pods that have succeeded, counted or not; of an Indexed Job its indexes."""
        if self.indexed:
            return self.succeeded_indexes.total()
        return self.count("succeeded") + len(self.new_succeeded) + len(self.uncounted_succeeded)

    # Its indexes

    def _failed_indexes(self) -> Intervals | None:
        """None unless indexes can fail on their own."""
        if not (self.indexed and self.per_index):
            return None
        previous = Intervals.parse(self.status.get("failedIndexes") or "", self.completions)
        return previous | self._indexes_of(self._fails_index)

    def _indexes_of(self, wanted: Callable[[Document], bool]) -> Intervals:
        found = set()
        for pod in self.pods:
            index = valid_index(pod, self.completions)
            if index is not None and is_tracked(pod) and wanted(pod):
                found.add(index)
        return Intervals.of(found)

    def _fails_index(self, pod: Document) -> bool:
        if not self.has_failed(pod):
            return False
        match = self.match(pod)
        if match.action == pod_failure_policy.FAIL_INDEX:
            return True
        return match.counts and failures(pod) >= (self.spec.get("backoffLimitPerIndex") or 0)

    @cached_property
    def active_indexes(self) -> Intervals:
        return Intervals.of(index for pod in self.active_pods if (index := index_of(pod)) is not None)

    @cached_property
    def replaced(self) -> dict[int, Document]:
        """Per index the failed pod that is kept until the one that replaces it has taken over its count of failures
        (getPodsWithDelayedDeletionPerIndex)."""
        found: dict[int, Document] = {}
        if self.failed_indexes is None:
            return found
        for pod in self._uncounted_pods(frozenset(), self.has_failed):
            index = index_of(pod)
            if index is None or index in self.succeeded_indexes or index in self.failed_indexes:
                continue
            if index in self.active_indexes:
                continue
            if index not in found or _is_later(pod, found[index]):
                found[index] = pod
        return found

    def pending_indexes(self) -> Iterator[int]:
        """Those that have neither succeeded nor failed and no pod, lowest first (firstPendingIndexes)."""
        taken = self.succeeded_indexes | self.active_indexes
        if self.replaces_only_failed:
            ending = (index_of(pod) for pod in self.pods if is_terminating(pod))
            taken |= Intervals.of(index for index in ending if index is not None)
        if self.failed_indexes is not None:
            taken |= self.failed_indexes
        return taken.missing(self.completions)


def _has_succeeded(pod: Document) -> bool:
    return phase(pod) == "Succeeded"


def _is_later(pod: Document, other: Document) -> bool:
    return all_failures(other) <= all_failures(pod) and finished_at(pod) >= finished_at(other)


def _order(pod: Document) -> tuple[int, str, str]:
    """By index, so that indexes are counted in order, then by age."""
    index, meta = index_of(pod), pod["metadata"]
    return (-1 if index is None else index, meta.get("creationTimestamp") or "", meta["name"])

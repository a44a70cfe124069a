"""One step of a set towards its pods (updateStatefulSet): missing ones are made, those too many deleted, and only
when all are well are old ones replaced.

With OrderedReady a step is one pod, and a pod that is not available stops everything behind it: a broken pod stays
broken until somebody mends or deletes it. With Parallel making and deleting do not wait for anything.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from tiphys.base.clock import Clock
from tiphys.base.document import Document
from tiphys.controllers.pod_control import slow_start
from tiphys.controllers.pod_state import is_available, is_terminal, phase
from tiphys.controllers.replica_set_status import wanted
from tiphys.controllers.stateful_set.identity import (
    identity_matches,
    new_pod,
    ordinal_of,
    ordinals,
    start_ordinal,
    storage_matches,
)
from tiphys.controllers.stateful_set.pod_control import StatefulPodControl
from tiphys.controllers.stateful_set.revisions import Revisions
from tiphys.controllers.stateful_set.status import counts, is_created, is_deleted, is_running_and_ready

Step = Callable[[Document], Awaitable[bool]]
"""Acts on a pod; true means that nothing further may be done for now."""


@dataclass
class Rollout:
    """One reconcile's view of a set. After `step` the status is in `status`, even if it raised."""

    stateful_set: Document
    revisions: Revisions
    pods: Sequence[Document]
    control: StatefulPodControl
    clock: Clock
    minor: int
    status: Document = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.now = self.clock.now()
        spec = self.stateful_set["spec"]
        self.min_ready = int(spec.get("minReadySeconds") or 0)
        self.monotonic: bool = spec.get("podManagementPolicy") != "Parallel"
        self.strategy = spec.get("updateStrategy") or {}
        self.replicas = self._replicas()
        inside = ordinals(self.stateful_set, self.minor)
        outside = [pod for pod in self.pods if ordinal_of(pod) >= 0 and ordinal_of(pod) not in inside]
        self.condemned = sorted(outside, key=ordinal_of, reverse=True)
        self.first_unavailable = next(filter(self.is_unavailable, [*self.replicas, *self.condemned[::-1]]), None)

    def _replicas(self) -> list[Document]:
        """A pod for each ordinal, in order; those there are none of are as they would be made."""
        found = {ordinal_of(pod): pod for pod in self.pods}
        return [found.get(ordinal) or self._versioned(ordinal) for ordinal in ordinals(self.stateful_set, self.minor)]

    def _versioned(self, ordinal: int) -> Document:
        """Below the partition at the current revision, else at the update's (newVersionedStatefulSetPod)."""
        revisions, stateful_set = self.revisions, self.stateful_set
        if self.strategy.get("type") == "RollingUpdate" and ordinal < self._first_updated():
            template, name = revisions.current_template, revisions.current_name
        else:
            template, name = revisions.update_template, revisions.update_name
        return new_pod(stateful_set, template, name, ordinal, self.minor)

    def _first_updated(self) -> int:
        start = start_ordinal(self.stateful_set, self.minor)
        rolling = self.strategy.get("rollingUpdate")
        if rolling is None:
            return start + int((self.stateful_set.get("status") or {}).get("currentReplicas") or 0)
        return start + int(rolling.get("partition") or 0)

    def is_unavailable(self, pod: Document) -> bool:
        return is_deleted(pod) or not is_available(pod, self.min_ready, self.now)

    async def step(self) -> bool:
        """Whether pods may now be replaced by those of a new revision. Raises the API's StatusError."""
        self.status = {
            "observedGeneration": self.stateful_set["metadata"].get("generation") or 0,
            "currentRevision": self.revisions.current_name,
            "updateRevision": self.revisions.update_name,
            "collisionCount": self.revisions.collisions,
        }
        self._count(self.pods)
        if self.stateful_set["metadata"].get("deletionTimestamp"):
            return False
        try:
            for pods, act in (
                (self.replicas, self._keep),
                (self.condemned, self._mend_claims),
                (self.condemned, self._condemn),
            ):
                if await self._for_all(pods, act):
                    return False
        finally:
            self._count([*self.replicas, *self.condemned])
        return self.strategy.get("type") != "OnDelete"

    def _count(self, pods: Sequence[Document]) -> None:
        names = self.revisions.current_name, self.revisions.update_name
        self.status |= counts(pods, self.min_ready, *names, self.now)

    async def _for_all(self, pods: Sequence[Document], act: Step) -> bool:
        """In order until one says stop; without order all of them (runForAll)."""
        if self.monotonic:
            for pod in pods:
                if await act(pod):
                    return True
            return False
        each = iter(pods)
        _, failure = await slow_start(len(pods), lambda: act(next(each)))
        if failure is not None:
            raise failure
        return False

    async def _keep(self, pod: Document) -> bool:
        """See to one pod there should be (processReplica)."""
        if is_terminal(pod):
            if not is_deleted(pod):
                await self.control.delete(self.stateful_set, pod)
            return True
        if not is_created(pod):
            if not self.control.has_stale_claim(self.stateful_set, pod):
                await self.control.create(self.stateful_set, pod)
            return True
        if phase(pod) == "Pending":
            await self.control.create_missing_claims(self.stateful_set, pod)
        if self.monotonic and (
            is_deleted(pod) or not is_running_and_ready(pod) or not is_available(pod, self.min_ready, self.now)
        ):
            return True
        if not (
            identity_matches(self.stateful_set, pod)
            and storage_matches(self.stateful_set, pod)
            and self.control.claims_match(self.stateful_set, pod)
        ):
            await self.control.update(self.stateful_set, pod)
        return False

    async def _mend_claims(self, pod: Document) -> bool:
        if not self.control.claims_match(self.stateful_set, pod):
            await self.control.retain(self.stateful_set, pod)
        return False

    async def _condemn(self, pod: Document) -> bool:
        """Delete one pod too many: the highest first, and while one is going no other (processCondemned)."""
        if is_deleted(pod):
            return self.monotonic
        well = is_running_and_ready(pod) and is_available(pod, self.min_ready, self.now)
        if self.monotonic and not well and pod is not self.first_unavailable:
            return True
        await self.control.delete(self.stateful_set, pod)
        return True

    @property
    def total(self) -> int:
        return wanted(self.stateful_set)

"""ReplicaSet: keeps a number of pods of one template running (`pkg/controller/replicaset`).

A pod event costs no more than a look at the pod's controller reference. The set itself is reconciled at once
when what it was waiting for has happened, else soon: a set of thousands is not counted anew for every pod.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tiphys.base import label_selector
from tiphys.base.document import Document, namespaced_name, owner_reference
from tiphys.base.label_selector import Selector
from tiphys.base.status import StatusError
from tiphys.client.retry import NAMESPACE_TERMINATING, has_cause, is_not_found
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.controller_reference import (
    BY_CONTROLLER,
    Claimer,
    ResourceKind,
    controller_reference,
    index_by_controller,
    orphan_key,
)
from tiphys.controllers.dependents import Dependents
from tiphys.controllers.expectations import Expectations
from tiphys.controllers.pod_control import PodControl, gather_failures, slow_start
from tiphys.controllers.pod_ranking import pods_to_delete
from tiphys.controllers.pod_state import is_active, is_terminating, next_availability
from tiphys.controllers.reconciler import Reconciler
from tiphys.controllers.replica_set_status import TERMINATING_SINCE, new_status, wanted

POD = ResourceKind("v1", "Pod", "pods")
BURST = 500
"""At most so many pods are made or deleted in one go."""
SECONDS_PER_POD = 0.00004
"""A set of n pods is looked at no oftener than every n of these, so that looking costs a few percent of a core."""
AT_ONCE = 50
"""Sets up to this size are looked at at every event."""


@dataclass(frozen=True, slots=True)
class Flavor:
    """What tells a ReplicaSet from a ReplicationController."""

    name: str
    kind: ResourceKind
    component: str
    tells_terminating: bool

    def selector(self, replica_set: Document) -> Selector:
        """Raises ValueError for a selector the API would not have admitted."""
        selector = replica_set["spec"].get("selector")
        if self.kind.kind == "ReplicationController":
            return label_selector.from_labels(selector) if selector else label_selector.NOTHING
        return label_selector.from_document(selector)


REPLICA_SET = Flavor(
    "replicaset", ResourceKind("apps/v1", "ReplicaSet", "replicasets"), "replicaset-controller", True
)


class ReplicaSetController(Reconciler):
    """Level-triggered by ReplicaSet key."""

    def __init__(self, context: Context, flavor: Flavor = REPLICA_SET) -> None:
        self.flavor = flavor
        self.kind = flavor.kind
        self.name = flavor.name
        self.sets = context.informers.of(flavor.kind.api_version, flavor.kind.plural)
        self.pods = context.informers.of("v1", "pods")
        super().__init__(context, [self.sets, self.pods])
        self.expectations = Expectations(context.clock)
        self.pod_control = PodControl(context.client, context.recorder(flavor.component))
        index_by_controller(self.sets)
        self.sets.add_handlers(self.enqueue, self._set_updated, self._set_deleted)
        Dependents(
            self.pods, self.sets, self.kind, self._wake, self._pod_made, self._pod_gone, flavor.selector
        ).listen()

    # Events

    def _set_updated(self, old: Document, new: Document) -> None:
        """What only changed in its status is most likely our own doing."""
        if old["metadata"].get("generation") == new["metadata"].get("generation"):
            self._wake(new)
        else:
            self.enqueue(new)

    def _set_deleted(self, replica_set: Document) -> None:
        self.expectations.forget(namespaced_name(replica_set))
        self.enqueue(replica_set)

    def _pod_made(self, owner: Document, pod: Document) -> None:
        self.expectations.creation_observed(namespaced_name(owner))

    def _pod_gone(self, owner: Document, pod: Document) -> None:
        self.expectations.deletion_observed(namespaced_name(owner), namespaced_name(pod))

    def _wake(self, owner: Document) -> None:
        """Now if the set is small or has pods to make or delete, else in a while."""
        key = namespaced_name(owner)
        count = len(self.pods.indexed(BY_CONTROLLER, owner["metadata"]["uid"]))
        if count <= AT_ONCE or (count != wanted(owner) and self.expectations.satisfied(key)):
            self.queue.add(key)
        else:
            self.queue.add_after(key, count * SECONDS_PER_POD)

    # Reconciling

    async def reconcile(self, key: str) -> None:
        replica_set = self.sets.items.get(key)
        if replica_set is None:
            self.expectations.forget(key)
            return
        needs_sync = self.expectations.satisfied(key)
        try:
            selector = self.flavor.selector(replica_set)
        except ValueError:
            return
        owned = await self._owned_pods(replica_set, selector)
        pods = [pod for pod in owned if is_active(pod)]
        failure: StatusError | None = None
        if needs_sync and not replica_set["metadata"].get("deletionTimestamp"):
            failure = await self._manage(key, replica_set, pods)
        await self._update_status(key, replica_set, pods, owned, failure)
        if failure is not None:
            raise failure

    async def _owned_pods(self, replica_set: Document, selector: Selector) -> list[Document]:
        """Those it controls, ended ones left out; orphans that match are adopted on the way."""
        meta = replica_set["metadata"]
        owned = self.pods.indexed(BY_CONTROLLER, meta["uid"]).values()
        orphans = self.pods.indexed(BY_CONTROLLER, orphan_key(meta["namespace"])).values()
        candidates = [pod for pod in (*owned, *orphans) if is_active(pod)]
        claimer = Claimer(self.client, replica_set, self.kind, POD, selector)
        terminating = [
            pod for pod in owned if is_terminating(pod) and selector.matches(pod["metadata"].get("labels"))
        ]
        return [*await claimer.claim(candidates), *terminating]

    async def _manage(self, key: str, replica_set: Document, pods: Sequence[Document]) -> StatusError | None:
        difference = len(pods) - wanted(replica_set)
        if difference < 0:
            return await self._create_pods(key, replica_set, min(-difference, BURST))
        if difference > 0:
            return await self._delete_pods(key, replica_set, pods, min(difference, BURST))
        return None

    async def _create_pods(self, key: str, replica_set: Document, count: int) -> StatusError | None:
        self.expectations.expect_creations(key, count)
        reference = controller_reference(replica_set, self.kind)
        made = 0

        async def create() -> None:
            nonlocal made
            try:
                await self.pod_control.create(replica_set["spec"]["template"], replica_set, reference)
                made += 1
            except StatusError as error:
                if not has_cause(error, NAMESPACE_TERMINATING):
                    raise

        failure: StatusError | None = None
        succeeded = 0
        try:
            succeeded, failure = await slow_start(count, create)
        except BaseException:
            succeeded = made
            raise
        finally:
            self.expectations.creation_observed(key, count - succeeded)
        return failure

    async def _delete_pods(
        self, key: str, replica_set: Document, pods: Sequence[Document], count: int
    ) -> StatusError | None:
        doomed = pods_to_delete(pods, self._related_pods(replica_set), count, self.clock.now())
        self.expectations.expect_deletions(key, [namespaced_name(pod) for pod in doomed])

        async def delete(pod: Document) -> None:
            try:
                await self.pod_control.delete(pod["metadata"]["name"], replica_set)
            except BaseException as error:
                self.expectations.deletion_observed(key, namespaced_name(pod))
                if not is_not_found(error):
                    raise

        failures = await gather_failures([delete(pod) for pod in doomed])
        return failures[0] if failures else None

    def _related_pods(self, replica_set: Document) -> Iterator[Document]:
        """The pods of all sets with the same owner (getIndirectlyRelatedPods)."""
        reference = owner_reference(replica_set)
        if reference is None:
            related: Sequence[Document] = [replica_set]
        else:
            related = list(self.sets.indexed(BY_CONTROLLER, reference["uid"]).values())
        for each in related:
            yield from self.pods.indexed(BY_CONTROLLER, each["metadata"]["uid"]).values()

    async def _update_status(
        self,
        key: str,
        replica_set: Document,
        pods: Sequence[Document],
        owned: Sequence[Document],
        failure: StatusError | None,
    ) -> None:
        told = self.flavor.tells_terminating and self.context.minor >= TERMINATING_SINCE
        terminating = sum(map(is_terminating, owned)) if told else None
        status = new_status(replica_set, pods, terminating, failure, self.clock.now())
        if _significant(replica_set.get("status") or {}) != _significant(status):
            await self._write_status(replica_set, status)
        min_ready = replica_set["spec"].get("minReadySeconds") or 0
        if min_ready > 0:
            seconds = next_availability(pods, min_ready, self.clock.now())
            if seconds is not None:
                self.queue.add_after(key, seconds)

    async def _write_status(self, replica_set: Document, status: Document) -> None:
        """With one retry on what is there now (updateReplicaSetStatus)."""
        kind, meta = self.kind, replica_set["metadata"]
        namespace = meta["namespace"]
        try:
            await self.client.update_status(
                kind.api_version, kind.plural, {**replica_set, "status": status}, namespace
            )
        except StatusError:
            fresh = await self.client.get(kind.api_version, kind.plural, meta["name"], namespace)
            await self.client.update_status(kind.api_version, kind.plural, {**fresh, "status": status}, namespace)


def _significant(status: Document) -> Document:
    """A status without zeros, for comparing; terminatingReplicas is told even if zero."""
    return {field: value for field, value in status.items() if value or field == "terminatingReplicas"}


CONTROLLER = ControllerSpec("replicaset", ReplicaSetController)

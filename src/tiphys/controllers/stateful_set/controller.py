"""The statefulset controller's loop (`statefulset/stateful_set.go`)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.base import label_selector
from tiphys.base.document import Document
from tiphys.base.label_selector import Selector
from tiphys.base.status import StatusError
from tiphys.client.retry import retry_on_conflict
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.controller_reference import (
    BY_CONTROLLER,
    Claimer,
    ResourceKind,
    index_by_controller,
    orphan_key,
)
from tiphys.controllers.dependents import Dependents
from tiphys.controllers.history import History
from tiphys.controllers.pod_state import next_availability
from tiphys.controllers.reconciler import Reconciler
from tiphys.controllers.stateful_set.identity import KIND, is_member, revision_of
from tiphys.controllers.stateful_set.pod_control import StatefulPodControl
from tiphys.controllers.stateful_set.revisions import Revisions, sync_revisions
from tiphys.controllers.stateful_set.rollout import Rollout
from tiphys.controllers.stateful_set.status import complete_update, differs, written
from tiphys.controllers.stateful_set.update import replace_outdated

POD = ResourceKind("v1", "Pod", "pods")


class StatefulSetController(Reconciler):
    """Level-triggered by StatefulSet key. Pods have fixed names, so nothing can be made twice."""

    name = "statefulset"

    def __init__(self, context: Context) -> None:
        informers = context.informers
        self.sets = informers.of(KIND.api_version, KIND.plural)
        self.pods = informers.of("v1", "pods")
        self.claims = informers.of("v1", "persistentvolumeclaims")
        self.history = History(context, KIND)
        super().__init__(context, [self.sets, self.pods, self.claims, self.history.informer])
        self.control = StatefulPodControl(context, self.pods, self.claims)
        index_by_controller(self.sets)
        self.sets.add_handlers(self.enqueue, lambda _old, new: self.enqueue(new), self.enqueue)
        Dependents(self.pods, self.sets, KIND, self.enqueue).listen()

    async def reconcile(self, key: str) -> None:
        stateful_set = self.sets.items.get(key)
        if stateful_set is None:
            return
        try:
            selector = label_selector.from_document(stateful_set["spec"].get("selector"))
        except ValueError:
            return
        known = await self.history.claimed(stateful_set, selector)
        pods = await self._claimed_pods(stateful_set, selector)
        revisions = await sync_revisions(self.history, stateful_set, known, self.clock)
        try:
            await self._roll(key, stateful_set, revisions, pods)
        finally:
            await self._forget_revisions(stateful_set, known, revisions, pods)

    async def _claimed_pods(self, stateful_set: Document, selector: Selector) -> list[Document]:
        """Those it controls, and orphans that match by label and by name: these are adopted."""
        meta = stateful_set["metadata"]
        owned = self.pods.indexed(BY_CONTROLLER, meta["uid"]).values()
        orphans = self.pods.indexed(BY_CONTROLLER, orphan_key(meta["namespace"])).values()
        named = [pod for pod in (*owned, *orphans) if is_member(stateful_set, pod)]
        claimer = Claimer(self.client, stateful_set, KIND, POD, selector)
        return await claimer.claim(sorted(named, key=lambda pod: str(pod["metadata"]["name"])))

    async def _roll(self, key: str, stateful_set: Document, revisions: Revisions, pods: list[Document]) -> None:
        rollout = Rollout(stateful_set, revisions, pods, self.control, self.clock, self.context.minor)
        failure: StatusError | None = None
        try:
            if await rollout.step():
                await replace_outdated(rollout)
        except StatusError as error:
            failure = error
        await self._update_status(stateful_set, rollout.status, failure)
        seconds = next_availability(pods, rollout.min_ready, self.clock.now()) if rollout.min_ready else None
        if seconds is not None:
            self.queue.add_after(key, seconds)

    async def _update_status(self, stateful_set: Document, status: Document, failure: StatusError | None) -> None:
        """Also after a failure, which is then raised."""
        complete_update(stateful_set, status)
        try:
            if differs(stateful_set, status):
                await self._write_status(stateful_set, written(status))
        except StatusError as error:
            raise failure or error from error
        if failure is not None:
            raise failure

    async def _write_status(self, stateful_set: Document, status: Document) -> None:
        meta = stateful_set["metadata"]

        async def write() -> Document:
            fresh = self.sets.get(meta["namespace"], meta["name"]) or stateful_set
            changed = {**fresh, "status": status}
            return await self.client.update_status(KIND.api_version, KIND.plural, changed, meta["namespace"])

        await retry_on_conflict(write, self.clock)

    async def _forget_revisions(
        self, stateful_set: Document, known: Sequence[Document], revisions: Revisions, pods: Sequence[Document]
    ) -> None:
        """Keep as many that no pod is of as revisionHistoryLimit says (truncateHistory)."""
        limit = stateful_set["spec"].get("revisionHistoryLimit")
        if limit is None or limit < 0:
            return
        live = {revisions.current_name, revisions.update_name, *map(revision_of, pods)}
        past = [each for each in known if each["metadata"]["name"] not in live]
        await self.history.delete_oldest(past, len(past) - limit)


CONTROLLER = ControllerSpec("statefulset", StatefulSetController)

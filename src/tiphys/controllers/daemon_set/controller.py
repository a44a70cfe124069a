"""The daemonset controller's loop (`daemon/daemon_controller.go`)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

from tiphys.base import label_selector
from tiphys.base.document import Document, namespaced_name
from tiphys.base.label_selector import Selector
from tiphys.base.status import StatusError
from tiphys.client.events import WARNING
from tiphys.client.retry import NAMESPACE_TERMINATING, has_cause, is_not_found
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.controller_reference import (
    BY_CONTROLLER,
    Claimer,
    ResourceKind,
    controller_reference,
    orphan_key,
)
from tiphys.controllers.daemon_set import rolling
from tiphys.controllers.daemon_set.eligibility import NodeRule
from tiphys.controllers.daemon_set.failed_pods import FailedPods
from tiphys.controllers.daemon_set.placement import Placement
from tiphys.controllers.daemon_set.pod_template import daemon_template, on_node
from tiphys.controllers.daemon_set.revisions import KIND, DaemonRevisions, hash_of
from tiphys.controllers.daemon_set.status import changed, counts, merged
from tiphys.controllers.daemon_set.view import View, by_node
from tiphys.controllers.dependents import Dependents
from tiphys.controllers.expectations import Expectations
from tiphys.controllers.history import History
from tiphys.controllers.periodic import periodically
from tiphys.controllers.pod_control import PodControl, gather_failures, slow_start
from tiphys.controllers.pod_state import next_availability
from tiphys.controllers.reconciler import Reconciler

POD = ResourceKind("v1", "Pod", "pods")
BURST = 250
"""At most so many pods are made, and as many deleted, in one go."""
AT_ONCE = 50
"""Sets of up to so many pods are looked at at every event."""
SECONDS_PER_POD = 0.0002
"""Larger ones no oftener than every n of these for n pods: a look costs some 10 µs a pod."""
FORGET_SECONDS = 60.0
SELECTING_ALL = "This daemon set is selecting all pods. A non-empty selector is required."


class DaemonSetController(Reconciler):
    """Level-triggered by DaemonSet key."""

    name = "daemonset"
    workers = 2

    def __init__(self, context: Context) -> None:
        informers = context.informers
        self.sets = informers.of(KIND.api_version, KIND.plural)
        self.pods = informers.of("v1", "pods")
        self.nodes = informers.of("v1", "nodes")
        history = History(context, KIND)
        super().__init__(context, [self.sets, self.pods, self.nodes, history.informer])
        self.recorder = context.recorder("daemonset-controller")
        self.pod_control = PodControl(context.client, self.recorder)
        self.revisions = DaemonRevisions(context.client, history)
        self.expectations = Expectations(context.clock)
        self.failed_pods = FailedPods(context.clock)
        self.sets.add_handlers(self.enqueue, self._set_updated, self._set_deleted)
        self.nodes.add_handlers(self._node_changed, self._node_updated, self._node_changed)
        Dependents(self.pods, self.sets, KIND, self._wake, self._pod_made, self._pod_gone).listen()
        Dependents(history.informer, self.sets, KIND, self.enqueue).listen()

    def start(self, group: asyncio.TaskGroup) -> None:
        group.create_task(periodically(self.clock, FORGET_SECONDS, self.failed_pods.forget_old, "failed daemon pods"))

    # Events

    def _set_updated(self, old: Document, new: Document) -> None:
        """What only changed in its status is most likely our own doing."""
        if old["metadata"].get("generation") == new["metadata"].get("generation"):
            self._wake(new)
        else:
            self.enqueue(new)

    def _wake(self, daemon_set: Document) -> None:
        """Now if the set is small or has pods to make, else in a while."""
        key = namespaced_name(daemon_set)
        count = len(self.pods.indexed(BY_CONTROLLER, daemon_set["metadata"]["uid"]))
        desired = (daemon_set.get("status") or {}).get("desiredNumberScheduled") or 0
        if count <= AT_ONCE or (count != desired and self.expectations.satisfied(key)):
            self.queue.add(key)
        else:
            self.queue.add_after(key, count * SECONDS_PER_POD)

    def _set_deleted(self, daemon_set: Document) -> None:
        self.expectations.forget(namespaced_name(daemon_set))
        self.enqueue(daemon_set)

    def _pod_made(self, owner: Document, pod: Document) -> None:
        self.expectations.creation_observed(namespaced_name(owner))

    def _pod_gone(self, owner: Document, pod: Document) -> None:
        self.expectations.deletion_observed(namespaced_name(owner), namespaced_name(pod))

    def _node_changed(self, node: Document) -> None:
        """One came or went: for those that want to run there."""
        for daemon_set in self.sets.items.values():
            if NodeRule(daemon_set).judge(node).starts:
                self.enqueue(daemon_set)

    def _node_updated(self, old: Document, new: Document) -> None:
        """Heartbeats are many and change neither labels nor taints."""
        if _judged_by(old) == _judged_by(new):
            return
        for daemon_set in self.sets.items.values():
            rule = NodeRule(daemon_set)
            if rule.judge(old) != rule.judge(new):
                self.enqueue(daemon_set)

    # Reconciling

    async def reconcile(self, key: str) -> None:
        daemon_set = self.sets.items.get(key)
        if daemon_set is None:
            self.expectations.forget(key)
            return
        selector = label_selector.from_document(daemon_set["spec"].get("selector"))
        if selector.empty:
            self.recorder.event(daemon_set, WARNING, "SelectingAll", SELECTING_ALL)
            return
        if daemon_set["metadata"].get("deletionTimestamp"):
            return
        current, past = await self.revisions.sync(daemon_set, selector, self._owned(daemon_set))
        view = View(daemon_set, dict(self.nodes.items), hash_of(current), self.clock.now())
        if not self.expectations.satisfied(key):
            await self._update_status(key, view, selector, observed=False)
            return
        failure: StatusError | None = None
        try:
            await self._sync(key, view, selector, past)
        except StatusError as error:
            failure = error
        await self._update_status(key, view, selector, observed=True, failure=failure)

    async def _sync(self, key: str, view: View, selector: Selector, past: Sequence[Document]) -> None:
        pods = await self._claimed_pods(view.daemon_set, selector)
        placement = Placement(view, self.recorder, self.failed_pods, partial(self.queue.add_after, key))
        placement.plan(by_node(pods))
        await self._sync_nodes(key, view, placement.create, placement.delete)
        if view.strategy() == "RollingUpdate" and self.expectations.satisfied(key):
            pods = self._owned(view.daemon_set)
            step = rolling.plan(view, by_node(pods))
            await self._sync_nodes(key, view, step.create, step.delete)
        await self.revisions.forget(view.daemon_set, past, self._owned(view.daemon_set))

    def _owned(self, daemon_set: Document) -> list[Document]:
        return list(self.pods.indexed(BY_CONTROLLER, daemon_set["metadata"]["uid"]).values())

    async def _claimed_pods(self, daemon_set: Document, selector: Selector) -> list[Document]:
        """Those it controls, ended ones too; orphans that match are adopted on the way."""
        orphans = self.pods.indexed(BY_CONTROLLER, orphan_key(daemon_set["metadata"]["namespace"])).values()
        claimer = Claimer(self.client, daemon_set, KIND, POD, selector)
        return await claimer.claim([*self._owned(daemon_set), *orphans])

    async def _sync_nodes(self, key: str, view: View, nodes: Sequence[str], doomed: Sequence[Document]) -> None:
        """Make pods on these nodes and delete these pods. Raises the first StatusError, after trying all."""
        nodes, doomed = nodes[:BURST], doomed[:BURST]
        if not nodes and not doomed:
            return
        self.expectations.expect(key, len(nodes), [namespaced_name(pod) for pod in doomed])
        failures = [await self._create_on(key, view, nodes)] if nodes else []
        failures += await gather_failures([self._delete(key, view.daemon_set, pod) for pod in doomed])
        for failure in failures:
            if failure is not None:
                raise failure

    async def _create_on(self, key: str, view: View, nodes: Sequence[str]) -> StatusError | None:
        template = daemon_template(view.daemon_set, view.hashed)
        reference = controller_reference(view.daemon_set, KIND)
        each = iter(nodes)
        made = 0

        async def create(node: str) -> None:
            nonlocal made
            try:
                await self.pod_control.create(on_node(template, node), view.daemon_set, reference)
                made += 1
            except StatusError as error:
                if not has_cause(error, NAMESPACE_TERMINATING):
                    raise

        try:
            return (await slow_start(len(nodes), lambda: create(next(each))))[1]
        finally:
            self.expectations.creation_observed(key, len(nodes) - made)

    async def _delete(self, key: str, daemon_set: Document, pod: Document) -> None:
        try:
            await self.pod_control.delete(pod["metadata"]["name"], daemon_set)
        except BaseException as error:
            self.expectations.deletion_observed(key, namespaced_name(pod))
            if not is_not_found(error):
                raise

    async def _update_status(
        self, key: str, view: View, selector: Selector, *, observed: bool, failure: StatusError | None = None
    ) -> None:
        """Also after a failure, which is then raised."""
        owned = self._owned(view.daemon_set)
        pods = [pod for pod in owned if selector.matches(pod["metadata"].get("labels"))]
        try:
            await self._write_status(view, counts(view, by_node(pods)), observed)
        except StatusError as error:
            raise failure or error from error
        if failure is not None:
            raise failure
        seconds = next_availability(pods, view.min_ready, self.clock.now()) if view.min_ready else None
        if seconds is not None:
            self.queue.add_after(key, seconds)

    async def _write_status(self, view: View, found: Mapping[str, int], observed: bool) -> None:
        """With one retry on what is there now (storeDaemonSetStatus)."""
        daemon_set = view.daemon_set
        status = changed(daemon_set, found, observed)
        if status is None:
            return
        meta = daemon_set["metadata"]
        write = partial(self.client.update_status, KIND.api_version, KIND.plural, namespace=meta["namespace"])
        try:
            await write({**daemon_set, "status": status})
        except StatusError:
            fresh = await self.client.get(KIND.api_version, KIND.plural, meta["name"], meta["namespace"])
            generation = (meta.get("generation") or 0) if observed else 0
            await write({**fresh, "status": merged(fresh, found, generation)})


def _judged_by(node: Document) -> tuple[object, object]:
    """What decides whether a daemon runs on the node."""
    return (node["metadata"].get("labels") or {}), ((node.get("spec") or {}).get("taints") or [])


CONTROLLER = ControllerSpec("daemonset", DaemonSetController)

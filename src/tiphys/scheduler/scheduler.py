"""kube-scheduler: takes pods that have no node, finds one, binds (scheduler `scheduler.go`, `schedule_one.go`)."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence

from tiphys.base.clock import Clock, rfc3339
from tiphys.base.document import Document, namespaced_name, split_key
from tiphys.base.status import StatusError
from tiphys.client.client import Client
from tiphys.client.events import EventRecorder
from tiphys.client.informers import Informers
from tiphys.scheduler.cache import Cache
from tiphys.scheduler.cycle import Cycle
from tiphys.scheduler.default_selector import DefaultSelectors
from tiphys.scheduler.fit_error import fit_error
from tiphys.scheduler.framework import Nomination, PodInfo
from tiphys.scheduler.pod_info import read_pod
from tiphys.scheduler.profile import DEFAULT_NAME, Profile, default_profile
from tiphys.scheduler.queue import SchedulingQueue, Waiting
from tiphys.scheduler.victims import Victims

log = logging.getLogger(__name__)

PODS = ("v1", "pods")
FINISHED = ("Succeeded", "Failed")
BINDINGS = 64
"""How many bindings may be under way at once."""


class Scheduler:
    """`listen`, then `run` for ever."""

    def __init__(
        self,
        client: Client,
        informers: Informers,
        clock: Clock,
        minor: int,
        *,
        profiles: Sequence[Profile] = (),
        source: random.Random | None = None,
    ) -> None:
        """`minor` is the Kubernetes version whose words messages use; without profiles there is the default one."""
        self._client = client
        self._pods = informers.of("v1", "pods")
        self._nodes = informers.of("v1", "nodes")
        self._clock = clock
        self._minor = minor
        self._namespaces = informers.of("v1", "namespaces")
        self._budgets = informers.of("policy/v1", "poddisruptionbudgets")
        self._selectors = DefaultSelectors(informers)
        self._cache = Cache()
        self._cache.latest = self._latest
        self._cache.default_selector = self._selectors.of
        self._queue = SchedulingQueue(clock)
        shared = source or random.Random()
        self._cycles = {
            profile.name: Cycle(self._cache, profile, minor, shared) for profile in profiles or (default_profile(),)
        }
        self._events = {name: EventRecorder(client, name, clock) for name in self._cycles}
        self._victims = {name: Victims(client, events, clock, minor) for name, events in self._events.items()}
        self._slots = asyncio.Semaphore(BINDINGS)

    def listen(self) -> None:
        """Begin to hear of nodes and pods; what is there already counts at once."""
        self._namespaces.add_handlers(
            self._namespace_changed,
            lambda old, new: self._namespace_changed(new),
            lambda old: self._cache.set_namespace(old["metadata"]["name"], None),
        )
        self._budgets.add_handlers(
            self._budget_changed, lambda old, new: self._budget_changed(new), self._budget_deleted
        )
        self._selectors.listen()
        self._nodes.add_handlers(self._node_added, self._node_updated, self._node_deleted)
        self._pods.add_handlers(self._pod_changed, self._pod_updated, self._pod_deleted)

    async def run(self) -> None:
        """One pod at a time; bindings go on beside it. Until cancelled."""
        for informer in (self._nodes, self._pods, self._namespaces, self._budgets, self._selectors):
            await informer.synced()
        async with asyncio.TaskGroup() as group:
            while True:
                waiting = await self._queue.pop()
                cycle = self._cycles[_scheduler_name(waiting.info.pod)]
                outcome = cycle.run(waiting.info)
                if outcome.node is None:
                    nomination = cycle.make_room(waiting.info, outcome.refusals)
                    nodes = len(self._cache.nodes)
                    words = fit_error(nodes, outcome.refusals, self._minor, nomination.words)
                    voided = self._nominate(waiting.info, nomination)
                    self._queue.failed(waiting)
                    group.create_task(self._refuse(waiting, words, nomination, voided))
                    continue
                self._cache.nominated.remove(waiting.info.uid)
                self._cache.add_pod(waiting.info, outcome.node)
                await self._slots.acquire()
                group.create_task(self._bind(waiting, outcome.node))

    async def close(self) -> None:
        """Write the events that wait."""
        for events in self._events.values():
            await events.close()

    async def _bind(self, waiting: Waiting, node: str) -> None:
        info = waiting.info
        namespace, name = split_key(info.key)
        binding: Document = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": name, "namespace": namespace, "uid": info.uid},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        try:
            await self._client.create(*PODS, binding, namespace, name=name, subresource="binding")
        except Exception as error:
            self._cache.remove_pod(info.uid)
            self._queue.failed(waiting, retry=True)
            gone = isinstance(error, StatusError) and error.code == 404
            (log.debug if gone else log.warning)("binding %s to %s: %s", info.key, node, error)
        else:
            self._queue.remove(info.uid)
            self._queue.placed()
            events = self._events[_scheduler_name(info.pod)]
            events.event(info.pod, "Normal", "Scheduled", f"Successfully assigned {info.key} to {node}")
        finally:
            self._slots.release()

    def _nominate(self, info: PodInfo, nomination: Nomination) -> Sequence[PodInfo]:
        """Promise the pod its node, or take the promise back; those below it who were promised the same lose it."""
        nominated = self._cache.nominated
        if not nomination.node:
            if not nomination.kept:
                nominated.remove(info.uid)
            return ()
        voided = nominated.below(info, nomination.node)
        for other in voided:
            nominated.remove(other.uid)
        nominated.add(info, nomination.node)
        return voided

    async def _refuse(self, waiting: Waiting, words: str, nomination: Nomination, voided: Sequence[PodInfo]) -> None:
        """Tell why the pod fits nowhere, by an event and by its PodScheduled condition, and make the room it was
        found to need."""
        info = waiting.info
        name = _scheduler_name(info.pod)
        self._events[name].event(info.pod, "Warning", "FailedScheduling", words)
        await self._write_refusal(info, words, nomination)
        for other in voided:
            await self._victims[name].unpromise(other)
        if voided:
            self._queue.changed()
        if nomination.victims and not await self._victims[name].remove(info, nomination):
            self._queue.changed()

    async def _write_refusal(self, info: PodInfo, words: str, nomination: Nomination) -> None:
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": words}
        status: Document = {}
        if not _has_condition(info.pod, condition):
            now = rfc3339(self._clock.now())
            status["conditions"] = [{**condition, "lastProbeTime": None, "lastTransitionTime": now}]
        before = _promised(info.pod)
        if not nomination.kept and nomination.node != before:
            status["nominatedNodeName"] = nomination.node or None
        if not status:
            return
        namespace, name = split_key(info.key)
        try:
            await self._client.patch(
                *PODS, name, {"status": status}, namespace, kind="strategic", subresource="status"
            )
        except Exception as error:
            gone = isinstance(error, StatusError) and error.code == 404
            (log.debug if gone else log.warning)("status of %s: %s", info.key, error)

    def _pod_updated(self, old: Document, new: Document) -> None:
        """A nomination that someone took back is forgotten before the pod is looked at."""
        if _promised(old) and _promised(old) != _promised(new):
            self._cache.nominated.remove(new["metadata"]["uid"])
        self._pod_changed(new)

    def _pod_changed(self, pod: Document) -> None:
        uid = pod["metadata"]["uid"]
        node = pod["spec"].get("nodeName")
        if pod.get("status", {}).get("phase") in FINISHED:
            self._gone(uid)
        elif node:
            self._queue.remove(uid)
            self._cache.nominated.remove(uid)
            self._placed(pod, uid, node)
        elif not _may_be_scheduled(pod):
            self._queue.remove(uid)
        elif _scheduler_name(pod) in self._cycles:
            self._wanted(pod, uid)

    def _placed(self, pod: Document, uid: str, node: str) -> None:
        """A pod on a node; once known, only its labels and its being deleted matter. Both may let others fit."""
        known = self._cache.find(uid)
        meta = pod["metadata"]
        if known is None:
            self._cache.add_pod(read_pod(pod), node)
            self._queue.placed()
        elif known.labels != (meta.get("labels") or {}):
            self._cache.add_pod(read_pod(pod), node)
            self._queue.changed()
        elif known.terminating != ("deletionTimestamp" in meta):
            self._cache.add_pod(read_pod(pod), node)
            self._queue.placed()

    def _wanted(self, pod: Document, uid: str) -> None:
        """A pod that waits; one whose binding is under way is left alone."""
        if self._cache.holds(uid):
            return
        info = read_pod(pod)
        self._queue.add(info)
        promised = _promised(pod)
        if promised and self._cache.nominated.node_of(uid) is None:
            self._cache.nominated.add(info, promised)

    def _pod_deleted(self, pod: Document) -> None:
        self._gone(pod["metadata"]["uid"])

    def _gone(self, uid: str) -> None:
        self._queue.remove(uid)
        promised = self._cache.nominated.node_of(uid)
        self._cache.nominated.remove(uid)
        if self._cache.remove_pod(uid) or promised:
            self._queue.changed()

    def _node_added(self, node: Document) -> None:
        self._cache.set_node(node)
        self._queue.changed()

    def _node_updated(self, old: Document, new: Document) -> None:
        """A heartbeat changes nothing that scheduling looks at."""
        if _scheduling_view(old) == _scheduling_view(new):
            return
        self._cache.set_node(new)
        self._queue.changed()

    def _namespace_changed(self, namespace: Document) -> None:
        meta = namespace["metadata"]
        labels = meta.get("labels") or {}
        known = self._cache.namespaces.get(meta["name"])
        if known != labels:
            self._cache.set_namespace(meta["name"], labels)
            if known is not None:
                self._queue.changed()

    def _budget_changed(self, budget: Document) -> None:
        self._cache.budgets[namespaced_name(budget)] = budget

    def _budget_deleted(self, budget: Document) -> None:
        self._cache.budgets.pop(namespaced_name(budget), None)

    def _latest(self, info: PodInfo) -> Document:
        namespace, name = split_key(info.key)
        return self._pods.get(namespace, name) or info.pod

    def _node_deleted(self, node: Document) -> None:
        self._cache.remove_node(node["metadata"]["name"])


def _scheduler_name(pod: Document) -> str:
    return pod["spec"].get("schedulerName") or DEFAULT_NAME


def _promised(pod: Document) -> str:
    return (pod.get("status") or {}).get("nominatedNodeName") or ""


def _may_be_scheduled(pod: Document) -> bool:
    return "deletionTimestamp" not in pod["metadata"] and not pod["spec"].get("schedulingGates")


def _scheduling_view(node: Document) -> tuple[object, ...]:
    spec = node["spec"]
    allocatable = (node.get("status") or {}).get("allocatable")
    images = (node.get("status") or {}).get("images")
    return allocatable, node["metadata"].get("labels"), spec.get("taints"), spec.get("unschedulable"), images


def _has_condition(pod: Document, wanted: Document) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(all(condition.get(key) == value for key, value in wanted.items()) for condition in conditions)

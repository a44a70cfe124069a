"""kube-scheduler: takes pods that have no node, finds one, binds (scheduler `scheduler.go`, `schedule_one.go`)."""

from __future__ import annotations

import asyncio
import logging
import random

from tiphys.base.clock import Clock, rfc3339
from tiphys.base.discovery import discover
from tiphys.base.document import Document, split_key
from tiphys.base.status import StatusError
from tiphys.client.client import Client
from tiphys.client.events import EventRecorder
from tiphys.client.informers import Informers
from tiphys.scheduler.cache import Cache
from tiphys.scheduler.cycle import Cycle, Outcome
from tiphys.scheduler.fit_error import fit_error
from tiphys.scheduler.pod_info import read_pod
from tiphys.scheduler.queue import SchedulingQueue, Waiting

log = logging.getLogger(__name__)

NAME = "default-scheduler"
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
        name: str = NAME,
        source: random.Random | None = None,
    ) -> None:
        """`minor` is the Kubernetes version whose words messages use."""
        self._client = client
        self._pods = informers.of("v1", "pods")
        self._nodes = informers.of("v1", "nodes")
        self._clock = clock
        self._minor = minor
        self._name = name
        self._cache = Cache()
        self._queue = SchedulingQueue(clock)
        plugins = discover("tiphys.scheduler.plugins", "PLUGIN")
        self._cycle = Cycle(self._cache, plugins, minor, source or random.Random())
        self._events = EventRecorder(client, name, clock)
        self._slots = asyncio.Semaphore(BINDINGS)

    def listen(self) -> None:
        """Begin to hear of nodes and pods; what is there already counts at once."""
        self._nodes.add_handlers(self._node_added, self._node_updated, self._node_deleted)
        self._pods.add_handlers(self._pod_changed, lambda old, new: self._pod_changed(new), self._pod_deleted)

    async def run(self) -> None:
        """One pod at a time; bindings go on beside it. Until cancelled."""
        await self._nodes.synced()
        await self._pods.synced()
        async with asyncio.TaskGroup() as group:
            while True:
                waiting = await self._queue.pop()
                outcome = self._cycle.run(waiting.info)
                if outcome.node is None:
                    group.create_task(self._refuse(waiting, outcome))
                    continue
                self._cache.add_pod(waiting.info, outcome.node)
                await self._slots.acquire()
                group.create_task(self._bind(waiting, outcome.node))

    async def close(self) -> None:
        """Write the events that wait."""
        await self._events.close()

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
            self._events.event(info.pod, "Normal", "Scheduled", f"Successfully assigned {info.key} to {node}")
        finally:
            self._slots.release()

    async def _refuse(self, waiting: Waiting, outcome: Outcome) -> None:
        """Tell why the pod fits nowhere: by an event and by its PodScheduled condition."""
        info = waiting.info
        message = fit_error(info, self._cache.nodes, outcome.refusals, self._minor)
        self._queue.failed(waiting)
        self._events.event(info.pod, "Warning", "FailedScheduling", message)
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        if _has_condition(info.pod, condition):
            return
        now = rfc3339(self._clock.now())
        patch = {"status": {"conditions": [{**condition, "lastProbeTime": None, "lastTransitionTime": now}]}}
        namespace, name = split_key(info.key)
        try:
            await self._client.patch(*PODS, name, patch, namespace, kind="strategic", subresource="status")
        except Exception as error:
            gone = isinstance(error, StatusError) and error.code == 404
            (log.debug if gone else log.warning)("status of %s: %s", info.key, error)

    def _pod_changed(self, pod: Document) -> None:
        uid = pod["metadata"]["uid"]
        node = pod["spec"].get("nodeName")
        if pod.get("status", {}).get("phase") in FINISHED:
            self._gone(uid)
        elif node:
            self._queue.remove(uid)
            if not self._cache.holds(uid):
                self._cache.add_pod(read_pod(pod), node)
        elif pod["spec"].get("schedulerName", NAME) == self._name and _may_be_scheduled(pod):
            self._wanted(pod, uid)

    def _wanted(self, pod: Document, uid: str) -> None:
        """A pod that waits; one whose binding is under way is left alone."""
        if self._cache.holds(uid):
            return
        self._queue.add(read_pod(pod))

    def _pod_deleted(self, pod: Document) -> None:
        self._gone(pod["metadata"]["uid"])

    def _gone(self, uid: str) -> None:
        self._queue.remove(uid)
        if self._cache.remove_pod(uid):
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

    def _node_deleted(self, node: Document) -> None:
        self._cache.remove_node(node["metadata"]["name"])


def _may_be_scheduled(pod: Document) -> bool:
    return "deletionTimestamp" not in pod["metadata"] and not pod["spec"].get("schedulingGates")


def _scheduling_view(node: Document) -> tuple[object, ...]:
    spec = node["spec"]
    allocatable = (node.get("status") or {}).get("allocatable")
    return allocatable, node["metadata"].get("labels"), spec.get("taints"), spec.get("unschedulable")


def _has_condition(pod: Document, wanted: Document) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(all(condition.get(key) == value for key, value in wanted.items()) for condition in conditions)

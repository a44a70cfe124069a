"""The pods of simulated nodes, moved from stage to stage."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from tiphys.base.clock import Clock
from tiphys.base.document import Document, namespaced_name, split_key
from tiphys.base.status import StatusError
from tiphys.client.client import Client
from tiphys.client.informer import Informer
from tiphys.client.work_queue import ShutDown, WorkQueue
from tiphys.node.simulated import pod_status
from tiphys.node.simulated.addresses import AddressPool
from tiphys.node.simulated.stage import Stage, first

log = logging.getLogger(__name__)
PODS = ("v1", "pods")
FINISHED = ("Succeeded", "Failed")


class SimulatedPods:
    """Level-triggered: a key is queued when its pod changes, and the pod's next stage is read off the pod."""

    def __init__(
        self, client: Client, informer: Informer, clock: Clock, stages: Sequence[Stage], hosts: Mapping[str, str]
    ) -> None:
        """`hosts` maps the nodes' names to their addresses."""
        self._client = client
        self._informer = informer
        self._clock = clock
        self._stages = stages
        self._hosts = hosts
        self._pools: dict[str, AddressPool] = {}
        self._queue: WorkQueue[str] = WorkQueue(clock)
        self._since: dict[str, tuple[str, float]] = {}

    def add_node(self, name: str, pool: AddressPool) -> None:
        self._pools[name] = pool

    def listen(self) -> None:
        """Begin to hear of pods; those already bound to our nodes count at once."""
        self._informer.add_handlers(
            add=self._changed, update=lambda old, new: self._changed(new), delete=self._deleted
        )

    async def work(self) -> None:
        """One worker; several may run."""
        while True:
            try:
                key = await self._queue.get()
            except ShutDown:
                return
            try:
                await self._step(key)
                self._queue.forget(key)
            except StatusError as error:
                if error.code not in (404, 409):
                    log.warning("pod %s: %s", key, error.message)
                    self._queue.add_rate_limited(key)
            except Exception:
                log.exception("pod %s", key)
                self._queue.add_rate_limited(key)
            finally:
                self._queue.done(key)

    def _changed(self, pod: Document) -> None:
        node = pod["spec"].get("nodeName")
        if node not in self._pools:
            return
        status = pod.get("status", {})
        address = status.get("podIP")
        if status.get("phase") in FINISHED:
            # As when a kubelet stops the sandbox: the status keeps the address, others may have it.
            self._pools[node].release(pod["metadata"]["uid"])
        elif address and not pod["spec"].get("hostNetwork"):
            self._pools[node].keep(pod["metadata"]["uid"], address)
        self._queue.add(namespaced_name(pod))

    def _deleted(self, pod: Document) -> None:
        pool = self._pools.get(pod["spec"].get("nodeName", ""))
        if pool is not None:
            pool.release(pod["metadata"]["uid"])
        self._since.pop(namespaced_name(pod), None)

    async def _step(self, key: str) -> None:
        pod = self._informer.items.get(key)
        if pod is None:
            return
        stage = first(self._stages, pod)
        if stage is None:
            self._since.pop(key, None)
            return
        wait = self._wait(key, pod, stage)
        if wait > 0:
            self._queue.add_after(key, wait)
            return
        self._since.pop(key, None)
        await self._enter(pod, stage)

    def _wait(self, key: str, pod: Document, stage: Stage) -> float:
        """Seconds until the stage is due, counted from when it was first seen to hold."""
        delay = stage.delay(pod)
        if delay <= 0:
            return 0.0
        name, since = self._since.get(key, ("", 0.0))
        if name != stage.name:
            since = self._clock.monotonic()
            self._since[key] = (stage.name, since)
        return since + delay - self._clock.monotonic()

    async def _enter(self, pod: Document, stage: Stage) -> None:
        meta = pod["metadata"]
        namespace, name = split_key(namespaced_name(pod))
        if stage.delete:
            if meta.get("finalizers") and pod["status"].get("phase") not in FINISHED:
                await self._report(pod, pod_status.stopped(pod, self._clock.now()))
            await self._client.delete(*PODS, name, namespace, grace_period=0, uid=meta["uid"])
            return
        await self._report(pod, self._status(pod, stage))

    async def _report(self, pod: Document, status: Document) -> None:
        """The uid is a precondition: a pod made anew under the same name is another pod."""
        namespace, name = split_key(namespaced_name(pod))
        patch = {"metadata": {"uid": pod["metadata"]["uid"]}, "status": status}
        await self._client.patch(*PODS, name, patch, namespace, kind="merge", subresource="status")

    def _status(self, pod: Document, stage: Stage) -> Document:
        now = self._clock.now()
        code = stage.exit_code(pod)
        if code is not None:
            return pod_status.exited(pod, code, now)
        node = pod["spec"]["nodeName"]
        host = self._hosts[node]
        address = host if pod["spec"].get("hostNetwork") else self._pools[node].take(pod["metadata"]["uid"])
        return pod_status.running(pod, host, address, now)

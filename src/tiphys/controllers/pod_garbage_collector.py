"""Removes pods nobody else will: of nodes that are gone, never scheduled but deleted, too many ended ones
(`pkg/controller/podgc`).

Option `terminated-pod-gc-threshold` (12500): how many ended pods are kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.retry import is_not_found
from tiphys.controllers import disruption_target
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.periodic import periodically
from tiphys.controllers.pod_control import gather_failures
from tiphys.controllers.pod_state import condition, is_terminal
from tiphys.controllers.taint_eviction import node_of

log = logging.getLogger(__name__)

PERIOD = 20.0
QUARANTINE = 40.0
"""Seconds a node must be missing before its pods are orphans."""
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
AT_A_TIME = 50


class PodGarbageCollector:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.threshold = context.option("terminated-pod-gc-threshold", 12500)
        self.nodes = context.informers.of("v1", "nodes")
        self.pods = context.informers.of("v1", "pods")
        self._missing_since: dict[str, float] = {}

    async def run(self) -> None:
        await self.nodes.synced()
        await self.pods.synced()
        async with asyncio.TaskGroup() as group:
            group.create_task(periodically(self.context.clock, PERIOD, self.collect, "pod garbage collector"))

    async def collect(self) -> None:
        """One round."""
        pods = [self.pods.items[key] for key in sorted(self.pods.items)]
        if self.threshold > 0:
            await self._collect_ended(pods)
        await self._collect_out_of_service(pods)
        await self._collect_orphaned(pods)
        await self._collect_unscheduled(pods)

    async def _collect_ended(self, pods: Iterable[Document]) -> None:
        """The oldest beyond the threshold, evicted ones first."""
        ended = [pod for pod in pods if is_terminal(pod)]
        excess = len(ended) - self.threshold
        if excess > 0:
            await self._delete_all(sorted(ended, key=_age)[:excess])

    async def _collect_out_of_service(self, pods: Iterable[Document]) -> None:
        """Being deleted on a node that is not ready and was declared out of service."""
        await self._delete_all(pod for pod in pods if pod["metadata"].get("deletionTimestamp") and self._lost(pod))

    def _lost(self, pod: Document) -> bool:
        node = self.nodes.items.get(node_of(pod))
        if node is None:
            return False
        ready = (condition(node, "Ready") or {}).get("status")
        return ready != "True" and any(each["key"] == OUT_OF_SERVICE for each in node["spec"].get("taints") or ())

    async def _collect_orphaned(self, pods: Iterable[Document]) -> None:
        now = self.context.clock.monotonic()
        names = {node_of(pod) for pod in pods if node_of(pod)}
        missing = {name for name in names if name not in self.nodes.items}
        self._missing_since = {name: self._missing_since.get(name, now) for name in missing}
        ripe = sorted(name for name, since in self._missing_since.items() if now - since >= QUARANTINE)
        gone = {name for name in ripe if await self._is_gone(name)}
        await self._delete_all((pod for pod in pods if node_of(pod) in gone), "PodGC: node no longer exists")

    async def _is_gone(self, name: str) -> bool:
        try:
            await self.context.client.get("v1", "nodes", name)
        except StatusError as error:
            return is_not_found(error)
        return False

    async def _collect_unscheduled(self, pods: Iterable[Document]) -> None:
        await self._delete_all(pod for pod in pods if pod["metadata"].get("deletionTimestamp") and not node_of(pod))

    async def _delete_all(self, pods: Iterable[Document], why: str = "") -> None:
        doomed = list(pods)
        for start in range(0, len(doomed), AT_A_TIME):
            batch = doomed[start : start + AT_A_TIME]
            for error in await gather_failures([self._delete(pod, why) for pod in batch]):
                log.info("pod garbage collector: %s", error.message)

    async def _delete(self, pod: Document, why: str) -> None:
        """A pod that has not ended is marked Failed first, so that its owner counts it right."""
        meta = pod["metadata"]
        try:
            if not is_terminal(pod):
                reason = "DeletionByPodGC" if why else ""
                await disruption_target.tell(self.context, pod, reason, why, "Failed")
            await self.context.client.delete("v1", "pods", meta["name"], meta["namespace"], grace_period=0)
        except StatusError as error:
            if not is_not_found(error):
                raise


def _age(pod: Document) -> tuple[bool, str, str]:
    evicted = (pod.get("status") or {}).get("reason") == "Evicted"
    meta = pod["metadata"]
    return (not evicted, meta.get("creationTimestamp") or "", meta["name"])


CONTROLLER = ControllerSpec("pod-garbage-collector", PodGarbageCollector)

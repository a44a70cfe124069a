"""Watches over the nodes: NoSchedule taints at once from conditions, health every five seconds.

Options: `node-monitor-period` (5), `node-monitor-grace-period` (50 since 1.32, 40 before),
`node-startup-grace-period` (60), all in seconds.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, TypeVar

from tiphys.base.clock import rfc3339
from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.events import NORMAL, WARNING
from tiphys.client.retry import is_conflict, is_not_found
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.node_lifecycle import taints, zone
from tiphys.controllers.node_lifecycle.health import Health, observe, silenced
from tiphys.controllers.periodic import periodically
from tiphys.controllers.pod_state import condition, time_of
from tiphys.controllers.reconciler import Reconciler, log
from tiphys.controllers.taint_eviction import BY_NODE, index_by_node

Result = TypeVar("Result")
LEASES = "kube-node-lease"
LONGER_GRACE_SINCE = 32
_LABELS = {"kubernetes.io/os": "beta.kubernetes.io/os", "kubernetes.io/arch": "beta.kubernetes.io/arch"}
_EXCLUDED = "node.kubernetes.io/exclude-disruption"


class NodeLifecycleController(Reconciler):
    """Keys are nodes: reconciling one gives it the taints and labels its state calls for."""

    name = "node-lifecycle"
    workers = 8

    def __init__(self, context: Context) -> None:
        self.nodes = context.informers.of("v1", "nodes")
        self.pods = context.informers.of("v1", "pods")
        self.leases = context.informers.of("coordination.k8s.io/v1", "leases")
        super().__init__(context, [self.nodes, self.pods, self.leases])
        grace = 50.0 if context.minor >= LONGER_GRACE_SINCE else 40.0
        self.period = context.option("node-monitor-period", 5.0)
        self.grace = context.option("node-monitor-grace-period", grace)
        self.startup_grace = context.option("node-startup-grace-period", 60.0)
        self.recorder = context.recorder("node-controller")
        self.pods.add_index(BY_NODE, index_by_node)
        self.nodes.add_handlers(self.enqueue, lambda _old, new: self.enqueue(new))
        self._known: dict[str, Document] = {}
        self._health: dict[str, Health] = {}
        self._unmarked: set[str] = set()
        """Nodes whose pods could not all be marked not ready."""
        self._limits: dict[str, zone.Limiter] = defaultdict(zone.Limiter)
        self._all_silent = False

    def start(self, group: asyncio.TaskGroup) -> None:
        group.create_task(periodically(self.clock, self.period, self.monitor, "node health"))

    async def reconcile(self, key: str) -> None:
        node = self.nodes.items.get(key)
        if node is None:
            return
        labels = node["metadata"].get("labels") or {}
        stale = {old: labels[new] for new, old in _LABELS.items() if new in labels and labels.get(old) != labels[new]}
        wanted = self._wanted_taints(node)
        if stale or wanted is not None:
            await self._write(node, wanted, stale)

    def _wanted_taints(self, node: Document) -> list[Document] | None:
        """NoSchedule as conditions say; and a node that is ready again is rid of NoExecute without waiting."""
        now = self.clock.now()
        wanted = taints.for_scheduling(node, now)
        if _ready(node) != "True":
            return wanted
        tainted = node if wanted is None else {**node, "spec": {**node["spec"], "taints": wanted}}
        healed = taints.for_running(tainted, "True", now)
        return wanted if healed is None else healed

    async def _write(
        self, node: Document, wanted: list[Document] | None, labels: Mapping[str, str] | None = None
    ) -> None:
        """Only if the node is still as we saw it; on a conflict its next event brings us back."""
        meta: Document = {"resourceVersion": node["metadata"]["resourceVersion"]}
        if labels:
            meta["labels"] = dict(labels)
        patch: Document = {"metadata": meta}
        if wanted is not None:
            patch["spec"] = {"taints": wanted or None}
        try:
            await self.client.patch("v1", "nodes", node["metadata"]["name"], patch)
        except StatusError as error:
            if not is_not_found(error):
                raise

    # Health

    async def monitor(self) -> None:
        """One look at every node, and what follows from all of them together."""
        self._tell_known()
        looked = [await self._looked_at(self.nodes.items[name]) for name in sorted(self.nodes.items)]
        self._judge_zones(looked)
        for node in looked:
            await self._logging(node, self._taint(node))

    def _tell_known(self) -> None:
        """Events for nodes that came and went."""
        for name in sorted(self.nodes.items.keys() - self._known.keys()):
            self._known[name] = self.nodes.items[name]
            self._say(self._known[name], "RegisteredNode", f"event: Registered Node {name} in Controller")
        for name in sorted(self._known.keys() - self.nodes.items.keys()):
            self._say(self._known.pop(name), "RemovingNode", f"event: Removing Node {name} from Controller")
            self._health.pop(name, None)
            self._unmarked.discard(name)

    def _say(self, node: Document, reason: str, what: str) -> None:
        self.recorder.event(node, NORMAL, reason, f"Node {node['metadata']['name']} {what}")

    async def _looked_at(self, node: Document) -> Document:
        """The node as it is after this look."""
        before = _ready(node)
        silent = await self._logging(node, self._silenced_if_silent(node))
        if silent is not None:
            node = silent
        fell = before == "True" != _ready(node)
        if fell:
            self._say(node, "NodeNotReady", "status is now: NodeNotReady")
        if fell or (node["metadata"]["name"] in self._unmarked and _ready(node) != "True"):
            await self._logging(node, self._mark_pods(node["metadata"]["name"]))
        else:
            self._unmarked.discard(node["metadata"]["name"])
        return node

    async def _logging(self, node: Document, work: Coroutine[Any, Any, Result]) -> Result | None:
        """What fails for one node waits for the next look, and does not keep us from the others."""
        try:
            return await work
        except StatusError as error:
            level = logging.DEBUG if is_conflict(error) else logging.INFO
            log.log(level, "health of node %s: %s", node["metadata"]["name"], error)
            return None

    async def _silenced_if_silent(self, node: Document) -> Document:
        now = self.clock.now()
        name, meta = node["metadata"]["name"], node["metadata"]
        ready = condition(node, "Ready")
        health = self._health.get(name)
        if health is None:
            created = time_of(meta.get("creationTimestamp")) or now
            health = self._health[name] = Health(now if ready else created)
        observe(health, node, self.leases.get(LEASES, name), now)
        if now <= health.probed + (self.grace if ready else self.startup_grace):
            return node
        silent = silenced(node, now)
        if silent is None:
            return node
        written = await self.client.update_status("v1", "nodes", silent)
        # What we wrote is not a sign of life.
        health.heartbeat = (condition(written, "Ready") or {}).get("lastHeartbeatTime")
        health.seen = True
        return written

    async def _taint(self, node: Document) -> None:
        """A healthy node loses its NoExecute taint at once; a first one waits for its turn in the zone.

        With every zone silent the fault is likely ours: nobody is tainted, and taints are taken back.
        """
        status = "True" if self._all_silent else _ready(node)
        wanted = taints.for_running(node, status, self.clock.now())
        if wanted is None:
            return
        removes = len(wanted) <= len(node["spec"].get("taints") or ())
        if removes or self._limits[zone.zone_of(node)].allows(self.clock.monotonic()):
            await self._write(node, wanted)

    async def _mark_pods(self, name: str) -> None:
        """Nobody can say that the pods of a silent node are ready."""
        self._unmarked.add(name)
        for pod in list(self.pods.indexed(BY_NODE, name).values()):
            await self._mark_pod(pod)
        self._unmarked.discard(name)

    async def _mark_pod(self, pod: Document) -> None:
        ready = condition(pod, "Ready")
        if ready is None or ready.get("status") == "False":
            return
        now = rfc3339(self.clock.now())
        changed = {**ready, "status": "False", "lastTransitionTime": now}
        status = pod["status"]
        conditions = [changed if each is ready else each for each in status["conditions"]]
        marked = {**pod, "status": {**status, "conditions": conditions}}
        try:
            await self.client.update_status("v1", "pods", marked, pod["metadata"]["namespace"])
        except StatusError as error:
            if is_not_found(error):
                return
            raise
        self.recorder.event(pod, WARNING, "NodeNotReady", "Node is not ready")

    def _judge_zones(self, nodes: Iterable[Document]) -> None:
        ready: dict[str, list[bool]] = defaultdict(list)
        for node in nodes:
            if _EXCLUDED not in (node["metadata"].get("labels") or {}):
                ready[zone.zone_of(node)].append(_ready(node) == "True")
        states = {name: zone.state_of(each) for name, each in ready.items()}
        for name, state in states.items():
            self._limits[name].set(state, len(ready[name]))
        self._all_silent = bool(states) and all(state == zone.FULL for state in states.values())


def _ready(node: Document) -> str:
    """The status of the node's Ready condition."""
    return str((condition(node, "Ready") or {}).get("status") or "Unknown")


CONTROLLER = ControllerSpec("node-lifecycle", NodeLifecycleController)

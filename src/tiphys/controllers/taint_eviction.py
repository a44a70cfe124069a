"""Evicts pods from nodes whose NoExecute taints they do not tolerate (`pkg/controller/tainteviction`)."""

from __future__ import annotations

from tiphys.base.document import Document, namespaced_name
from tiphys.base.status import StatusError
from tiphys.client.events import NORMAL
from tiphys.client.retry import is_not_found
from tiphys.controllers import disruption_target
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.reconciler import Reconciler
from tiphys.controllers.toleration import no_execute, seconds_tolerated

BY_NODE = "node"
OWN_CONTROLLER_SINCE = 29
"""The first minor where this is a controller of its own, with its own name in events."""


def node_of(pod: Document) -> str:
    return str((pod.get("spec") or {}).get("nodeName") or "")


def index_by_node(pod: Document) -> tuple[str, ...]:
    name = node_of(pod)
    return (name,) if name else ()


class TaintEvictionController(Reconciler):
    """Keys are pods. `_since` tells from when the time counts that a pod tolerates its node's taints."""

    name = "taint-eviction"
    workers = 8

    def __init__(self, context: Context) -> None:
        self.nodes = context.informers.of("v1", "nodes")
        self.pods = context.informers.of("v1", "pods")
        super().__init__(context, [self.nodes, self.pods])
        own = context.minor >= OWN_CONTROLLER_SINCE
        self.recorder = context.recorder("taint-eviction-controller" if own else "taint-controller")
        self._since: dict[str, float] = {}
        self.pods.add_index(BY_NODE, index_by_node)
        self.nodes.add_handlers(self._node_added, self._node_updated)
        self.pods.add_handlers(self._pod_changed, self._pod_updated, self._pod_deleted)

    def _node_added(self, node: Document) -> None:
        if no_execute(node):
            self._wake_all(node)

    def _node_updated(self, old: Document, new: Document) -> None:
        if no_execute(old) != no_execute(new):
            self._wake_all(new)

    def _wake_all(self, node: Document) -> None:
        for key in self.pods.indexed(BY_NODE, node["metadata"]["name"]):
            self.queue.add(key)

    def _pod_updated(self, old: Document, new: Document) -> None:
        before, now = old.get("spec") or {}, new.get("spec") or {}
        if before.get("nodeName") != now.get("nodeName") or before.get("tolerations") != now.get("tolerations"):
            self._pod_changed(new)

    def _pod_changed(self, pod: Document) -> None:
        if no_execute(self.nodes.items.get(node_of(pod))):
            self.enqueue(pod)

    def _pod_deleted(self, pod: Document) -> None:
        if namespaced_name(pod) in self._since:
            self.enqueue(pod)

    async def reconcile(self, key: str) -> None:
        pod = self.pods.items.get(key)
        taints = no_execute(self.nodes.items.get(node_of(pod))) if pod is not None else []
        if pod is None or not taints:
            self._cancel(key, pod)
            return
        seconds = seconds_tolerated(taints, pod["spec"].get("tolerations") or ())
        if seconds is None:
            self._cancel(key, pod)
            return
        now = self.clock.monotonic()
        due = self._since.setdefault(key, now) + seconds
        if now < due:
            self.queue.add_after(key, due - now)
            return
        if not pod["metadata"].get("deletionTimestamp"):
            await self._evict(key, pod)
        self._since.pop(key, None)

    def _cancel(self, key: str, pod: Document | None) -> None:
        if self._since.pop(key, None) is not None:
            self._say(key, pod, f"Cancelling deletion of Pod {key}")

    async def _evict(self, key: str, pod: Document) -> None:
        self._say(key, pod, f"Marking for deletion Pod {key}")
        meta = pod["metadata"]
        message = "Taint manager: deleting due to NoExecute taint"
        try:
            await disruption_target.tell(self.context, pod, "DeletionByTaintManager", message)
            await self.client.delete("v1", "pods", meta["name"], meta["namespace"], uid=meta["uid"])
        except StatusError as error:
            if not is_not_found(error):
                raise

    def _say(self, key: str, pod: Document | None, message: str) -> None:
        namespace, _, name = key.partition("/")
        about = {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": namespace, "name": name}}
        self.recorder.event(pod or about, NORMAL, "TaintManagerEviction", message)


CONTROLLER = ControllerSpec("taint-eviction", TaintEvictionController)

"""Deletes what is in a namespace that is being deleted, then lets go of it (`namespace/namespace_controller.go`).

Upstream lets 5 seconds pass first, for API servers that have not heard of the deletion yet; the option
`namespace-deletion-grace-period` does that here, and is 0 because one server hears it at once.
"""

from __future__ import annotations

from tiphys.base.document import Document, namespaced_name
from tiphys.base.status import StatusError
from tiphys.client.retry import is_conflict, is_not_found
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.namespace.condition import updated
from tiphys.controllers.namespace.content import Emptying
from tiphys.controllers.pod_state import time_of
from tiphys.controllers.reconciler import Reconciler, log

FINALIZER = "kubernetes"
BY_NAMESPACE = "namespace"


class NamespaceController(Reconciler):
    """Keys are namespaces. Looks again when the last pod of one is gone, or half the time it should take is over."""

    name = "namespace"
    workers = 10

    def __init__(self, context: Context) -> None:
        self.delay = context.option("namespace-deletion-grace-period", 0.0)
        self.namespaces = context.informers.of("v1", "namespaces")
        self.pods = context.informers.of("v1", "pods")
        super().__init__(context, [self.namespaces])
        self.pods.add_index(BY_NAMESPACE, lambda pod: (pod["metadata"]["namespace"],))
        self.namespaces.add_handlers(self._changed, lambda _old, new: self._changed(new))
        self.pods.add_handlers(delete=self._pod_deleted)

    def _changed(self, namespace: Document) -> None:
        if namespace["metadata"].get("deletionTimestamp"):
            self.queue.add_after(namespaced_name(namespace), self.delay)

    def _pod_deleted(self, pod: Document) -> None:
        name = pod["metadata"]["namespace"]
        namespace = self.namespaces.items.get(name)
        deleting = namespace is not None and namespace["metadata"].get("deletionTimestamp")
        if deleting and not self.pods.indexed(BY_NAMESPACE, name):
            self.queue.add(name)

    async def reconcile(self, key: str) -> None:
        if key not in self.namespaces.items:
            return
        try:
            namespace = await self.client.get("v1", "namespaces", key)
        except StatusError as error:
            if is_not_found(error):
                return
            raise
        if namespace["metadata"].get("deletionTimestamp") and (namespace.get("spec") or {}).get("finalizers"):
            await self._empty(key, await self._marked(namespace))

    async def _marked(self, namespace: Document) -> Document:
        status = namespace.get("status") or {}
        if status.get("phase") == "Terminating":
            return namespace
        return await self.client.update_status(
            "v1", "namespaces", {**namespace, "status": {**status, "phase": "Terminating"}}
        )

    async def _empty(self, key: str, namespace: Document) -> None:
        age = self.clock.now() - time_of(namespace["metadata"]["deletionTimestamp"])
        pass_ = Emptying(self.client, key, age, self.context.minor)
        await pass_.run()
        namespace = await self._told(namespace, pass_)
        if pass_.errors:
            raise StatusError(500, "", f"deletion of namespace {key} failed: {', '.join(pass_.errors)}")
        if pass_.estimate:
            self.queue.add_after(key, pass_.estimate // 2 + 1)
        else:
            await self._finalize(namespace)

    async def _told(self, namespace: Document, pass_: Emptying) -> Document:
        """The namespace with its conditions brought up to date; a failure to do so holds nothing up."""
        status = namespace.get("status") or {}
        conditions = updated(status.get("conditions") or (), pass_.findings, self.clock.now())
        if conditions == status.get("conditions"):
            return namespace
        told = {**namespace, "status": {**status, "conditions": conditions}}
        try:
            return await self.client.update_status("v1", "namespaces", told)
        except StatusError as error:
            log.info("couldn't update status condition for namespace %s: %s", namespace["metadata"]["name"], error)
            return namespace

    async def _finalize(self, namespace: Document) -> None:
        name = namespace["metadata"]["name"]
        while True:
            spec = namespace.get("spec") or {}
            kept = sorted(each for each in spec.get("finalizers") or () if each != FINALIZER)
            done = {**namespace, "spec": {**spec, "finalizers": kept}}
            try:
                await self.client.update("v1", "namespaces", done, subresource="finalize")
                return
            except StatusError as error:
                if is_not_found(error):
                    return
                if not is_conflict(error):
                    raise
            namespace = await self.client.get("v1", "namespaces", name)


CONTROLLER = ControllerSpec("namespace", NamespaceController)

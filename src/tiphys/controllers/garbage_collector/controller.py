"""What to do about an object whose owners, or dependents, have changed (attemptToDeleteItem and its kin)."""

from __future__ import annotations

import asyncio

from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.events import WARNING
from tiphys.client.retry import is_not_found
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.garbage_collector.graph import DELETE, FOREGROUND, ORPHAN, Graph, Node
from tiphys.controllers.garbage_collector.monitors import Monitors
from tiphys.controllers.garbage_collector.owner import (
    NamespacedOwnerOfClusterObject,
    OwnerLookup,
    UnknownOwnerKind,
)
from tiphys.controllers.periodic import periodically
from tiphys.controllers.pod_control import gather_failures
from tiphys.controllers.reconciler import Reconciler, log

DISCOVERY_PERIOD = 30.0
_UNSUPPORTED_MEDIA_TYPE = 415


class GarbageCollector(Reconciler):
    """Keys are `delete/<uid>` and `orphan/<uid>`."""

    name = "garbage-collector"
    workers = 20

    def __init__(self, context: Context) -> None:
        super().__init__(context, [])
        self.graph = Graph(lambda what, uid: self.queue.add(f"{what}/{uid}"))
        self.monitors = Monitors(context, self.graph)
        self.owners = OwnerLookup(context.client, self.graph, self.monitors, self._tell_strange)
        self.recorder = context.recorder("garbage-collector-controller")
        self._ready = asyncio.Event()

    def start(self, group: asyncio.TaskGroup) -> None:
        group.create_task(periodically(self.clock, DISCOVERY_PERIOD, self._sync, "garbage collector's discovery"))

    async def _sync(self) -> None:
        await self.monitors.sync()
        self._ready.set()

    async def reconcile(self, key: str) -> None:
        """Nothing is judged before everything was seen once."""
        await self._ready.wait()
        what, _, uid = key.partition("/")
        node = self.graph.nodes.get(uid)
        if node is None:
            return
        if what == ORPHAN:
            await self._orphan_dependents(node)
        elif node.waits:
            await self._wait_for_dependents(node)
        elif not node.deleting:
            await self._look_at_owners(key, node)

    async def _look_at_owners(self, key: str, node: Node) -> None:
        document = node.document
        if document is None or not node.owners:
            return
        try:
            owners = await self.owners.classify(node, node.owners)
        except UnknownOwnerKind as error:
            log.debug("garbage collector: %s is owned by an unknown kind: %s", node.key, error)
            self.queue.add_rate_limited(key)
            return
        except NamespacedOwnerOfClusterObject:
            return
        if owners.unobserved:
            self.queue.add_after(key, 1.0)
        if owners.solid:
            await self._drop(node, [*owners.dangling, *owners.waiting])
        elif owners.waiting and any(self.graph.dependents(node.uid)):
            await self._delete_in_foreground(node, document)
        else:
            await self._delete(node, document, _policy(document))

    def _tell_strange(self, node: Node, reference: Document) -> None:
        """An owner in another namespace is none (reportInvalidNamespaceOwnerRef)."""
        document, namespace = node.document, node.namespace
        if document is None:
            return
        of = f"{reference.get('apiVersion')}/{reference.get('kind')}"
        owner = f"[{of}, namespace: {namespace}, name: {reference.get('name')}, uid: {reference.get('uid')}]"
        message = f'ownerRef {owner} does not exist in namespace "{namespace}"'
        self.recorder.event(document, WARNING, "OwnerRefInvalidNamespace", message)

    async def _drop(self, node: Node, references: list[Document]) -> None:
        """Owners that are gone, or wait in vain while another still owns the object."""
        if references:
            await self._remove_references(node, [reference["uid"] for reference in references])

    async def _delete_in_foreground(self, node: Node, document: Document) -> None:
        """With a dependent that waits itself there may be a circle: then nobody is to be waited for."""
        if any(each.waits for each in self.graph.dependents(node.uid)):
            loose = [{**owner, "blockOwnerDeletion": False} for owner in node.owners]
            await self._patch_references(node, loose, loose)
            await self._delete(node, None, "Foreground")
            return
        await self._delete(node, document, "Foreground")

    async def _delete(self, node: Node, document: Document | None, policy: str) -> None:
        """Only if it is still as it was judged; on a conflict it is judged again."""
        version = document["metadata"].get("resourceVersion") or "" if document is not None else ""
        monitor = node.monitor
        try:
            await self.client.delete(
                monitor.api_version,
                monitor.plural,
                node.name,
                node.namespace,
                propagation=policy,
                uid=node.uid,
                resource_version=version,
            )
        except StatusError as error:
            if not is_not_found(error):
                raise

    async def _wait_for_dependents(self, node: Node) -> None:
        blocking = self.graph.blocking(node.uid)
        if not blocking:
            await self._remove_finalizer(node, FOREGROUND)
        for each in blocking:
            if not each.waits:
                self.queue.add(f"{DELETE}/{each.uid}")

    async def _orphan_dependents(self, node: Node) -> None:
        dependents = list(self.graph.dependents(node.uid))
        failures = await gather_failures([self._remove_references(each, [node.uid]) for each in dependents])
        if failures:
            raise failures[0]
        await self._remove_finalizer(node, ORPHAN)

    async def _remove_references(self, node: Node, uids: list[str]) -> None:
        gone = [{"$patch": "delete", "uid": uid} for uid in uids]
        kept = [owner for owner in node.owners if owner.get("uid") not in uids]
        await self._patch_references(node, gone, kept)

    async def _patch_references(self, node: Node, strategic: list[Document], whole: list[Document]) -> None:
        """By strategic merge, or as a whole where the kind knows none (custom resources)."""
        monitor = node.monitor
        where = (monitor.api_version, monitor.plural, node.name)
        try:
            patch: Document = {"metadata": {"uid": node.uid, "ownerReferences": strategic}}
            await self.client.patch(*where, patch, node.namespace, kind="strategic")
        except StatusError as error:
            if is_not_found(error):
                return
            document = node.document
            if error.code != _UNSUPPORTED_MEDIA_TYPE or document is None:
                raise
            version = document["metadata"]["resourceVersion"]
            patch = {"metadata": {"uid": node.uid, "resourceVersion": version, "ownerReferences": whole or None}}
            await self.client.patch(*where, patch, node.namespace)

    async def _remove_finalizer(self, node: Node, finalizer: str) -> None:
        document = node.document
        if document is None:
            return
        meta = document["metadata"]
        finalizers = meta.get("finalizers") or []
        if finalizer not in finalizers:
            return
        kept = [each for each in finalizers if each != finalizer]
        patch = {"metadata": {"resourceVersion": meta["resourceVersion"], "finalizers": kept or None}}
        monitor = node.monitor
        try:
            await self.client.patch(monitor.api_version, monitor.plural, node.name, patch, node.namespace)
        except StatusError as error:
            if not is_not_found(error):
                raise


def _policy(document: Document) -> str:
    """As a finalizer on it already asks, else in the background."""
    finalizers = document["metadata"].get("finalizers") or ()
    if ORPHAN in finalizers:
        return "Orphan"
    return "Foreground" if FOREGROUND in finalizers else "Background"


CONTROLLER = ControllerSpec("garbage-collector", GarbageCollector)

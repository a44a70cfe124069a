"""Keeps status.hard and status.used of every ResourceQuota true (`pkg/controller/resourcequota`).

Admission charges a quota before the object it charges for is stored, so for a moment more is used than can be
counted. Upstream's controller can count in that moment and give the charge away. Ours lowers what is used only
at a second look: what was charged by the first look has been stored, or refused, by the second, and what was
charged in between is left charged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tiphys.base.document import Document, namespaced_name
from tiphys.base.quantity import ZERO, Quantity
from tiphys.client.discovery import ServedResource, preferred_resources
from tiphys.client.informer import Informer
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.periodic import periodically
from tiphys.controllers.pod_state import is_terminal
from tiphys.controllers.reconciler import Reconciler
from tiphys.resource.quota.registry import evaluators
from tiphys.resource.quota.usage import calculate_usage, resources_to_list
from tiphys.resource.resource_list import ResourceList, mask, read, write

BY_NAMESPACE = "namespace"
FULL_RESYNC = 300.0
SECOND_LOOK = 0.25
"""Seconds within which a charged create is stored or refused."""
SECONDS_PER_OBJECT = 0.0004
"""A namespace of n objects is counted no oftener than every n of these."""
_WHOLE = {("", "pods"), ("", "persistentvolumeclaims"), ("", "services")}
"""What is measured; of all else objects are counted."""
Resource = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Look:
    """What a quota's status said when fewer were counted than it says."""

    uid: str
    at: float
    used: Mapping[str, Quantity]


class ResourceQuotaController(Reconciler):
    """Keys are quotas."""

    name = "resourcequota"

    def __init__(self, context: Context) -> None:
        self.quotas = context.informers.of("v1", "resourcequotas")
        super().__init__(context, [self.quotas])
        self.quotas.add_index(BY_NAMESPACE, _namespace)
        self.quotas.add_handlers(self.enqueue, self._updated, self._deleted)
        self._monitors: dict[Resource, Informer] = {}
        self._served: dict[Resource, ServedResource] = {}
        self._looks: dict[str, _Look] = {}

    def start(self, group: asyncio.TaskGroup) -> None:
        group.create_task(periodically(self.clock, FULL_RESYNC, self._resync, "quota resync"))

    async def _resync(self) -> None:
        """Count everything anew, on resources as discovery has them now."""
        self._served = {}
        for key in sorted(self.quotas.items):
            self.queue.add(key)

    # Events

    def _updated(self, old: Document, new: Document) -> None:
        """Only changes of the spec: the status is ours and admission's."""
        if (old.get("spec") or {}) != (new.get("spec") or {}):
            self.enqueue(new)

    def _deleted(self, quota: Document) -> None:
        self._looks.pop(namespaced_name(quota), None)

    def _freed(self, resource: Resource, document: Document) -> None:
        """An object that no longer counts: look at the quotas it counted for."""
        namespace = document["metadata"].get("namespace") or ""
        for key, quota in self.quotas.indexed(BY_NAMESPACE, namespace).items():
            hard = (quota.get("spec") or {}).get("hard") or {}
            if any((each.group, each.plural) == resource for each, _ in evaluators(hard)):
                self.queue.add_after(key, self._count(quota) * SECONDS_PER_OBJECT)

    def _count(self, quota: Document) -> int:
        """How many objects counting it anew would look at; few are worth no delay."""
        namespace = quota["metadata"]["namespace"]
        monitors = [self._monitors[each] for each in resources_to_list(quota) if each in self._monitors]
        count = sum(len(monitor.indexed(BY_NAMESPACE, namespace)) for monitor in monitors)
        return count if count > 50 else 0

    def _changed(self, resource: Resource, old: Document, new: Document) -> None:
        """A pod that ended; a service or claim that is another than it was."""
        if resource == ("", "pods"):
            if is_terminal(new) and not is_terminal(old):
                self._freed(resource, new)
        elif old.get("spec") != new.get("spec") or (resource[1] == "persistentvolumeclaims" and old != new):
            self._freed(resource, new)

    # Reconciling

    async def reconcile(self, key: str) -> None:
        quota = self.quotas.items.get(key)
        if quota is None:
            self._looks.pop(key, None)
            return
        objects = await self._objects(quota)
        quota = self.quotas.items.get(key)
        if quota is None:
            return
        status = quota.get("status") or {}
        hard, before = read((quota.get("spec") or {}).get("hard")), read(status.get("used"))
        counted = mask({**before, **calculate_usage(quota, objects, self.clock.now())}, hard)
        used = self._agreed(key, quota, before, counted)
        if used != before or read(status.get("hard")) != hard or "used" not in status:
            new = {"hard": write(hard), "used": write(used)}
            namespace = quota["metadata"]["namespace"]
            await self.client.update_status("v1", "resourcequotas", {**quota, "status": new}, namespace)

    def _agreed(self, key: str, quota: Document, before: ResourceList, counted: ResourceList) -> ResourceList:
        """What to write as used: what was counted, but nothing lower than before at the first look."""
        if all(amount >= before.get(name, ZERO) for name, amount in counted.items()):
            self._looks.pop(key, None)
            return counted
        look, now = self._looks.get(key), self.clock.monotonic()
        if look is None or look.uid != quota["metadata"]["uid"]:
            look = self._looks[key] = _Look(quota["metadata"]["uid"], now, before)
        if now - look.at < SECOND_LOOK:
            self.queue.add_after(key, SECOND_LOOK - (now - look.at))
            return {name: max(amount, before.get(name, amount)) for name, amount in counted.items()}
        del self._looks[key]
        return {name: _less_at_most(name, amount, look.used, before) for name, amount in counted.items()}

    async def _objects(self, quota: Document) -> dict[Resource, Sequence[Document]]:
        """The namespace's objects of every resource that the quota counts and the cluster serves."""
        namespace = quota["metadata"]["namespace"]
        found: dict[Resource, Sequence[Document]] = {}
        for resource in resources_to_list(quota):
            monitor = await self._monitor(resource)
            if monitor is not None:
                found[resource] = list(monitor.indexed(BY_NAMESPACE, namespace).values())
        return found

    async def _monitor(self, resource: Resource) -> Informer | None:
        """The informer of a resource, made at its first use; None if there is no such resource."""
        monitor = self._monitors.get(resource)
        if monitor is None:
            api_version = await self._api_version(resource)
            if not api_version:
                return None
            informers = self.context.informers
            whole = resource in _WHOLE
            monitor = (informers.of if whole else informers.metadata_of)(api_version, resource[1])
            monitor.add_index(BY_NAMESPACE, _namespace)
            await monitor.synced()
            if resource not in self._monitors:
                self._monitors[resource] = monitor
                self._listen(monitor, resource, whole)
        return monitor

    def _listen(self, monitor: Informer, resource: Resource, whole: bool) -> None:
        def changed(old: Document, new: Document) -> None:
            self._changed(resource, old, new)

        def freed(document: Document) -> None:
            self._freed(resource, document)

        monitor.add_handlers(update=changed if whole else None, delete=freed)

    async def _api_version(self, resource: Resource) -> str:
        if resource in _WHOLE:
            return "v1"
        if not self._served:
            served = await preferred_resources(self.client)
            wanted = {"create", "list", "watch", "delete"}
            self._served = {(each.group, each.plural): each for each in served.resources if wanted <= each.verbs}
        found = self._served.get(resource)
        return found.api_version if found is not None and found.namespaced else ""


def _less_at_most(
    name: str, counted: Quantity, looked: Mapping[str, Quantity], before: Mapping[str, Quantity]
) -> Quantity:
    """What was counted and, on top, what was charged since the first look; but no more than is charged."""
    charged = before.get(name)
    if charged is None or counted >= charged:
        return counted
    since = charged - looked.get(name, charged)
    return min(charged, counted + since) if since > ZERO else counted


def _namespace(document: Document) -> tuple[str, ...]:
    namespace = document["metadata"].get("namespace")
    return (namespace,) if namespace else ()


CONTROLLER = ControllerSpec("resourcequota", ResourceQuotaController)

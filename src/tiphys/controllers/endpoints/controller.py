"""Endpoints: for each service with a selector, the addresses of its pods.

A pod event costs a look at the services indexed under its labels; many pods of one service are one reconcile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from tiphys.base import label_selector
from tiphys.base.document import Document, split_key
from tiphys.base.status import StatusError
from tiphys.client.events import WARNING
from tiphys.client.retry import is_already_exists, is_conflict, is_not_found
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.endpoints.subsets import Member, PortKey, pack, truncate
from tiphys.controllers.label_index import delay, index_by_label, index_by_selector, selected
from tiphys.controllers.pod_state import is_ready
from tiphys.controllers.reconciler import Reconciler
from tiphys.controllers.service_member import (
    HEADLESS,
    LAST_CHANGE,
    TriggerTimes,
    addresses,
    belongs,
    hostname,
    is_headless,
    port_number,
    selector_of,
    services_of,
    services_to_update,
)

OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
LEADER = "control-plane.alpha.kubernetes.io/leader"
MANAGED_BY = "endpoints.kubernetes.io/managed-by"
NAME = "endpoint-controller"
MANAGED_BY_SINCE = 33


class EndpointsController(Reconciler):
    """Level-triggered by service key."""

    name = "endpoints"
    retries = 15

    def __init__(self, context: Context) -> None:
        self.services = context.informers.of("v1", "services")
        self.pods = context.informers.of("v1", "pods")
        self.endpoints = context.informers.of("v1", "endpoints")
        super().__init__(context, [self.services, self.pods, self.endpoints])
        self.recorder = context.recorder(NAME)
        self.times = TriggerTimes()
        self._replaced: dict[str, str] = {}
        """The version of the Endpoints our last write replaced: to find it in the cache again is to be too early."""
        self._sizes: dict[str, int] = {}
        """How many pods a service had when last looked at."""
        index_by_label(self.pods)
        index_by_selector(self.services, selector_of)
        self.services.add_handlers(self.enqueue, lambda old, new: self.enqueue(new), self.enqueue)
        self.pods.add_handlers(self._pod_changed, self._pod_updated, self._pod_changed)
        self.endpoints.add_handlers(None, None, self.enqueue)

    # Events

    def _pod_changed(self, pod: Document) -> None:
        for key in services_of(self.services, pod):
            self._wake(key)

    def _pod_updated(self, old: Document, new: Document) -> None:
        for key in services_to_update(self.services, old, new):
            self._wake(key)

    def _wake(self, key: str) -> None:
        self.queue.add_after(key, delay(self._sizes.get(key, 0)))

    def start(self, group: asyncio.TaskGroup) -> None:
        """Look once at Endpoints left over from services that went while nobody looked (checkLeftoverEndpoints);
        leader election's are its own."""
        for endpoints in self.endpoints.items.values():
            if LEADER not in (endpoints["metadata"].get("annotations") or {}):
                self.enqueue(endpoints)

    # Reconciling

    async def reconcile(self, key: str) -> None:
        service = self.services.items.get(key)
        if service is None:
            await self._remove(key)
            return
        selector = selector_of(service)
        if selector is None or service["spec"].get("type") == "ExternalName":
            return
        pods = selected(self.pods, service["metadata"]["namespace"], label_selector.from_labels(selector), selector)
        self._sizes[key] = len(pods)
        triggered = self.times.compute(service, pods)
        subsets, cut = truncate(pack(_members(service, pods)))
        await self._write(key, service, subsets, cut, triggered)

    async def _remove(self, key: str) -> None:
        self.times.forget(key)
        self._sizes.pop(key, None)
        self._replaced.pop(key, None)
        namespace, name = split_key(key)
        try:
            await self.client.delete("v1", "endpoints", name, namespace)
        except StatusError as error:
            if not is_not_found(error):
                raise

    async def _write(self, key: str, service: Document, subsets: list[Document], cut: bool, triggered: str) -> None:
        current = self.endpoints.items.get(key)
        labels = self._labels(service)
        if current is not None:
            meta = current["metadata"]
            if self._replaced.get(key) == meta["resourceVersion"]:
                why = f"endpoints informer cache is out of date: {meta['resourceVersion']} of {key} is replaced"
                raise StatusError(409, "Conflict", why)
            capped = OVER_CAPACITY in (meta.get("annotations") or {})
            if _same(current.get("subsets"), subsets) and (meta.get("labels") or {}) == labels and capped == cut:
                return
        wanted = _document(service, current, subsets, labels, _annotations(current, cut, triggered))
        await self._persist(key, current, wanted)

    def _labels(self, service: Document) -> dict[str, str]:
        labels = {
            name: value for name, value in (service["metadata"].get("labels") or {}).items() if name != HEADLESS
        }
        if is_headless(service):
            labels[HEADLESS] = ""
        if self.context.minor >= MANAGED_BY_SINCE:
            labels[MANAGED_BY] = NAME
        return labels

    async def _persist(self, key: str, current: Document | None, wanted: Document) -> None:
        namespace = wanted["metadata"]["namespace"]
        try:
            if current is None:
                await self.client.create("v1", "endpoints", wanted, namespace)
                return
            written = await self.client.update("v1", "endpoints", wanted, namespace)
        except StatusError as error:
            # Neither tells anything but that the cache is behind.
            if not is_conflict(error) and not is_already_exists(error):
                self._tell_failure(key, wanted, error, created=current is None)
            raise
        if written["metadata"]["resourceVersion"] != current["metadata"]["resourceVersion"]:
            self._replaced[key] = current["metadata"]["resourceVersion"]

    def _tell_failure(self, key: str, wanted: Document, error: StatusError, created: bool) -> None:
        reason, what = (
            ("FailedToCreateEndpoint", f"Failed to create endpoint for service {key}")
            if created
            else ("FailedToUpdateEndpoint", f"Failed to update endpoint {key}")
        )
        self.recorder.event(wanted, WARNING, reason, f"{what}: {error.message}")


def _members(service: Document, pods: list[Document]) -> Iterator[Member]:
    spec = service["spec"]
    tolerant = bool(spec.get("publishNotReadyAddresses"))
    ports = spec.get("ports") or ()
    ipv6 = _is_ipv6(service)
    for pod in pods:
        if not belongs(pod, include_terminating=tolerant):
            continue
        found = addresses(pod, ipv6)
        offered = tuple(_offered(pod, ports))
        if found and (offered or (not ports and spec.get("clusterIP") == "None")):
            key = found[0], pod["metadata"]["uid"]
            yield key, _address(service, pod, found[0]), tolerant or is_ready(pod), offered


def _offered(pod: Document, ports: Sequence[Document]) -> Iterator[PortKey]:
    for port in ports:
        number = port_number(pod, port)
        if number is not None:
            yield port.get("name") or "", number, port.get("protocol") or "TCP", port.get("appProtocol")


def _is_ipv6(service: Document) -> bool:
    """The family of the service's first address (podToEndpointAddressForService)."""
    families = service["spec"].get("ipFamilies")
    return families[0] == "IPv6" if families else ":" in (service["spec"].get("clusterIP") or "")


def _address(service: Document, pod: Document, ip: str) -> Document:
    meta = pod["metadata"]
    found: Document = {"ip": ip}
    if name := hostname(pod, service):
        found["hostname"] = name
    found["nodeName"] = pod["spec"].get("nodeName") or ""
    target = {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}
    return {**found, "targetRef": target}


def _annotations(current: Document | None, cut: bool, triggered: str) -> dict[str, str]:
    kept = dict((current or {"metadata": {}})["metadata"].get("annotations") or {})
    kept.pop(LAST_CHANGE, None)
    kept.pop(OVER_CAPACITY, None)
    if triggered:
        kept[LAST_CHANGE] = triggered
    if cut:
        kept[OVER_CAPACITY] = "truncated"
    return kept


def _document(
    service: Document,
    current: Document | None,
    subsets: list[Document],
    labels: dict[str, str],
    annotations: dict[str, str],
) -> Document:
    meta = {**(current or service)["metadata"]} if current else {}
    meta |= {"name": service["metadata"]["name"], "namespace": service["metadata"]["namespace"]}
    for field, found in (("labels", labels), ("annotations", annotations)):
        meta.pop(field, None)
        if found:
            meta[field] = found
    wanted: Document = {"apiVersion": "v1", "kind": "Endpoints", "metadata": meta}
    if subsets:
        wanted["subsets"] = subsets
    return wanted


def _same(current: list[Document] | None, wanted: list[Document]) -> bool:
    """Equal but for the resourceVersion of pods, which older controllers wrote."""
    current = current or []
    return current == wanted or [_unversioned(subset) for subset in current] == wanted


def _unversioned(subset: Document) -> Document:
    found = dict(subset)
    for field in ("addresses", "notReadyAddresses"):
        if field in found:
            found[field] = [_without_version(address) for address in found[field] or ()]
    return found


def _without_version(address: Document) -> Document:
    target = address.get("targetRef")
    if not target or "resourceVersion" not in target:
        return address
    return {**address, "targetRef": {key: value for key, value in target.items() if key != "resourceVersion"}}


CONTROLLER = ControllerSpec("endpoints", EndpointsController)

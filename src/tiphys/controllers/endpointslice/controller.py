"""EndpointSlices: for each service with a selector, the addresses of its pods, a hundred to a slice.

A pod event costs a look at the services indexed under its labels; many pods of one service are one reconcile, which
writes only the slices that change. Hints by topology (`service.kubernetes.io/topology-mode`) are not given.
"""

from __future__ import annotations

from tiphys.base import label_selector
from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.events import WARNING
from tiphys.client.retry import NAMESPACE_TERMINATING, has_cause
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.controller_reference import ResourceKind, controller_reference
from tiphys.controllers.endpoint_slice import (
    API_VERSION,
    MANAGED_BY,
    PLURAL,
    SERVICE_NAME,
    SliceEvents,
    SliceTracker,
    SliceWriter,
    endpoint_key,
    index_by_service,
    name_prefix,
    ordered_ports,
    port_key,
    slices_of,
)
from tiphys.controllers.endpointslice.endpoint import address_types, endpoint_of, hints_of, ports_of
from tiphys.controllers.endpointslice.packing import Desired, Plan, pack
from tiphys.controllers.label_index import delay, index_by_label, index_by_selector, selected
from tiphys.controllers.reconciler import Reconciler
from tiphys.controllers.service_member import (
    HEADLESS,
    LAST_CHANGE,
    TriggerTimes,
    belongs,
    has_named_ports,
    is_headless,
    selector_of,
    services_of,
    services_to_update,
)

NAME = "endpointslice-controller.k8s.io"
SERVICE = ResourceKind("v1", "Service", "services")
_RESERVED = frozenset((SERVICE_NAME, MANAGED_BY, HEADLESS))
PortKey = frozenset[tuple[object, ...]]


class EndpointSliceController(Reconciler):
    """Level-triggered by service key."""

    name = "endpointslice"
    retries = 15

    def __init__(self, context: Context) -> None:
        self.services = context.informers.of("v1", "services")
        self.pods = context.informers.of("v1", "pods")
        self.nodes = context.informers.of("v1", "nodes")
        self.slices = context.informers.of(API_VERSION, PLURAL)
        super().__init__(context, [self.services, self.pods, self.nodes, self.slices])
        self.recorder = context.recorder("endpoint-slice-controller")
        self.times = TriggerTimes()
        self.tracker = SliceTracker()
        self._sizes: dict[str, int] = {}
        """How many pods a service had when last looked at."""
        index_by_label(self.pods)
        index_by_selector(self.services, selector_of)
        index_by_service(self.slices)
        self.services.add_handlers(self.enqueue, lambda old, new: self.enqueue(new), self.enqueue)
        self.pods.add_handlers(self._pod_changed, self._pod_updated, self._pod_changed)
        SliceEvents(NAME, self.tracker, self._wake).listen(self.slices)

    # Events

    def _pod_changed(self, pod: Document) -> None:
        for key in services_of(self.services, pod):
            self._wake(key)

    def _pod_updated(self, old: Document, new: Document) -> None:
        for key in services_to_update(self.services, old, new):
            self._wake(key)

    def _wake(self, key: str) -> None:
        self.queue.add_after(key, delay(self._sizes.get(key, 0)))

    # Reconciling

    async def reconcile(self, key: str) -> None:
        service = self.services.items.get(key)
        if service is None:
            self._forget(key)
            return
        selector = selector_of(service)
        if selector is None or service["spec"].get("type") == "ExternalName":
            return
        namespace = service["metadata"]["namespace"]
        pods = selected(self.pods, namespace, label_selector.from_labels(selector), selector)
        self._sizes[key] = len(pods)
        found = slices_of(self.slices, key, NAME)
        existing = [each for each in found if not each["metadata"].get("deletionTimestamp")]
        if self.tracker.stale(key, existing):
            raise StatusError(409, "Conflict", "EndpointSlice informer cache is out of date")
        triggered = self.times.compute(service, pods)
        try:
            await self._reconcile_all(key, service, pods, existing, triggered)
        except StatusError as error:
            message = f"Error updating Endpoint Slices for Service {key}: {error.message}"
            self.recorder.event(service, WARNING, "FailedToUpdateEndpointSlices", message)
            raise

    def _forget(self, key: str) -> None:
        """The slices of a service that is gone are the garbage collector's."""
        self.times.forget(key)
        self.tracker.forget(key)
        self._sizes.pop(key, None)

    async def _reconcile_all(
        self, key: str, service: Document, pods: list[Document], existing: list[Document], triggered: str
    ) -> None:
        types = address_types(service)
        missing: list[StatusError] = []
        for address_type in types:
            of_type = [each for each in existing if each.get("addressType") == address_type]
            plan = self._plan(service, pods, of_type, address_type, missing)
            await self._carry_out(key, service, plan, triggered)
        others = Plan(delete=[each for each in existing if each.get("addressType") not in types])
        await self._carry_out(key, service, others, triggered)
        if missing:
            raise missing[0]

    def _plan(
        self,
        service: Document,
        pods: list[Document],
        existing: list[Document],
        address_type: str,
        missing: list[StatusError],
    ) -> Plan:
        by_port: dict[PortKey, list[Document]] = {}
        plan = Plan()
        for each in existing:
            if _owned(each, service):
                by_port.setdefault(port_key(each.get("ports")), []).append(each)
            else:
                plan.delete.append(each)
        ports: dict[PortKey, list[Document]] = {}
        for key, desired in self._desired(service, pods, address_type == "IPv6", ports, missing).items():
            listed = ports[key]
            made = pack(
                by_port.pop(key, []),
                desired,
                lambda each: _labels_if_changed(each, service),
                lambda listed=listed: _new_slice(service, listed, address_type),  # type: ignore[misc]
            )
            plan.add(made)
        for slices in by_port.values():
            plan.delete += slices
        _keep_one(service, plan, len(existing), address_type)
        plan.reuse(lambda doomed: _owned(doomed, service))
        return plan

    def _desired(
        self,
        service: Document,
        pods: list[Document],
        ipv6: bool,
        ports: dict[PortKey, list[Document]],
        missing: list[StatusError],
    ) -> dict[PortKey, Desired]:
        """Endpoints by their ports; fills in `ports`, and `missing` with what is wrong with pods left out."""
        found: dict[PortKey, Desired] = {}
        service_ports, named = service["spec"].get("ports") or (), has_named_ports(service)
        hints = hints_of(service, self.context.minor)
        key: PortKey | None = None
        for pod in pods:
            if not belongs(pod, include_terminating=True):
                continue
            if key is None or named:
                listed = ports_of(pod, service_ports)
                key = port_key(listed)
                ports.setdefault(key, listed)
            group = found.setdefault(key, {})
            name = pod["spec"].get("nodeName") or ""
            node = self.nodes.items.get(name)
            if node is None and not service["spec"].get("publishNotReadyAddresses"):
                missing.append(_no_node(pod, service, name))
                continue
            endpoint = endpoint_of(pod, node, service, ipv6, hints)
            if endpoint is not None:
                group[endpoint_key(endpoint)] = endpoint
        return found

    async def _carry_out(self, key: str, service: Document, plan: Plan, triggered: str) -> None:
        writer = SliceWriter(self.client, self.tracker, key, f"Service {key}")
        if not service["metadata"].get("deletionTimestamp"):
            for document in plan.create:
                try:
                    await writer.create(_triggered(document, triggered))
                except StatusError as error:
                    if has_cause(error, NAMESPACE_TERMINATING):
                        return
                    raise
        for document in plan.update:
            await writer.update(_triggered(document, triggered))
        for document in plan.delete:
            await writer.delete(document["metadata"]["name"])


def _no_node(pod: Document, service: Document, node: str) -> StatusError:
    meta = service["metadata"]
    what = f"skipping Pod {pod['metadata']['name']} for Service {meta['namespace']}/{meta['name']}"
    return StatusError(404, "NotFound", f"{what}: Node {node} Not Found")


def _owned(slice_: Document, service: Document) -> bool:
    return any(
        each.get("uid") == service["metadata"]["uid"] and each.get("kind") == "Service" and each["apiVersion"] == "v1"
        for each in slice_["metadata"].get("ownerReferences") or ()
    )


def _keep_one(service: Document, plan: Plan, existing: int, address_type: str) -> None:
    """A service without endpoints has one empty slice: keep or make it."""
    if len(plan.delete) != existing or plan.create:
        return
    placeholder = _new_slice(service, [], address_type)
    if len(plan.delete) == 1 and _is_placeholder(plan.delete[0], placeholder):
        plan.delete = []
    else:
        plan.create.append(placeholder)


def _is_placeholder(slice_: Document, placeholder: Document) -> bool:
    if slice_.get("endpoints") or slice_.get("ports"):
        return False
    labels: dict[str, str] = slice_["metadata"].get("labels") or {}
    return bool(labels == placeholder["metadata"]["labels"])


def _new_slice(service: Document, ports: list[Document], address_type: str) -> Document:
    meta = service["metadata"]
    return {
        "apiVersion": API_VERSION,
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": name_prefix(meta["name"]),
            "namespace": meta["namespace"],
            "labels": _labels(service),
            "ownerReferences": [controller_reference(service, SERVICE)],
        },
        "addressType": address_type,
        "endpoints": [],
        "ports": ordered_ports(ports),
    }


def _labels(service: Document) -> dict[str, str]:
    """The service's own, and those that say whose slice it is (setEndpointSliceLabels)."""
    meta = service["metadata"]
    found = {name: value for name, value in (meta.get("labels") or {}).items() if name not in _RESERVED}
    if is_headless(service):
        found[HEADLESS] = ""
    return {**found, SERVICE_NAME: meta["name"], MANAGED_BY: NAME}


def _labels_if_changed(slice_: Document, service: Document) -> dict[str, str] | None:
    """None if the slice has the service's labels."""
    wanted = _labels(service)
    had = slice_["metadata"].get("labels") or {}
    return None if _unreserved(had) == _unreserved(wanted) else wanted


def _unreserved(labels: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in labels.items() if name not in _RESERVED}


def _triggered(document: Document, time: str) -> Document:
    """With the annotation that says when what changes it happened; empty lists as nulls, as upstream stores them."""
    meta = dict(document["metadata"])
    annotations = {
        name: value for name, value in (meta.pop("annotations", None) or {}).items() if name != LAST_CHANGE
    }
    if time:
        annotations[LAST_CHANGE] = time
    if annotations:
        meta["annotations"] = annotations
    lists = {name: document.get(name) or None for name in ("endpoints", "ports")}
    return {**document, **lists, "metadata": meta}


CONTROLLER = ControllerSpec("endpointslice", EndpointSliceController)

"""EndpointSliceMirroring: Endpoints that a user writes for a service without a selector, as EndpointSlices."""

from __future__ import annotations

from tiphys.base.document import Document, namespaced_name
from tiphys.base.status import StatusError
from tiphys.client.events import WARNING
from tiphys.client.retry import NAMESPACE_TERMINATING, has_cause
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.endpoint_slice import (
    API_VERSION,
    PLURAL,
    SliceEvents,
    SliceTracker,
    SliceWriter,
    index_by_service,
    slices_of,
)
from tiphys.controllers.endpointslice_mirroring.mirror import (
    MOST,
    NAME,
    GroupKey,
    Mirror,
    group_of,
    mirror,
    new_slice,
    up_to_date,
)
from tiphys.controllers.reconciler import Reconciler
from tiphys.controllers.service_member import selector_of

LEADER = "control-plane.alpha.kubernetes.io/leader"
SKIP = "endpointslice.kubernetes.io/skip-mirror"


class EndpointSliceMirroringController(Reconciler):
    """Level-triggered by the key that a service and its Endpoints share."""

    name = "endpointslice-mirroring"
    retries = 15

    def __init__(self, context: Context) -> None:
        self.services = context.informers.of("v1", "services")
        self.endpoints = context.informers.of("v1", "endpoints")
        self.slices = context.informers.of(API_VERSION, PLURAL)
        super().__init__(context, [self.services, self.endpoints, self.slices])
        self.recorder = context.recorder("endpoint-slice-mirroring-controller")
        self.tracker = SliceTracker()
        index_by_service(self.slices)
        self.services.add_handlers(self._service_changed, self._service_updated, self._service_changed)
        self.endpoints.add_handlers(self._endpoints_changed, self._endpoints_updated, self._endpoints_changed)
        SliceEvents(NAME, self.tracker, self.queue.add).listen(self.slices)

    # Events

    def _service_changed(self, service: Document) -> None:
        if selector_of(service) is None:
            self.enqueue(service)

    def _service_updated(self, old: Document, new: Document) -> None:
        if (selector_of(old) is None) != (selector_of(new) is None):
            self.enqueue(new)

    def _endpoints_changed(self, endpoints: Document) -> None:
        if _mirrored(endpoints):
            self._wake(endpoints)

    def _endpoints_updated(self, old: Document, new: Document) -> None:
        if _mirrored(old) or _mirrored(new):
            self._wake(new)

    def _wake(self, endpoints: Document) -> None:
        """Not for the Endpoints of a service with a selector, of which there are most and which change most."""
        service = self.services.items.get(namespaced_name(endpoints))
        if service is None or selector_of(service) is None:
            self.enqueue(endpoints)

    # Reconciling

    async def reconcile(self, key: str) -> None:
        endpoints, service = self.endpoints.items.get(key), self.services.items.get(key)
        found = slices_of(self.slices, key, NAME)
        if endpoints is None or service is None or not _mirrored(endpoints):
            self.tracker.forget(key)
            await self._delete(key, found)
            return
        if selector_of(service) is not None:
            return
        existing = [each for each in found if not each["metadata"].get("deletionTimestamp")]
        if self.tracker.stale(key, existing):
            raise StatusError(409, "Conflict", "EndpointSlice informer cache is out of date")
        wanted = mirror(endpoints)
        self._tell_skipped(endpoints, wanted)
        await self._carry_out(key, endpoints, existing, wanted)

    async def _delete(self, key: str, slices: list[Document]) -> None:
        writer = SliceWriter(self.client, self.tracker, key, f"Endpoints {key}")
        for each in slices:
            await writer.delete(each["metadata"]["name"])

    def _tell_skipped(self, endpoints: Document, found: Mirror) -> None:
        if found.invalid:
            message = f"Skipped {found.invalid} invalid IP addresses when mirroring to EndpointSlices"
            self.recorder.event(endpoints, WARNING, "InvalidIPAddress", message)
        if found.skipped > found.invalid:
            message = (
                f"A max of {MOST} addresses can be mirrored to EndpointSlices per Endpoints subset. "
                f"{found.skipped} addresses were skipped"
            )
            self.recorder.event(endpoints, WARNING, "TooManyAddressesToMirror", message)

    async def _carry_out(self, key: str, endpoints: Document, existing: list[Document], wanted: Mirror) -> None:
        """A slice that is not wanted becomes one that is, where the address type is the same (recycleSlices)."""
        create, update, delete = _plan(endpoints, existing, wanted)
        for made in list(create):
            doomed = next((each for each in delete if each["addressType"] == made["addressType"]), None)
            if doomed is not None:
                create.remove(made)
                delete.remove(doomed)
                made["metadata"]["name"] = doomed["metadata"]["name"]
                update.append(made)
        writer = SliceWriter(self.client, self.tracker, key, f"Endpoints {key}")
        for each in [] if endpoints["metadata"].get("deletionTimestamp") else create:
            try:
                await writer.create(each)
            except StatusError as error:
                if has_cause(error, NAMESPACE_TERMINATING):
                    return
                raise
        for each in update:
            await writer.update(each)
        for each in delete:
            await writer.delete(each["metadata"]["name"])


def _plan(
    endpoints: Document, existing: list[Document], wanted: Mirror
) -> tuple[list[Document], list[Document], list[Document]]:
    """Slices to create, update, delete: one for each group, the first there is."""
    by_group: dict[GroupKey, list[Document]] = {}
    for each in existing:
        by_group.setdefault(group_of(each), []).append(each)
    create, update, delete = [], [], []
    for key in wanted.endpoints:
        made, slices = new_slice(endpoints, key, wanted), by_group.pop(key, [])
        delete += slices[1:]
        if not slices:
            create.append(made)
        elif not up_to_date(slices[0], made):
            update.append(_named(made, slices[0]))
    for slices in by_group.values():
        delete += slices
    return create, update, delete


def _named(made: Document, existing: Document) -> Document:
    meta = {field: value for field, value in made["metadata"].items() if field != "generateName"}
    return {**made, "metadata": {**meta, "name": existing["metadata"]["name"]}}


def _mirrored(endpoints: Document) -> bool:
    """shouldMirror: neither asked to be left alone nor leader election's."""
    meta = endpoints["metadata"]
    if (meta.get("labels") or {}).get(SKIP) == "true":
        return False
    return LEADER not in (meta.get("annotations") or {})


CONTROLLER = ControllerSpec("endpointslice-mirroring", EndpointSliceMirroringController)

"""What the two controllers that write EndpointSlices share: labels, names, identity of endpoints, and their cache.

From `k8s.io/endpointslice` and its `util`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tiphys.base.document import Document
from tiphys.base.name_rules import dns1123_subdomain
from tiphys.base.status import StatusError
from tiphys.client.client import Client
from tiphys.client.informer import Informer
from tiphys.client.retry import is_not_found
from tiphys.controllers import go_dump

API_VERSION = "discovery.k8s.io/v1"
PLURAL = "endpointslices"
SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
BY_SERVICE = "service"
_GONE = 0
EndpointKey = tuple[tuple[str, ...], str, str, str]
"""What makes an endpoint the same one: addresses, hostname, namespace and name of its target."""


def index_by_service(slices: Informer) -> None:
    """Let `slices_of` work on this informer."""
    slices.add_index(BY_SERVICE, lambda document: (service_key(document) + "|" + manager(document),))


def slices_of(slices: Informer, key: str, managed_by: str) -> list[Document]:
    """The slices of a service that one controller manages, by name."""
    found = slices.indexed(BY_SERVICE, f"{key}|{managed_by}")
    return [found[name] for name in sorted(found)]


def manager(document: Document) -> str:
    return (document["metadata"].get("labels") or {}).get(MANAGED_BY) or ""


def service_key(document: Document) -> str:
    """`namespace/name` of the service a slice says it is of; empty if it does not say."""
    meta = document["metadata"]
    name = (meta.get("labels") or {}).get(SERVICE_NAME)
    return f"{meta['namespace']}/{name}" if name else ""


def endpoint_key(endpoint: Document) -> EndpointKey:
    target = endpoint.get("targetRef") or {}
    addresses = tuple(sorted(endpoint.get("addresses") or ()))
    return addresses, endpoint.get("hostname") or "", target.get("namespace") or "", target.get("name") or ""


def same_endpoint(one: Document, other: Document) -> bool:
    """Equal in all but the version of the target."""
    return one == other or _unversioned(one) == _unversioned(other)


def _unversioned(endpoint: Document) -> Document:
    """Without the target's resourceVersion, and without what is null."""
    found = {field: value for field, value in endpoint.items() if value is not None}
    if target := found.get("targetRef"):
        found["targetRef"] = {field: value for field, value in target.items() if field != "resourceVersion"}
    return found


def ordered_ports(ports: Iterable[Document]) -> list[Document]:
    """In the order NewPortMapKey gives them: by the hash of Go's dump."""
    found = list(ports)
    if len(found) < 2:
        return found
    return sorted(found, key=lambda port: go_dump.fnv128a(go_dump.value("v1.EndpointPort", go_dump.slice_port(port))))


def port_key(ports: Iterable[Document] | None) -> frozenset[tuple[object, ...]]:
    """What tells groups of slices apart; ports in any order."""
    return frozenset(
        (port.get("name") or "", port.get("protocol"), port.get("port"), port.get("appProtocol"))
        for port in ports or ()
    )


def name_prefix(service: str) -> str:
    """With a dash, unless that makes the name too long (getEndpointSlicePrefix)."""
    prefix = f"{service}-"
    return service if dns1123_subdomain(f"{service}a") else prefix


class SliceTracker:
    """The versions of our own writes, so that a cache that lags is told from one that is current.

    Resource versions are compared as numbers, as one cluster's are in order.
    """

    def __init__(self) -> None:
        self._expected: dict[str, dict[str, int]] = {}

    def wrote(self, key: str, document: Document) -> None:
        self._expected.setdefault(key, {})[document["metadata"]["name"]] = _version(document)

    def deleted(self, key: str, name: str) -> None:
        self._expected.setdefault(key, {})[name] = _GONE

    def undelete(self, key: str, name: str) -> None:
        """Expect nothing of a slice: it was not there, or could not be deleted."""
        self._expected.get(key, {}).pop(name, None)

    def stale(self, key: str, slices: Iterable[Document]) -> bool:
        """Whether these, from the cache, are behind what was written for the service."""
        found = {document["metadata"]["name"]: _version(document) for document in slices}
        return any(
            name in found if version == _GONE else found.get(name, _GONE) < version
            for name, version in self._expected.get(key, {}).items()
        )

    def is_news(self, document: Document) -> bool:
        """Whether an added or changed slice is not what we wrote ourselves."""
        version = self._expected.get(service_key(document), {}).get(document["metadata"]["name"])
        return version is None or (version != _GONE and _version(document) > version)

    def gone_is_news(self, document: Document) -> bool:
        """Whether a slice that went was not deleted by us; it is tracked no more."""
        expected = self._expected.get(service_key(document), {})
        return expected.pop(document["metadata"]["name"], None) != _GONE

    def forget(self, key: str) -> None:
        self._expected.pop(key, None)


def _version(document: Document) -> int:
    return int(document["metadata"]["resourceVersion"])


class SliceEvents:
    """Hears of slices and wakes their services, unless it is our own writes that it hears of."""

    def __init__(self, managed_by: str, tracker: SliceTracker, wake: Callable[[str], object]) -> None:
        self._managed_by = managed_by
        self._tracker = tracker
        self._wake = wake

    def listen(self, slices: Informer) -> None:
        slices.add_handlers(self._added, self._updated, self._deleted)

    def _added(self, document: Document) -> None:
        if self._ours(document) and self._tracker.is_news(document):
            self._wake_of(document)

    def _updated(self, old: Document, new: Document) -> None:
        moved = service_key(old) != service_key(new)
        if self._ours(old) != self._ours(new) or (self._ours(new) and (moved or self._tracker.is_news(new))):
            self._wake_of(new)
            if moved:
                self._wake_of(old)

    def _deleted(self, document: Document) -> None:
        if self._ours(document) and self._tracker.gone_is_news(document):
            self._wake_of(document)

    def _ours(self, document: Document) -> bool:
        return manager(document) == self._managed_by

    def _wake_of(self, document: Document) -> None:
        if key := service_key(document):
            self._wake(key)


class SliceWriter:
    """Writes slices of one namespace and tells the tracker. `owner` words failures, as `Service default/web`.

    All raise StatusError.
    """

    def __init__(self, client: Client, tracker: SliceTracker, key: str, owner: str) -> None:
        self._client = client
        self._tracker = tracker
        self._key = key
        self._namespace = key.partition("/")[0]
        self._owner = owner

    async def create(self, document: Document) -> None:
        try:
            made = await self._client.create(API_VERSION, PLURAL, document, self._namespace)
        except StatusError as error:
            raise _told(error, f"failed to create EndpointSlice for {self._owner}") from error
        self._tracker.wrote(self._key, made)

    async def update(self, document: Document) -> None:
        try:
            written = await self._client.update(API_VERSION, PLURAL, document, self._namespace)
        except StatusError as error:
            name = document["metadata"]["name"]
            raise _told(error, f"failed to update {name} EndpointSlice for {self._owner}") from error
        self._tracker.wrote(self._key, written)

    async def delete(self, name: str) -> None:
        self._tracker.deleted(self._key, name)
        try:
            await self._client.delete(API_VERSION, PLURAL, name, self._namespace)
        except StatusError as error:
            self._tracker.undelete(self._key, name)
            if not is_not_found(error):
                raise _told(error, f"failed to delete {name} EndpointSlice for {self._owner}") from error


def _told(error: StatusError, what: str) -> StatusError:
    return StatusError(error.code, error.reason, f"{what}: {error.message}", error.details)

"""Endpoints as EndpointSlices: one for each family of addresses and set of ports of its subsets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address

from tiphys.base.document import Document
from tiphys.controllers.controller_reference import ResourceKind, controller_reference
from tiphys.controllers.endpoint_slice import (
    API_VERSION,
    MANAGED_BY,
    SERVICE_NAME,
    EndpointKey,
    endpoint_key,
    name_prefix,
    ordered_ports,
    port_key,
    same_endpoint,
)
from tiphys.controllers.service_member import LAST_CHANGE

NAME = "endpointslicemirroring-controller.k8s.io"
MOST = 1000
"""Addresses of a subset that are mirrored (--mirroring-max-endpoints-per-subset)."""
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
ENDPOINTS = ResourceKind("v1", "Endpoints", "endpoints")
GroupKey = tuple[str, frozenset[tuple[object, ...]]]
"""Address type and ports."""


@dataclass
class Mirror:
    """What Endpoints look like in slices, and how many of their addresses do not."""

    ports: dict[GroupKey, list[Document]] = field(default_factory=dict)
    endpoints: dict[GroupKey, dict[EndpointKey, Document]] = field(default_factory=dict)
    invalid: int = 0
    skipped: int = 0
    """Those invalid among them."""


def mirror(endpoints: Document) -> Mirror:
    found = Mirror()
    for subset in endpoints.get("subsets") or ():
        _add_subset(found, subset)
    return found


def _add_subset(found: Mirror, subset: Document) -> None:
    ports = [_port(port) for port in subset.get("ports") or ()]
    by_ports = port_key(ports)
    added = total = 0
    for address, ready in _addresses(subset):
        total += 1
        if added >= MOST:
            continue
        type_ = _address_type(address["ip"])
        if type_ is None:
            found.invalid += 1
            continue
        added += 1
        endpoint = _endpoint(address, ready)
        found.ports.setdefault((type_, by_ports), ports)
        found.endpoints.setdefault((type_, by_ports), {})[endpoint_key(endpoint)] = endpoint
    found.skipped += total - added


def _addresses(subset: Document) -> Iterable[tuple[Document, bool]]:
    for address in subset.get("addresses") or ():
        yield address, True
    for address in subset.get("notReadyAddresses") or ():
        yield address, False


def _address_type(ip: str) -> str | None:
    try:
        return f"IPv{ip_address(ip).version}"
    except ValueError:
        return None


def _endpoint(address: Document, ready: bool) -> Document:
    """addressToEndpoint."""
    found: Document = {"addresses": [str(ip_address(address["ip"]))], "conditions": {"ready": ready}}
    for name in ("hostname", "targetRef", "nodeName"):
        if address.get(name):
            found[name] = address[name]
    return found


def _port(port: Document) -> Document:
    """epPortsToEpsPorts."""
    found = {"name": port.get("name") or "", "port": port["port"], "protocol": port.get("protocol") or "TCP"}
    if port.get("appProtocol") is not None:
        found["appProtocol"] = port["appProtocol"]
    return found


def new_slice(endpoints: Document, key: GroupKey, found: Mirror) -> Document:
    meta = endpoints["metadata"]
    annotations = _annotations(endpoints)
    return {
        "apiVersion": API_VERSION,
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": name_prefix(meta["name"]),
            "namespace": meta["namespace"],
            "labels": _labels(endpoints),
            **({"annotations": annotations} if annotations else {}),
            "ownerReferences": [controller_reference(endpoints, ENDPOINTS)],
        },
        "addressType": key[0],
        "endpoints": list(found.endpoints[key].values())[:MOST],
        "ports": ordered_ports(found.ports[key]) or None,
    }


def _labels(endpoints: Document) -> dict[str, str]:
    meta = endpoints["metadata"]
    return {**(meta.get("labels") or {}), SERVICE_NAME: meta["name"], MANAGED_BY: NAME}


def _annotations(endpoints: Document) -> dict[str, str]:
    annotations = endpoints["metadata"].get("annotations") or {}
    return {name: value for name, value in annotations.items() if name not in (LAST_CHANGE, LAST_APPLIED)}


def group_of(slice_: Document) -> GroupKey:
    return slice_["addressType"], port_key(slice_.get("ports"))


def up_to_date(slice_: Document, wanted: Document) -> bool:
    """Whether it holds the same endpoints, labels and annotations."""
    for name in ("labels", "annotations"):
        if (slice_["metadata"].get(name) or {}) != (wanted["metadata"].get(name) or {}):
            return False
    had = {endpoint_key(each): each for each in slice_.get("endpoints") or ()}
    new = {endpoint_key(each): each for each in wanted["endpoints"]}
    return had.keys() == new.keys() and all(same_endpoint(each, new[key]) for key, each in had.items())

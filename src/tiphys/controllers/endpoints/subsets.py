"""Packing addresses and ports into subsets, and cutting them to size.

From upstream's `endpoints.RepackSubsets` and `truncateEndpoints`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from tiphys.base.document import Document
from tiphys.controllers import go_dump

CAPACITY = 1000
"""Addresses in one Endpoints object; more are left out."""
AddressKey = tuple[str, str]
PortKey = tuple[str, int, str, str | None]
Member = tuple[AddressKey, Document, bool, tuple[PortKey, ...]]
"""One pod: its (ip, uid), its address, whether it is ready, and its ports."""


def pack(members: Iterable[Member]) -> list[Document]:
    """As few subsets as say which addresses have which ports, in upstream's order."""
    addresses: dict[AddressKey, Document] = {}
    by_port: dict[PortKey | None, dict[AddressKey, bool]] = {}
    for key, address, ready, ports in members:
        addresses.setdefault(key, address)
        for port in ports or (None,):
            states = by_port.setdefault(port, {})
            states[key] = ready and states.get(key, True)
    groups: dict[frozenset[tuple[AddressKey, bool]], list[PortKey]] = {}
    for found, states in by_port.items():
        ports_of_group = groups.setdefault(frozenset(states.items()), [])
        if found is not None:
            ports_of_group.append(found)
    subsets = [_subset(states, ports, addresses) for states, ports in groups.items()]
    return sorted(subsets, key=_order) if len(subsets) > 1 else subsets


def _order(subset: Document) -> bytes:
    return go_dump.md5(go_dump.endpoint_subset(subset))


def _subset(
    states: frozenset[tuple[AddressKey, bool]], ports: list[PortKey], addresses: dict[AddressKey, Document]
) -> Document:
    ready = [addresses[key] for key, is_ready in sorted(states) if is_ready]
    waiting = [addresses[key] for key, is_ready in sorted(states) if not is_ready]
    found: Document = {}
    if ready:
        found["addresses"] = ready
    if waiting:
        found["notReadyAddresses"] = waiting
    if ports:
        documents = [_port(port) for port in ports]
        found["ports"] = sorted(documents, key=_port_order) if len(documents) > 1 else documents
    return found


def _port_order(port: Document) -> bytes:
    return go_dump.md5(go_dump.value("v1.EndpointPort", go_dump.endpoint_port(port)))


def _port(key: PortKey) -> Document:
    name, number, protocol, application = key
    found: Document = {"name": name} if name else {}
    found |= {"port": number, "protocol": protocol}
    if application is not None:
        found["appProtocol"] = application
    return found


def count(subsets: Iterable[Document]) -> int:
    return sum(len(part) for subset in subsets for part in _parts(subset))


def _parts(subset: Document) -> Iterator[list[Document]]:
    yield subset.get("addresses") or []
    yield subset.get("notReadyAddresses") or []


def truncate(subsets: list[Document]) -> tuple[list[Document], bool]:
    """At most CAPACITY addresses, ready ones first, from each subset its share; and whether any were left out."""
    ready = sum(len(subset.get("addresses") or ()) for subset in subsets)
    waiting = count(subsets) - ready
    if ready + waiting <= CAPACITY:
        return subsets, False
    cut, total, room = (
        ("addresses", ready, CAPACITY) if ready > CAPACITY else ("notReadyAddresses", waiting, CAPACITY - ready)
    )
    left, found = room, []
    for subset in subsets:
        had = subset.get(cut) or []
        kept = had[: min(math.ceil(len(had) / total * room), left)]
        left -= len(kept)
        dropped = {cut, "notReadyAddresses"}
        smaller = {field: part for field, part in subset.items() if field not in dropped}
        found.append({**({cut: kept} if kept else {}), **smaller})
    return [subset for subset in found if count([subset])], True

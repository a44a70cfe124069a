"""Giving out cluster IPs and node ports (service `storage/alloc.go`, `ipallocator`, `portallocator`).

Nothing is booked: what is taken is what the services that are there have, so nothing can leak or need repair.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, ip_address
from typing import Any
from zlib import crc32

from tiphys.api.kind import Context
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, invalid_value
from tiphys.kinds.core.cluster_ip_validation import is_headless

DEFAULT_SUBNET = "10.96.0.0/16"
NODE_PORTS = range(30000, 32768)
_TAKEN_IP = "failed to allocate IP {}: provided IP is already allocated"
_FOREIGN_IP = "failed to allocate IP {}: the provided IP ({}) is not in the valid range. The range of valid IPs is {}"
_TAKEN_PORT = "provided port is already allocated"
_FOREIGN_PORT = (
    f"provided port is not in the valid range. The range of valid ports is {NODE_PORTS[0]}-{NODE_PORTS[-1]}"
)


def allocate(new: Document, old: Document | None, others: Sequence[Document], context: Context) -> list[FieldError]:
    """Fill in what the service needs and does not have; what it asks for must be free."""
    if old is not None and new["spec"] == old["spec"]:
        return []
    rest = [each for each in others if each["metadata"]["uid"] != new["metadata"]["uid"]]
    return [*_cluster_ip(new, rest, context), *_node_ports(new, rest)]


def _cluster_ip(new: Document, others: Sequence[Document], context: Context) -> list[FieldError]:
    spec = new["spec"]
    if spec.get("type") == "ExternalName" or is_headless(spec):
        return []
    subnet = _network(str(context.options.get("service-subnet", DEFAULT_SUBNET)))
    taken = {str(each["spec"].get("clusterIP")) for each in others}
    asked = spec.get("clusterIP")
    if not asked:
        free = (str(address) for address in _addresses(subnet, new["metadata"]["uid"]))
        chosen = next((address for address in free if address not in taken), None)
        if chosen is None:
            return [invalid_value("spec.clusterIPs", [""], "failed to allocate a serviceIP: range is full")]
        spec["clusterIP"], spec["clusterIPs"] = chosen, [chosen]
        return []
    if asked in taken:
        return [invalid_value("spec.clusterIPs", spec.get("clusterIPs") or [asked], _TAKEN_IP.format(asked))]
    if _is_foreign(asked, subnet):
        words = _FOREIGN_IP.format(asked, asked, subnet)
        return [invalid_value("spec.clusterIPs", spec.get("clusterIPs") or [asked], words)]
    return []


@lru_cache(maxsize=8)
def _network(text: str) -> IPv4Network:
    return IPv4Network(text)


def _is_foreign(asked: str, subnet: IPv4Network) -> bool:
    try:
        return ip_address(asked) not in subnet
    except ValueError:
        return True


def _addresses(subnet: IPv4Network, uid: str) -> Iterator[IPv4Address]:
    """Every address, the upper band first, from a place that depends on the uid: the lower band is left to those
    who ask for an address of their own (KEP-3070)."""
    size = subnet.num_addresses - 2
    static = min(max(16, size // 16), 256) if size > 16 else 0
    dynamic = size - static
    start = crc32(uid.encode()) % dynamic if dynamic else 0
    base = int(subnet.network_address) + 1
    for step in range(dynamic):
        yield IPv4Address(base + static + (start + step) % dynamic)
    for offset in range(static):
        yield IPv4Address(base + offset)


def _node_ports(new: Document, others: Sequence[Document]) -> list[FieldError]:
    spec = new["spec"]
    if not _wants_node_ports(spec):
        return _health_check_port(spec, set(_ports_of(others)))
    taken = set(_ports_of(others))
    errors: list[FieldError] = []
    own: set[tuple[int, Any]] = set()
    for index, port in enumerate(spec.get("ports") or ()):
        asked, protocol = port.get("nodePort"), port.get("protocol")
        if not asked:
            continue
        path = f"spec.ports[{index}].nodePort"
        if asked in taken or (asked, protocol) in own:
            errors.append(invalid_value(path, asked, _TAKEN_PORT))
        elif asked not in NODE_PORTS:
            errors.append(invalid_value(path, asked, _FOREIGN_PORT))
        own.add((asked, protocol))
    taken |= {number for number, _ in own}
    if not errors:
        errors += _fill_ports(spec, taken, new["metadata"]["uid"])
    return errors + _health_check_port(spec, taken)


def _fill_ports(spec: Document, taken: set[int], uid: str) -> list[FieldError]:
    """Ports of one number and two protocols share a node port, as upstream gives it."""
    shared: dict[int, int] = {}
    for index, port in enumerate(spec.get("ports") or ()):
        if port.get("nodePort"):
            shared.setdefault(port["port"], port["nodePort"])
            continue
        number = shared.get(port["port"]) or _free_port(taken, f"{uid}/{index}")
        if number is None:
            return [invalid_value(f"spec.ports[{index}].nodePort", 0, "failed to allocate a nodePort: range is full")]
        port["nodePort"] = shared[port["port"]] = number
        taken.add(number)
    return []


def _free_port(taken: set[int], seed: str) -> int | None:
    start = crc32(seed.encode()) % len(NODE_PORTS)
    numbers = (NODE_PORTS[(start + step) % len(NODE_PORTS)] for step in range(len(NODE_PORTS)))
    return next((number for number in numbers if number not in taken), None)


def _health_check_port(spec: Document, taken: set[int]) -> list[FieldError]:
    """A load balancer that keeps traffic local asks a node port of each node whether it has pods."""
    if spec.get("type") != "LoadBalancer" or spec.get("externalTrafficPolicy") != "Local":
        return []
    asked = spec.get("healthCheckNodePort")
    if not asked:
        spec["healthCheckNodePort"] = _free_port(taken, "health-check")
        return []
    return [invalid_value("spec.healthCheckNodePort", asked, _TAKEN_PORT)] if asked in taken else []


def _wants_node_ports(spec: Document) -> bool:
    if spec.get("type") == "LoadBalancer":
        return spec.get("allocateLoadBalancerNodePorts") is not False
    return spec.get("type") == "NodePort"


def _ports_of(services: Iterable[Document]) -> Iterator[int]:
    for service in services:
        spec = service["spec"]
        yield from (port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort"))
        if spec.get("healthCheckNodePort"):
            yield spec["healthCheckNodePort"]

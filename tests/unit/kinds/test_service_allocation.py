"""Cluster IPs and node ports. Words: `pkg/registry/core/service/ipallocator`, `portallocator`, `storage/alloc.go`."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from tiphys.api.kind import Context
from tiphys.base.clock import SystemClock
from tiphys.base.names import RandomIds
from tiphys.base.user import User
from tiphys.kinds.core.service_allocation import NODE_PORTS, allocate

CONTEXT = Context(SystemClock(), RandomIds(), User("u"), 37, options={"service-subnet": "10.1.0.0/24"})


def _service(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": name}, "spec": {"type": "ClusterIP", **spec}}


def _port(number: int, node_port: int | None = None, protocol: str = "TCP") -> dict[str, Any]:
    port: dict[str, Any] = {"port": number, "protocol": protocol}
    return port if node_port is None else {**port, "nodePort": node_port}


def _errors(service: dict[str, Any], *others: dict[str, Any]) -> list[str]:
    return [str(error) for error in allocate(service, None, others, CONTEXT)]


def _filled(count: int) -> list[dict[str, Any]]:
    services: list[dict[str, Any]] = []
    for number in range(count):
        service = _service(f"s{number}")
        assert _errors(service, *services) == []
        services.append(service)
    return services


def test_every_service_gets_an_address_of_its_own_until_none_is_left() -> None:
    services = _filled(254)
    addresses = {service["spec"]["clusterIP"] for service in services}
    assert len(addresses) == 254
    assert all(ip_address(address) in ip_network("10.1.0.0/24") for address in addresses)
    assert _errors(_service("more"), *services) == [
        'spec.clusterIPs: Invalid value: [""]: failed to allocate a serviceIP: range is full'
    ]


def test_the_lower_band_is_for_those_who_ask() -> None:
    assert all(ip_address(each["spec"]["clusterIP"]) > ip_address("10.1.0.16") for each in _filled(238))


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("10.1.0.9", "failed to allocate IP 10.1.0.9: provided IP is already allocated"),
        (
            "10.2.0.9",
            "failed to allocate IP 10.2.0.9: the provided IP (10.2.0.9) is not in the valid range. "
            "The range of valid IPs is 10.1.0.0/24",
        ),
    ],
)
def test_an_address_that_cannot_be_had(address: str, words: str) -> None:
    wanted = _service("b", clusterIP=address, clusterIPs=[address])
    assert _errors(wanted, _service("a", clusterIP="10.1.0.9")) == [
        f'spec.clusterIPs: Invalid value: ["{address}"]: {words}'
    ]


def test_headless_and_external_names_need_none() -> None:
    for service in (
        _service("a", clusterIP="None", clusterIPs=["None"]),
        _service("b", type="ExternalName", externalName="x.y"),
    ):
        before = {**service["spec"]}
        assert _errors(service) == []
        assert service["spec"] == before


def test_node_ports() -> None:
    first = _service("a", type="NodePort", ports=[_port(80), _port(443, 30443)])
    assert _errors(first) == []
    assert first["spec"]["ports"][0]["nodePort"] in NODE_PORTS
    clash = _service("b", type="NodePort", ports=[_port(443, 30443), _port(81, 80)])
    assert _errors(clash, first) == [
        "spec.ports[0].nodePort: Invalid value: 30443: provided port is already allocated",
        "spec.ports[1].nodePort: Invalid value: 80: provided port is not in the valid range. "
        "The range of valid ports is 30000-32767",
    ]


def test_two_protocols_share_a_node_port() -> None:
    service = _service("dns", type="NodePort", ports=[_port(53), _port(53, protocol="UDP")])
    assert _errors(service) == []
    first, second = service["spec"]["ports"]
    assert first["nodePort"] == second["nodePort"]


def test_a_load_balancer_may_do_without() -> None:
    service = _service("a", type="LoadBalancer", allocateLoadBalancerNodePorts=False, ports=[_port(80)])
    assert _errors(service) == []
    assert "nodePort" not in service["spec"]["ports"][0]


def test_what_it_has_it_keeps() -> None:
    service = _service("a", type="NodePort", ports=[_port(80)])
    assert _errors(service) == []
    changed = {**service, "spec": {**service["spec"], "selector": {"a": "b"}}}
    assert allocate(changed, service, [service], CONTEXT) == []
    assert changed["spec"]["clusterIP"] == service["spec"]["clusterIP"]

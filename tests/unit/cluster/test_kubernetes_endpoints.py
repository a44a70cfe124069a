"""Where the `kubernetes` service leads, by upstream's `endpointsadapter_test.go`, over the controllers' fake API."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "controllers"))

from fake_api import FakeApi

from tiphys.base.clock import SystemClock
from tiphys.base.names import RandomIds
from tiphys.base.user import MASTERS, User
from tiphys.client.client import Client
from tiphys.client.in_process import InProcessTransport
from tiphys.cluster.kubernetes_endpoints import advertised, publish

ENDPOINTS = ("", "endpoints", "default", "kubernetes")
SLICE = ("discovery.k8s.io", "endpointslices", "default", "kubernetes")


async def test_written_once_and_again_for_another_port() -> None:
    api = FakeApi(SystemClock(), RandomIds(random.Random(1)))
    client = Client(InProcessTransport(api, User("apiserver", (MASTERS,))))
    for _ in range(2):
        await publish(client, "192.0.2.7", 6443)
    assert len(api.requests) == 2
    port = {"name": "https", "port": 6443, "protocol": "TCP"}
    assert api.objects[ENDPOINTS]["subsets"] == [{"addresses": [{"ip": "192.0.2.7"}], "ports": [port]}]
    assert api.objects[ENDPOINTS]["metadata"]["labels"] == {"endpointslice.kubernetes.io/skip-mirror": "true"}
    made = api.objects[SLICE]
    assert made["metadata"]["labels"] == {"kubernetes.io/service-name": "kubernetes"}
    assert (made["addressType"], made["ports"]) == ("IPv4", [port])
    assert made["endpoints"] == [{"addresses": ["192.0.2.7"], "conditions": {"ready": True}}]
    await publish(client, "192.0.2.7", 7443)
    assert api.objects[ENDPOINTS]["subsets"][0]["ports"][0]["port"] == 7443
    assert api.objects[SLICE]["ports"][0]["port"] == 7443


async def test_nothing_is_written_without_an_address() -> None:
    api = FakeApi(SystemClock(), RandomIds(random.Random(1)))
    await publish(Client(InProcessTransport(api, User("apiserver", (MASTERS,)))), "", 6443)
    assert api.requests == []


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7"])
def test_an_address_that_is_not_loopback_is_advertised(address: str) -> None:
    assert advertised(address) == address

"""Where the `kubernetes` service leads: its Endpoints and EndpointSlice, written by the API server itself.

From upstream's `pkg/controlplane/reconcilers/endpointsadapter.go`, for the one API server there is.
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address

from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.client import Client

NAMESPACE, NAME = "default", "kubernetes"
SLICES = "discovery.k8s.io/v1"
_SOMEWHERE = ("192.0.2.1", 9)
"""RFC 5737's documentation network: any address that is reached by the default route. Nothing is sent."""


def advertised(address: str) -> str:
    """The address others reach the server at: for a loopback or unspecified one the machine's own on its default
    route (utilnet.ResolveBindAddress); empty if it has none."""
    bound = ip_address(address)
    if not bound.is_loopback and not bound.is_unspecified:
        return address
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_SOMEWHERE)
        except OSError:
            return ""
        found = str(probe.getsockname()[0])
    return "" if ip_address(found).is_loopback else found


async def publish(client: Client, address: str, port: int) -> None:
    """Write what is missing or was otherwise, as after a start on another port. Raises StatusError.

    Without an address that others could use nothing is written: the API admits no loopback address there.
    """
    if not address:
        return
    await asyncio.gather(
        _write(client, "v1", "endpoints", _endpoints(address, port)),
        _write(client, SLICES, "endpointslices", _slice(address, port)),
    )


async def _write(client: Client, api_version: str, plural: str, wanted: Document) -> None:
    try:
        found = await client.get(api_version, plural, NAME, NAMESPACE)
    except StatusError as error:
        if error.code != 404:
            raise
        await client.create(api_version, plural, {"apiVersion": api_version, **wanted}, NAMESPACE)
        return
    changed = {**found, **wanted, "metadata": {**found["metadata"], "labels": wanted["metadata"]["labels"]}}
    if changed != found:
        await client.update(api_version, plural, changed, NAMESPACE)


def _endpoints(address: str, port: int) -> Document:
    subset = {"addresses": [{"ip": address}], "ports": [_port(port)]}
    return {
        "kind": "Endpoints",
        "metadata": _metadata("endpointslice.kubernetes.io/skip-mirror", "true"),
        "subsets": [subset],
    }


def _slice(address: str, port: int) -> Document:
    return {
        "kind": "EndpointSlice",
        "metadata": _metadata("kubernetes.io/service-name", NAME),
        "addressType": f"IPv{ip_address(address).version}",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": [_port(port)],
    }


def _metadata(label: str, value: str) -> Document:
    return {"name": NAME, "namespace": NAMESPACE, "labels": {label: value}}


def _port(port: int) -> Document:
    return {"name": "https", "port": port, "protocol": "TCP"}

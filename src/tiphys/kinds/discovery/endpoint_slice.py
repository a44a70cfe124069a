"""EndpointSlice: some of the addresses behind a service.

From upstream's `printEndpointSlice` and `SetDefaults_EndpointPort`.
"""

from __future__ import annotations

from tiphys.api.kind import Column, Context, Kind
from tiphys.base.document import Document
from tiphys.kinds.shapes.columns import AGE, text
from tiphys.kinds.shapes.short_list import short_list


def default(document: Document, context: Context) -> None:
    """A port is named, if by nothing, and of TCP; both lists are always written."""
    for field in ("endpoints", "ports"):
        document.setdefault(field, None)
    for port in document["ports"] or ():
        port["name"] = port.get("name") or ""
        port["protocol"] = port.get("protocol") or "TCP"


def _port(port: Document) -> str:
    number, name = port.get("port"), port.get("name")
    if number is not None:
        return str(number)
    return "*" if name is None else str(name)


def _ports(document: Document, now: float) -> str:
    return short_list([_port(port) for port in document.get("ports") or ()])


def _endpoints(document: Document, now: float) -> str:
    return short_list([a for endpoint in document.get("endpoints") or () for a in endpoint.get("addresses") or ()])


KIND = Kind(
    group="discovery.k8s.io",
    kind="EndpointSlice",
    plural="endpointslices",
    columns=(
        Column("AddressType", text("addressType")),
        Column("Ports", _ports),
        Column("Endpoints", _endpoints),
        AGE,
    ),
    default=default,
)

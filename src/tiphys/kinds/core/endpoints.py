"""Endpoints: the addresses behind a service, in one object (upstream's `ValidateEndpoints`)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.api.kind import Column, Context, Kind
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, invalid_value, required, unsupported
from tiphys.base.name_rules import dns1123_label, dns1123_subdomain, label_key, port_number
from tiphys.kinds.core.service_validation import PROTOCOLS
from tiphys.kinds.shapes.columns import AGE, NONE
from tiphys.kinds.shapes.ip import ip_errors, special_ip_errors

SHOWN = 3


def default(document: Document, context: Context) -> None:
    for subset in document.get("subsets") or ():
        for port in subset.get("ports") or ():
            port["protocol"] = port.get("protocol") or "TCP"


def validate(document: Document, context: Context) -> Sequence[FieldError]:
    errors: list[FieldError] = []
    for index, subset in enumerate(document.get("subsets") or ()):
        path = f"subsets[{index}]"
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            errors.append(required(path, "must specify `addresses` or `notReadyAddresses`"))
        for field in ("addresses", "notReadyAddresses"):
            for place, address in enumerate(subset.get(field) or ()):
                errors += _address_errors(address, f"{path}.{field}[{place}]")
        ports = subset.get("ports") or ()
        for place, port in enumerate(ports):
            errors += _port_errors(port, len(ports) > 1, f"{path}.ports[{place}]")
    return errors


def _address_errors(address: Document, path: str) -> list[FieldError]:
    ip, host, node = address.get("ip") or "", address.get("hostname"), address.get("nodeName")
    errors = ip_errors(ip, f"{path}.ip")
    if host:
        errors += [invalid_value(f"{path}.hostname", host, detail) for detail in dns1123_label(host)]
    if node is not None:
        errors += [invalid_value(f"{path}.nodeName", node, detail) for detail in dns1123_subdomain(node)]
    return errors + special_ip_errors(ip, f"{path}.ip")


def _port_errors(port: Document, named: bool, path: str) -> list[FieldError]:
    name, number, protocol = port.get("name") or "", port.get("port") or 0, port.get("protocol") or ""
    errors = [required(f"{path}.name")] if named and not name else []
    if name:
        errors += [invalid_value(f"{path}.name", name, detail) for detail in dns1123_label(name)]
    errors += [invalid_value(f"{path}.port", number, detail) for detail in port_number(number)]
    if not protocol:
        errors.append(required(f"{path}.protocol"))
    elif protocol not in PROTOCOLS:
        errors.append(unsupported(f"{path}.protocol", protocol, PROTOCOLS))
    application = port.get("appProtocol")
    if application is not None:
        errors += [invalid_value(f"{path}.appProtocol", application, detail) for detail in label_key(application)]
    return errors


def validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    return validate(new, context)


def _endpoints(document: Document, now: float) -> str:
    """The first three, and how many more there are (formatEndpoints)."""
    found: list[str] = []
    for subset in document.get("subsets") or ():
        addresses = [address.get("ip") or "" for address in subset.get("addresses") or ()]
        ports = subset.get("ports") or ()
        found += [_joined(ip, port.get("port") or 0) for port in ports for ip in addresses] if ports else addresses
    more = f" + {len(found) - SHOWN} more..." if len(found) > SHOWN else ""
    return ",".join(found[:SHOWN]) + more if document.get("subsets") else NONE


def _joined(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


KIND = Kind(
    kind="Endpoints",
    plural="endpoints",
    short_names=("ep",),
    columns=(Column("Endpoints", _endpoints), AGE),
    has_generation=False,
    default=default,
    validate=validate,
    validate_update=validate_update,
    create_on_update=True,
)

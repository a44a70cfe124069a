"""Go's dump of a struct (go-spew's `%#v`), for the orders upstream makes by hashing it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from tiphys.base.document import Document

_FNV_OFFSET = 0x6C62272E07BB014262B821756295C58D
_FNV_PRIME = 0x0000000001000000000000000000013B
_FNV_MASK = (1 << 128) - 1


def value(type_: str, found: object) -> str:
    return f"({type_}){found}"


def pointer(type_: str, found: object) -> str:
    return f"(*{type_}){'<nil>' if found is None else found}"


def fields(pairs: Iterable[tuple[str, str]]) -> str:
    return "{" + " ".join(f"{name}:{text}" for name, text in pairs) + "}"


def md5(text: str) -> bytes:
    return hashlib.md5(text.encode(), usedforsecurity=False).digest()


def fnv128a(text: str) -> bytes:
    """The 128-bit FNV-1a hash."""
    found = _FNV_OFFSET
    for byte in text.encode():
        found = (found ^ byte) * _FNV_PRIME & _FNV_MASK
    return found.to_bytes(16, "big")


def endpoint_port(port: Document) -> str:
    """A port of Endpoints (core/v1 EndpointPort), without its type."""
    return fields(
        (
            ("Name", value("string", port.get("name") or "")),
            ("Port", value("int32", port["port"])),
            ("Protocol", value("v1.Protocol", port.get("protocol") or "TCP")),
            ("AppProtocol", pointer("string", port.get("appProtocol"))),
        )
    )


def slice_port(port: Document) -> str:
    """A port of an EndpointSlice (discovery/v1 EndpointPort), without its type."""
    return fields(
        (
            ("Name", pointer("string", port.get("name") or "")),
            ("Protocol", pointer("v1.Protocol", port.get("protocol") or "TCP")),
            ("Port", pointer("int32", port.get("port"))),
            ("AppProtocol", pointer("string", port.get("appProtocol"))),
        )
    )


def _reference(reference: Document) -> str:
    names = ("Kind", "Namespace", "Name", "UID", "APIVersion", "ResourceVersion", "FieldPath")
    keys = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
    types = {"UID": "types.UID"}
    return fields(
        (name, value(types.get(name, "string"), reference.get(key) or ""))
        for name, key in zip(names, keys, strict=True)
    )


def _address(address: Document) -> str:
    target = address.get("targetRef")
    return fields(
        (
            ("IP", value("string", address["ip"])),
            ("Hostname", value("string", address.get("hostname") or "")),
            ("NodeName", pointer("string", address.get("nodeName"))),
            ("TargetRef", pointer("v1.ObjectReference", None if target is None else _reference(target))),
        )
    )


def endpoint_subset(subset: Document) -> str:
    """A subset of Endpoints, with its type."""
    address, port = "[]v1.EndpointAddress", "[]v1.EndpointPort"
    ready, waiting = subset.get("addresses"), subset.get("notReadyAddresses")
    ports = subset.get("ports")
    parts = (
        ("Addresses", value(address, _elements([_address(each) for each in ready or ()]))),
        ("NotReadyAddresses", value(address, _elements([_address(each) for each in waiting or ()]))),
        ("Ports", value(port, _elements([endpoint_port(each) for each in ports or ()]))),
    )
    return value("v1.EndpointSubset", fields(parts))


def _elements(found: list[str]) -> str:
    return f"[{' '.join(found)}]" if found else "<nil>"

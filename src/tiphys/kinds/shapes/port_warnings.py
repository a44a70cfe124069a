"""Warnings about ports that two containers of a pod both claim (pkg/api/pod/warnings.go)."""

from __future__ import annotations

from collections.abc import Iterable

from tiphys.base.document import Document


def port_warnings(containers: Iterable[tuple[Document, str]]) -> list[str]:
    """`containers` with their paths. A port is one by number and protocol."""
    warnings: list[str] = []
    seen: dict[tuple[int, str], list[tuple[Document, str]]] = {}
    for container, path in containers:
        for index, port in enumerate(container.get("ports") or ()):
            here = f"{path}.ports[{index}]"
            if port.get("hostIP") and not port.get("hostPort"):
                warnings.append(f"{here}: hostIP set without hostPort: {_go(port)}")
            others = seen.setdefault((port.get("containerPort") or 0, port.get("protocol") or ""), [])
            for other, there in others:
                if relation := _relation(port, other):
                    warnings.append(f"{here}: {relation} port definition with {there}")
            others.append((port, here))
    return warnings


def _relation(one: Document, other: Document) -> str:
    """`duplicate`, `overlapping`, `dangerously ambiguous`, or empty where the two get along."""
    host, other_host = one.get("hostPort") or 0, other.get("hostPort") or 0
    ip, other_ip = one.get("hostIP") or "", other.get("hostIP") or ""
    if (host, ip) == (other_host, other_ip):
        return "duplicate"
    if not host or not other_host:
        return "overlapping"
    return "dangerously ambiguous" if host == other_host and bool(ip) != bool(other_ip) else ""


def _go(port: Document) -> str:
    """The port as Go's `%+v` prints it."""
    names = (("Name", "name", ""), ("HostPort", "hostPort", 0), ("ContainerPort", "containerPort", 0))
    fields = [f"{shown}:{port.get(field) or zero}" for shown, field, zero in names]
    fields += [f"Protocol:{port.get('protocol') or ''}", f"HostIP:{port.get('hostIP') or ''}"]
    return "{" + " ".join(fields) + "}"

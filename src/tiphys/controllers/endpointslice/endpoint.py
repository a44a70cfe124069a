"""One pod as an endpoint of a service, and the ports it offers (podToEndpoint, getEndpointPorts)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.base.document import Document
from tiphys.controllers.pod_state import is_ready
from tiphys.controllers.service_member import addresses, hostname, port_number

ZONE = "topology.kubernetes.io/zone"
_CLOSE_SINCE = {"PreferClose": 31, "PreferSameZone": 34, "PreferSameNode": 34}
"""trafficDistribution, and the first minor version in which it is heeded unless switched off."""


def address_types(service: Document) -> list[str]:
    """Families of the service, as slices name them (getAddressTypesForService)."""
    spec = service["spec"]
    found = [family for family in ("IPv4", "IPv6") if family in (spec.get("ipFamilies") or ())]
    if found:
        return found
    address = spec.get("clusterIP") or "None"
    return ["IPv4", "IPv6"] if address == "None" else ["IPv6" if ":" in address else "IPv4"]


def endpoint_of(pod: Document, node: Document | None, service: Document, ipv6: bool, hints: str) -> Document | None:
    """None if the pod has no address of the family. `hints` is what `hints_of` gave."""
    found = addresses(pod, ipv6)
    if not found:
        return None
    serving, terminating = is_ready(pod), bool(pod["metadata"].get("deletionTimestamp"))
    ready = bool(service["spec"].get("publishNotReadyAddresses")) or (serving and not terminating)
    made: Document = {
        "addresses": found,
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
    }
    if name := hostname(pod, service):
        made["hostname"] = name
    meta, node_name = pod["metadata"], pod["spec"].get("nodeName")
    made["targetRef"] = {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}
    if node_name:
        made["nodeName"] = node_name
    if zone := ((node or {"metadata": {}})["metadata"].get("labels") or {}).get(ZONE):
        made["zone"] = zone
    if hints and ready and (told := _hints(made, hints)):
        made["hints"] = told
    return made


def hints_of(service: Document, minor: int) -> str:
    """The trafficDistribution to give hints for, or nothing."""
    wanted = service["spec"].get("trafficDistribution") or ""
    return wanted if minor >= _CLOSE_SINCE.get(wanted, 1000) else ""


def _hints(endpoint: Document, distribution: str) -> Document:
    """preferCloseHeuristic."""
    found: Document = {}
    if "zone" in endpoint:
        found["forZones"] = [{"name": endpoint["zone"]}]
    if distribution == "PreferSameNode" and "nodeName" in endpoint:
        found["forNodes"] = [{"name": endpoint["nodeName"]}]
    return found


def ports_of(pod: Document, service_ports: Sequence[Document]) -> list[Document]:
    """Those service ports that lead somewhere in the pod, as a slice lists them."""
    found = []
    for port in service_ports:
        number = port_number(pod, port)
        if number is not None:
            made = {"name": port.get("name") or "", "port": number, "protocol": port.get("protocol") or "TCP"}
            if port.get("appProtocol") is not None:
                made["appProtocol"] = port["appProtocol"]
            found.append(made)
    return found

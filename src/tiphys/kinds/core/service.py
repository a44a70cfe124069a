"""Service: one name and address for a set of pods.

From upstream's `pkg/apis/core/v1/defaults.go`, `pkg/registry/core/service` and `ValidateService` (in
`service_validation.py`, addresses and node ports in `service_allocation.py`).
"""

from __future__ import annotations

from typing import Any

from tiphys.api.kind import STATUS, Column, Context, Kind, Subresource
from tiphys.base.document import Document
from tiphys.base.name_rules import as_name, dns1035_label
from tiphys.kinds.core.cluster_ip_validation import is_headless
from tiphys.kinds.core.service_allocation import allocate
from tiphys.kinds.core.service_validation import (
    validate_create,
    validate_status,
    validate_update,
)
from tiphys.kinds.shapes.columns import AGE, NONE, Cell, at, labels
from tiphys.kinds.shapes.part import part

CLIENT_IP_SECONDS = 10800
_DUAL = "RequireDualStack"


def default(document: Document, context: Context) -> None:
    spec = part(document, "spec")
    type_ = spec["type"] = spec.get("type") or "ClusterIP"
    _default_affinity(spec)
    for port in spec.get("ports") or ():
        port["protocol"] = port.get("protocol") or "TCP"
        if not port.get("targetPort"):
            port["targetPort"] = port.get("port") or 0
    if type_ in ("NodePort", "LoadBalancer"):
        spec["externalTrafficPolicy"] = spec.get("externalTrafficPolicy") or "Cluster"
    if type_ == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is None:
        spec["allocateLoadBalancerNodePorts"] = True
    if type_ != "ExternalName":
        spec["internalTrafficPolicy"] = spec.get("internalTrafficPolicy") or "Cluster"
        _default_families(spec)
    part(part(document, "status"), "loadBalancer")


def _default_affinity(spec: Document) -> None:
    affinity = spec["sessionAffinity"] = spec.get("sessionAffinity") or "None"
    config = spec.get("sessionAffinityConfig") or {}
    if affinity == "None":
        spec.pop("sessionAffinityConfig", None)
    elif affinity == "ClientIP" and (config.get("clientIP") or {}).get("timeoutSeconds") is None:
        spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": CLIENT_IP_SECONDS}}


def _default_families(spec: Document) -> None:
    """Two addresses or families ask for dual stack, and dual stack asks for both families."""
    families = spec.get("ipFamilies") or []
    if not spec.get("ipFamilyPolicy") and (len(spec.get("clusterIPs") or ()) == 2 or len(families) == 2):
        spec["ipFamilyPolicy"] = _DUAL
    if spec.get("ipFamilyPolicy") == _DUAL and len(families) == 1:
        spec["ipFamilies"] = [*families, "IPv6" if families[0] == "IPv4" else "IPv4"]


def prepare_create(document: Document, context: Context) -> None:
    """`clusterIPs` follows from `clusterIP`; families are those of a cluster that has IPv4 only
    (normalizeClusterIPs, and initIPFamilyFields of the allocator)."""
    spec = part(document, "spec")
    document["status"] = {"loadBalancer": {}}
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]
    if spec.get("type") != "ExternalName":
        _init_families(spec)


def _init_families(spec: Document) -> None:
    if is_headless(spec) and not spec.get("selector"):
        spec.setdefault("ipFamilyPolicy", _DUAL)
        families = spec.get("ipFamilies") or ["IPv4"]
        dual = spec["ipFamilyPolicy"] != "SingleStack" and len(families) == 1
        spec["ipFamilies"] = [families[0], "IPv6" if families[0] == "IPv4" else "IPv4"] if dual else families
    elif spec.get("ipFamilyPolicy") != _DUAL:
        spec.setdefault("ipFamilyPolicy", "SingleStack")
        spec["ipFamilies"] = spec.get("ipFamilies") or ["IPv4"]


def prepare_update(new: Document, old: Document, context: Context) -> None:
    """Fill in and clear what follows from a change, so that users need not."""
    spec, before = new["spec"], old.get("spec") or {}
    _patch_allocated(spec, before)
    _normalize_ips(spec, before)
    _drop_by_type(spec, before)
    dual = before.get("ipFamilyPolicy") in (_DUAL, "PreferDualStack")
    if dual and spec.get("ipFamilyPolicy") == "SingleStack":
        for field in ("clusterIPs", "ipFamilies"):
            if len(spec.get(field) or ()) > 1:
                spec[field] = spec[field][:1]


def _patch_allocated(spec: Document, before: Document) -> None:
    """What was given out stays when the new body does not speak of it (patchAllocatedValues)."""
    if _needs_cluster_ip(spec) and _needs_cluster_ip(before):
        _copy(spec, before, "clusterIP", "ipFamilies", "ipFamilyPolicy")
        if spec.get("clusterIP") == before.get("clusterIP"):
            _copy(spec, before, "clusterIPs")
    if _needs_node_port(spec) and _needs_node_port(before):
        had = {port.get("name"): port.get("nodePort") for port in before.get("ports") or ()}
        used = _node_ports(before) & _node_ports(spec)
        for port in spec.get("ports") or ():
            found = had.get(port.get("name"))
            if found and not port.get("nodePort") and found not in used:
                port["nodePort"] = found


def _copy(spec: Document, before: Document, *fields: str) -> None:
    """The fields that the new body leaves out."""
    spec.update({field: before[field] for field in fields if before.get(field) and not spec.get(field)})


def _normalize_ips(spec: Document, before: Document) -> None:
    """Keep `clusterIP` and `clusterIPs` in step for clients that know one of them (normalizeClusterIPs)."""
    ips, old_ips = spec.get("clusterIPs") or [], before.get("clusterIPs") or []
    ip, old_ip = spec.get("clusterIP") or "", before.get("clusterIP") or ""
    if old_ips and not ips and ip == old_ip:
        spec["clusterIPs"] = list(old_ips)
    if ip != old_ip and ips == old_ips:
        spec.pop("clusterIPs", None)
        if ip or not old_ip:
            spec["clusterIPs"] = [ip]


def _needs_cluster_ip(spec: Document) -> bool:
    return spec.get("type") != "ExternalName"


def _needs_node_port(spec: Document) -> bool:
    return spec.get("type") in ("NodePort", "LoadBalancer")


def _drop_by_type(spec: Document, before: Document) -> None:
    """Fields the new type has no use for go, if the user did not also change them (dropTypeDependentFields)."""
    if _needs_cluster_ip(before) and not _needs_cluster_ip(spec):
        if _same(spec, before, "clusterIP", "clusterIPs"):
            _remove(spec, "clusterIP", "clusterIPs")
        for field in ("ipFamilies", "ipFamilyPolicy"):
            if _same(spec, before, field):
                _remove(spec, field)
    if _needs_node_port(before) and not _needs_node_port(spec) and _node_ports(spec) <= _node_ports(before):
        for port in spec.get("ports") or ():
            port.pop("nodePort", None)
        if _same(spec, before, "externalTrafficPolicy"):
            _remove(spec, "externalTrafficPolicy")
    if before.get("type") == "LoadBalancer" and spec.get("type") != "LoadBalancer":
        for field in ("allocateLoadBalancerNodePorts", "loadBalancerClass"):
            if _same(spec, before, field):
                _remove(spec, field)


def _same(spec: Document, before: Document, *fields: str) -> bool:
    return all((spec.get(field) or None) == (before.get(field) or None) for field in fields)


def _remove(spec: Document, *fields: str) -> None:
    for field in fields:
        spec.pop(field, None)


def _node_ports(spec: Document) -> set[int]:
    return {port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")}


def fields(document: Document) -> dict[str, str]:
    spec = document.get("spec") or {}
    return {"spec.clusterIP": spec.get("clusterIP") or "", "spec.type": spec.get("type") or ""}


def load_balancer_address(path: str) -> Cell:
    """Addresses of a load balancer, each once (loadBalancerStatusStringer, wide as the server asks for it)."""

    def cell(document: Document, now: float) -> str:
        ingress = at(document, path) or ()
        return ",".join(sorted({i.get("ip") or i.get("hostname") or "" for i in ingress} - {""}))

    return cell


_BALANCER = load_balancer_address("status.loadBalancer.ingress")


def _external_ip(document: Document, now: float) -> str:
    spec = document.get("spec") or {}
    type_, external = spec.get("type"), ",".join(spec.get("externalIPs") or ())
    if type_ in ("ClusterIP", "NodePort"):
        return external or NONE
    if type_ == "LoadBalancer":
        found = ",".join(filter(None, (_BALANCER(document, now), external)))
        return found or "<pending>"
    return str(spec.get("externalName") or "") if type_ == "ExternalName" else "<unknown>"


def _port(port: Document) -> str:
    node_port = port.get("nodePort")
    between = f":{node_port}" if node_port else ""
    return f"{port.get('port') or 0}{between}/{port.get('protocol') or ''}"


def _ports(document: Document, now: float) -> str:
    return ",".join(map(_port, at(document, "spec.ports") or ())) or NONE


def _cluster_ip(document: Document, now: float) -> Any:
    return next(iter(at(document, "spec.clusterIPs") or ()), NONE)


KIND = Kind(
    kind="Service",
    plural="services",
    short_names=("svc",),
    categories=("all",),
    subresources=(STATUS, Subresource("proxy", verbs=("create", "delete", "get", "patch", "update"))),
    columns=(
        Column("Type", lambda document, now: at(document, "spec.type") or ""),
        Column("Cluster-IP", _cluster_ip),
        Column("External-IP", _external_ip),
        Column("Port(s)", _ports),
        AGE,
        Column("Selector", labels("spec.selector"), priority=1),
    ),
    has_generation=False,
    default=default,
    prepare_create=prepare_create,
    prepare_update=prepare_update,
    validate=validate_create,
    validate_update=validate_update,
    validate_status=validate_status,
    allocate=allocate,
    name_errors=as_name(dns1035_label),
    fields=fields,
    returns_object_on_delete=True,
    create_on_update=True,
)

"""What upstream asks of a Service (`ValidateService` and what it calls)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from tiphys.api.kind import Context
from tiphys.base.document import Document
from tiphys.base.field_error import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    required,
    unsupported,
)
from tiphys.base.name_rules import dns1123_label, dns1123_subdomain, in_range, label_key, port_name, port_number
from tiphys.kinds.core.cluster_ip_validation import (
    ONCE,
    changed_family_errors,
    changed_ip_errors,
    cluster_errors,
    cluster_ip_errors,
    is_headless,
)
from tiphys.kinds.shapes.ip import ip_errors, is_cidr, parse_ip, special_ip_errors
from tiphys.kinds.shapes.label_selector_validation import labels

KUBELET_PORT = 10250
TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
PROTOCOLS = ("SCTP", "TCP", "UDP")
AFFINITIES = ("ClientIP", "None")
TRAFFIC = ("Cluster", "Local")
SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
_LONGEST_AFFINITY = 86400
_BALANCER_ONLY = "may only be used when `type` is 'LoadBalancer'"


def validate_create(document: Document, context: Context) -> Sequence[FieldError]:
    spec = document.get("spec") or {}
    errors = list(validate(document, context))
    return errors + cluster_errors(spec) if spec.get("type") != "ExternalName" else errors


def validate(document: Document, context: Context) -> Sequence[FieldError]:
    spec = document.get("spec") or {}
    errors: list[FieldError] = []
    ports = spec.get("ports") or []
    if not ports and not is_headless(spec) and spec.get("type") != "ExternalName":
        errors.append(required("spec.ports"))
    errors += _type_errors(spec, ports)
    names: set[str] = set()
    for index, port in enumerate(ports):
        errors += _port_errors(port, len(ports) > 1, names, f"spec.ports[{index}]")
    labels(spec.get("selector"), "spec.selector", errors)
    errors += _affinity_errors(spec)
    errors += cluster_ip_errors(spec) if spec.get("type") != "ExternalName" else []
    for index, ip in enumerate(spec.get("externalIPs") or ()):
        path = f"spec.externalIPs[{index}]"
        errors += ip_errors(ip, path) or special_ip_errors(ip, path)
    if not spec.get("type"):
        errors.append(required("spec.type"))
    elif spec["type"] not in TYPES:
        errors.append(unsupported("spec.type", spec["type"], TYPES))
    errors += _node_port_errors(spec, ports)
    return errors + _balancer_errors(document, spec) + _traffic_errors(spec)


def _type_errors(spec: Document, ports: Sequence[Document]) -> list[FieldError]:
    type_ = spec.get("type")
    errors: list[FieldError] = []
    if type_ == "LoadBalancer":
        detail = f"may not expose port {KUBELET_PORT} externally since it is used by kubelet"
        exposed = [index for index, port in enumerate(ports) if port.get("port") == KUBELET_PORT]
        errors += [invalid_value(f"spec.ports[{index}]", KUBELET_PORT, detail) for index in exposed]
    if type_ in ("LoadBalancer", "NodePort") and is_headless(spec):
        errors.append(invalid_value("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {type_} services"))
    return errors + _external_name_errors(spec) if type_ == "ExternalName" else errors


def _external_name_errors(spec: Document) -> list[FieldError]:
    unwanted = [field for field in ("clusterIPs", "ipFamilies", "ipFamilyPolicy") if spec.get(field)]
    errors = [forbidden_field(f"spec.{field}", "may not be set for ExternalName services") for field in unwanted]
    name = (spec.get("externalName") or "").removesuffix(".")
    if not name:
        return [*errors, required("spec.externalName")]
    return errors + [invalid_value("spec.externalName", name, detail) for detail in dns1123_subdomain(name)]


def _port_errors(port: Document, named: bool, names: set[str], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    name, number, protocol = port.get("name") or "", port.get("port") or 0, port.get("protocol") or ""
    if named and not name:
        errors.append(required(f"{path}.name"))
    elif name:
        errors += [invalid_value(f"{path}.name", name, detail) for detail in dns1123_label(name)]
        if name in names:
            errors.append(duplicate(f"{path}.name", name))
        names.add(name)
    errors += [invalid_value(f"{path}.port", number, detail) for detail in port_number(number)]
    if not protocol:
        errors.append(required(f"{path}.protocol"))
    elif protocol not in PROTOCOLS:
        errors.append(unsupported(f"{path}.protocol", protocol, PROTOCOLS))
    errors += _target_errors(port.get("targetPort"), f"{path}.targetPort")
    application = port.get("appProtocol")
    if application is not None:
        errors += [invalid_value(f"{path}.appProtocol", application, detail) for detail in label_key(application)]
    return errors


def _target_errors(target: Any, path: str) -> list[FieldError]:
    if isinstance(target, str):
        return [invalid_value(path, target, detail) for detail in port_name(target)]
    return [invalid_value(path, target or 0, detail) for detail in port_number(target or 0)]


def _affinity_errors(spec: Document) -> list[FieldError]:
    affinity, config = spec.get("sessionAffinity") or "", spec.get("sessionAffinityConfig")
    if not affinity:
        return [required("spec.sessionAffinity")]
    if affinity not in AFFINITIES:
        return [unsupported("spec.sessionAffinity", affinity, AFFINITIES)]
    path = "spec.sessionAffinityConfig"
    if affinity == "None":
        detail = "must not be set when session affinity is None"
        return [forbidden_field(path, detail)] if config is not None else []
    seconds = ((config or {}).get("clientIP") or {}).get("timeoutSeconds")
    if seconds is None:
        return [required(f"{path}.clientIP.timeoutSeconds", "when session affinity type is ClientIP")]
    if 0 < seconds <= _LONGEST_AFFINITY:
        return []
    detail = f"must be greater than 0 and less than {_LONGEST_AFFINITY}"
    return [invalid_value(f"{path}.clientIP.timeoutSeconds", seconds, detail)]


def _node_port_errors(spec: Document, ports: Sequence[Document]) -> list[FieldError]:
    """Node ports only where the type has them, and each (protocol, port) once."""
    errors: list[FieldError] = []
    if spec.get("type") == "ClusterIP":
        detail = "may not be used when `type` is 'ClusterIP'"
        used = [index for index, port in enumerate(ports) if port.get("nodePort")]
        errors += [forbidden_field(f"spec.ports[{index}].nodePort", detail) for index in used]
    seen: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        key = (port.get("protocol") or "", port.get("nodePort") or 0)
        if key[1] and key in seen:
            errors.append(duplicate(f"spec.ports[{index}].nodePort", key[1]))
        seen.add(key)
    seen.clear()
    for index, port in enumerate(ports):
        key = (port.get("protocol") or "", port.get("port") or 0)
        if key in seen:
            errors.append(duplicate(f"spec.ports[{index}]", _as_go(*key)))
        seen.add(key)
    return errors


def _as_go(protocol: str, port: int) -> orjson.Fragment:
    """A port as upstream prints it: its internal type, with Go's field names in Go's order."""
    shown = {"Name": "", "Protocol": protocol, "AppProtocol": None, "Port": port, "TargetPort": 0, "NodePort": 0}
    return orjson.Fragment(orjson.dumps(shown))


def _balancer_errors(document: Document, spec: Document) -> list[FieldError]:
    annotations = (document.get("metadata") or {}).get("annotations") or {}
    ranges = spec.get("loadBalancerSourceRanges") or []
    balanced = spec.get("type") == "LoadBalancer"
    errors: list[FieldError] = []
    if ranges or SOURCE_RANGES in annotations:
        path = "spec.LoadBalancerSourceRanges" if ranges else f"metadata.annotations[{SOURCE_RANGES}]"
        value = f"[{' '.join(ranges)}]" if ranges else annotations[SOURCE_RANGES]
        if not balanced:
            errors.append(forbidden_field(path, _BALANCER_ONLY))
        each = ranges or [part for part in value.split(",") if value.strip()]
        if not all(is_cidr(part.strip()) for part in each):
            detail = "must be a list of IP ranges. For example, 10.240.0.0/24,10.250.0.0/24 "
            errors.append(invalid_value(path, value, detail))
    for field in ("allocateLoadBalancerNodePorts", "loadBalancerClass"):
        if spec.get(field) is not None and not balanced:
            errors.append(forbidden_field(f"spec.{field}", _BALANCER_ONLY))
    if balanced and spec.get("allocateLoadBalancerNodePorts") is None:
        errors.append(required("allocateLoadBalancerNodePorts"))
    return errors


def _traffic_errors(spec: Document) -> list[FieldError]:
    """The traffic policies, and the health check that the external one may need."""
    errors: list[FieldError] = []
    type_, external, check = spec.get("type"), spec.get("externalTrafficPolicy"), spec.get("healthCheckNodePort") or 0
    path = "spec.externalTrafficPolicy"
    if type_ in ("NodePort", "LoadBalancer") or (type_ == "ClusterIP" and spec.get("externalIPs")):
        if external and external not in TRAFFIC:
            errors.append(unsupported(path, external, TRAFFIC))
        elif not external and type_ != "ClusterIP":
            errors.append(required(path))
    elif external:
        errors.append(invalid_value(path, external, "may only be set for externally-accessible services"))
    checked = type_ == "LoadBalancer" and external == "Local"
    if check and not checked:
        detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        errors.append(invalid_value("spec.healthCheckNodePort", check, detail))
    elif check and port_number(check):
        errors.append(invalid_value("spec.healthCheckNodePort", check, in_range(1, 65535)))
    return errors + _internal_traffic_errors(spec)


def _internal_traffic_errors(spec: Document) -> list[FieldError]:
    internal, path = spec.get("internalTrafficPolicy"), "spec.internalTrafficPolicy"
    if spec.get("type") == "ExternalName":
        return []
    if internal is None:
        return [required(path)]
    return [] if internal in TRAFFIC else [unsupported(path, internal, TRAFFIC)]


def validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    errors: list[FieldError] = []
    if "ExternalName" not in (spec.get("type"), before.get("type")):
        errors += changed_ip_errors(spec, before)
        errors += changed_family_errors(spec, before)
    both_balanced = before.get("type") == spec.get("type") == "LoadBalancer"
    if both_balanced and spec.get("loadBalancerClass") != before.get("loadBalancerClass"):
        errors.append(invalid_value("spec.loadBalancerClass", spec.get("loadBalancerClass"), ONCE))
    return [*errors, *validate(new, context)]


def validate_status(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    """Addresses of the load balancer (ValidateLoadBalancerStatus)."""
    errors: list[FieldError] = []
    for index, ingress in enumerate(((new.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()):
        path, ip, host = f"status.loadBalancer.ingress[{index}]", ingress.get("ip"), ingress.get("hostname")
        if ip:
            errors += ip_errors(ip, f"{path}.ip")
        if host:
            errors += [invalid_value(f"{path}.hostname", host, detail) for detail in dns1123_subdomain(host)]
            if parse_ip(host):
                detail = "must be a DNS name, not an IP address"
                errors.append(invalid_value(f"{path}.hostname", host, detail))
    return errors

"""Validation of a pod's spec, in a Pod and in every template (ValidatePodSpec in pkg/apis/core/validation).

This file holds the order of the checks; each part is a file of its own. Paths are made only where a part is
there to be checked, so that a plain pod costs little: about 30 µs for two containers.
"""

from __future__ import annotations

from typing import Any

from tiphys.base.document import Document
from tiphys.base.field_error import duplicate, forbidden_field, invalid_value, required, unsupported
from tiphys.base.name_rules import in_range, label_key
from tiphys.kinds.shapes import label_selector_validation
from tiphys.kinds.shapes.affinity_validation import validate_affinity
from tiphys.kinds.shapes.container_list_validation import Surroundings, validate_all_containers
from tiphys.kinds.shapes.field_checks import MAX_INT32, Errors, by_rule, dns_label, dns_subdomain
from tiphys.kinds.shapes.operating_system_validation import validate_operating_system
from tiphys.kinds.shapes.pod_network_validation import validate_dns, validate_host_aliases, validate_host_ports
from tiphys.kinds.shapes.pod_resources_validation import validate_claims, validate_pod_resources
from tiphys.kinds.shapes.pod_rules import PodRules
from tiphys.kinds.shapes.resource_requirements_validation import validate_requirements
from tiphys.kinds.shapes.security_context_validation import validate_host_users, validate_pod_security_context
from tiphys.kinds.shapes.toleration_validation import validate_tolerations
from tiphys.kinds.shapes.topology_spread_validation import validate_topology_spread
from tiphys.kinds.shapes.volume_validation import validate_volumes
from tiphys.kinds.shapes.windows_validation import validate_host_process

RESTART_POLICIES = ("Always", "OnFailure", "Never")
DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
PREEMPTION_POLICIES = ("PreemptLowerPriority", "Never")


def validate_pod_spec(spec: Document, metadata: Document | None, path: str, rules: PodRules, errors: Errors) -> None:
    """Every rule of the spec itself. `metadata` is the Pod's, None for a template."""
    if spec.get("terminationGracePeriodSeconds") is None:
        errors.append(required(f"{path}.terminationGracePeriodSeconds"))
    surroundings = _surroundings(spec, metadata, path, rules, errors)
    validate_all_containers(spec, path, surroundings, errors)
    if rules.pod_resources and spec.get("resources"):
        validate_pod_resources(spec, f"{path}.resources", rules, errors)
    if spec.get("hostNetwork"):
        validate_host_ports(spec, path, rules, errors)
    _policies(spec, path, errors)
    label_selector_validation.labels(spec.get("nodeSelector"), f"{path}.nodeSelector", errors)
    if security := spec.get("securityContext"):
        validate_pod_security_context(security, spec, f"{path}.securityContext", rules, errors)
    _scheduling(spec, path, rules, errors)
    validate_host_process(spec, path, errors)
    validate_host_users(spec, path, errors)
    _names(spec, path, errors)
    _rest(spec, path, rules, errors)


def _surroundings(
    spec: Document, metadata: Document | None, path: str, rules: PodRules, errors: Errors
) -> Surroundings:
    """What containers refer to: the volumes and claims that are sound. Reports those that are not."""
    volumes: dict[str, Document] = {}
    if found := spec.get("volumes"):
        volumes = validate_volumes(found, metadata, f"{path}.volumes", rules, errors)
    claims = spec.get("resourceClaims") or ()
    if claims:
        validate_claims(claims, f"{path}.resourceClaims", errors)
    return Surroundings(
        rules=rules,
        volumes=volumes,
        claims={claim["name"] for claim in claims if claim.get("name")},
        grace_period=spec.get("terminationGracePeriodSeconds"),
        restart_policy=spec.get("restartPolicy") or "",
        host_users=spec.get("hostUsers") is not False,
    )


def one_of(value: Any, choices: tuple[str, ...], path: str, errors: Errors) -> None:
    """A required word out of a few."""
    if not value:
        errors.append(required(path))
    elif value not in choices:
        errors.append(unsupported(path, value, choices))


def _policies(spec: Document, path: str, errors: Errors) -> None:
    if spec.get("restartPolicy") not in RESTART_POLICIES:
        one_of(spec.get("restartPolicy"), RESTART_POLICIES, f"{path}.restartPolicy", errors)
    if spec.get("dnsPolicy") not in DNS_POLICIES:
        one_of(spec.get("dnsPolicy"), DNS_POLICIES, f"{path}.dnsPolicy", errors)


def _scheduling(spec: Document, path: str, rules: PodRules, errors: Errors) -> None:
    for index, secret in enumerate(spec.get("imagePullSecrets") or ()):
        if secret.keys() - {"name"}:
            errors.append(invalid_value(f"{path}.imagePullSecrets[{index}]", secret, "only name may be set"))
    if affinity := spec.get("affinity"):
        validate_affinity(affinity, f"{path}.affinity", errors)
    if spec.get("dnsConfig") is not None or spec.get("dnsPolicy") == "None":
        validate_dns(spec, f"{path}.dnsConfig", rules, errors)
    for index, gate in enumerate(spec.get("readinessGates") or ()):
        by_rule(label_key, gate.get("conditionType") or "", f"{path}.readinessGates[{index}].conditionType", errors)
    if gates := spec.get("schedulingGates"):
        _scheduling_gates(gates, f"{path}.schedulingGates", errors)
    if constraints := spec.get("topologySpreadConstraints"):
        validate_topology_spread(constraints, f"{path}.topologySpreadConstraints", errors)


def _scheduling_gates(gates: list[Document], path: str, errors: Errors) -> None:
    seen: set[str] = set()
    for index, gate in enumerate(gates):
        name = gate.get("name") or ""
        by_rule(label_key, name, f"{path}[{index}]", errors)
        if name in seen:
            errors.append(duplicate(f"{path}[{index}]", name))
        seen.add(name)


_SUBDOMAINS = ("serviceAccountName", "nodeName")
_LABELS = ("hostname", "subdomain")


def _names(spec: Document, path: str, errors: Errors) -> None:
    for field in _SUBDOMAINS:
        if name := spec.get(field):
            dns_subdomain(name, f"{path}.{field}", errors)
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= MAX_INT32:
        errors.append(invalid_value(f"{path}.activeDeadlineSeconds", deadline, in_range(1, MAX_INT32)))
    for field in _LABELS:
        if name := spec.get(field):
            dns_label(name, f"{path}.{field}", errors)


def _rest(spec: Document, path: str, rules: PodRules, errors: Errors) -> None:
    if tolerations := spec.get("tolerations"):
        validate_tolerations(tolerations, f"{path}.tolerations", errors)
    if aliases := spec.get("hostAliases"):
        validate_host_aliases(aliases, f"{path}.hostAliases", errors)
    for field in ("priorityClassName", "runtimeClassName"):
        if name := spec.get(field):
            dns_subdomain(name, f"{path}.{field}", errors)
    if spec.get("preemptionPolicy") is not None:
        one_of(spec["preemptionPolicy"], PREEMPTION_POLICIES, f"{path}.preemptionPolicy", errors)
    if overhead := spec.get("overhead"):
        validate_requirements({"limits": overhead}, f"{path}.overhead", (), errors)
    if spec.get("os") is not None:
        validate_operating_system(spec, path, errors)


def validate_pod_only(spec: Document, errors: Errors) -> None:
    """What only a Pod itself must obey, for upstream never asked it of templates (validatePodMetadataAndSpec)."""
    if spec.get("volumes") and not spec.get("serviceAccountName"):
        _tokens_without_account(spec["volumes"], errors)
    for field in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(field) or ()):
            image = container.get("image") or ""
            if image != image.strip():
                words = "must not have leading or trailing whitespace"
                errors.append(invalid_value(f"spec.{field}[{index}].image", image, words))


def _tokens_without_account(volumes: list[Document], errors: Errors) -> None:
    for index, volume in enumerate(volumes):
        for position, source in enumerate((volume.get("projected") or {}).get("sources") or ()):
            if source.get("serviceAccountToken") is not None:
                path = f"spec.volumes[{index}].projected.sources[{position}].serviceAccountToken"
                errors.append(forbidden_field(path, "must not be specified when serviceAccountName is not set"))

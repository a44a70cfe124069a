"""The three lists of containers: regular, init and ephemeral, each with its own rules beside the common ones
(validateContainers, validateInitContainers, validateEphemeralContainers)."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from tiphys.base.document import Document
from tiphys.base.field_error import duplicate, forbidden_field, invalid_value, not_found_value, required, unsupported
from tiphys.kinds.shapes.container_validation import validate_container
from tiphys.kinds.shapes.field_checks import Errors
from tiphys.kinds.shapes.pod_rules import PodRules
from tiphys.kinds.shapes.probe_validation import PROBES, validate_lifecycle, validate_probes

NOT_EPHEMERAL = ("ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resources", "resizePolicy")
ONLY_SIDECARS = "may not be set for init containers without restartPolicy=Always"
ONLY_SIDECARS_BEFORE = "may not be set for init containers"
RESTART_WORDS = ("Always", "Never", "OnFailure")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a container's rules need to know of its pod."""

    rules: PodRules
    volumes: dict[str, Document]
    """The sound volumes by name."""
    claims: AbstractSet[str]
    grace_period: int | None
    restart_policy: str
    host_users: bool


def validate_all_containers(spec: Document, path: str, around: Surroundings, errors: Errors) -> None:
    containers = spec.get("containers") or []
    if not containers:
        errors.append(required(f"{path}.containers"))
    else:
        _regular(containers, f"{path}.containers", around, errors)
    if init := spec.get("initContainers"):
        _init(init, containers, f"{path}.initContainers", around, errors)
    if ephemeral := spec.get("ephemeralContainers"):
        _ephemeral(ephemeral, containers + (init or []), f"{path}.ephemeralContainers", around, errors)


def _regular(containers: list[Document], path: str, around: Surroundings, errors: Errors) -> None:
    names: set[Any] = set()
    for index, container in enumerate(containers):
        here = f"{path}[{index}]"
        validate_container(container, here, around, errors)
        _unique_name(container, names, here, errors)
        _probes_and_lifecycle(container, here, around, errors)
        if container.get("restartPolicy") is not None:
            _own_restart_policy(container, here, around.rules, errors)
    check_host_ports(containers, path, errors)


def _own_restart_policy(container: Document, path: str, rules: PodRules, errors: Errors) -> None:
    policy = container["restartPolicy"]
    if not rules.restart_rules:
        errors.append(forbidden_field(f"{path}.restartPolicy", "may not be set for non-init containers"))
    elif policy not in RESTART_WORDS:
        errors.append(unsupported(f"{path}.restartPolicy", policy, RESTART_WORDS))


def _unique_name(container: Document, names: set[Any], path: str, errors: Errors) -> None:
    name = container.get("name") or ""
    if name in names:
        errors.append(duplicate(f"{path}.name", name))
    elif name:
        names.add(name)


def _probes_and_lifecycle(container: Document, path: str, around: Surroundings, errors: Errors) -> None:
    if lifecycle := container.get("lifecycle"):
        validate_lifecycle(lifecycle, around.grace_period, f"{path}.lifecycle", around.rules, errors)
    validate_probes(container, around.grace_period, path, around.rules, errors)


def _init(
    containers: list[Document], regular: list[Document], path: str, around: Surroundings, errors: Errors
) -> None:
    names: set[Any] = {container.get("name") or "" for container in regular}
    for index, container in enumerate(containers):
        here = f"{path}[{index}]"
        validate_container(container, here, around, errors)
        sidecar = _is_sidecar(container, here, around.rules, errors)
        _unique_name(container, names, here, errors)
        check_host_ports([container], path, errors)
        if sidecar:
            _probes_and_lifecycle(container, here, around, errors)
        else:
            _no_probes(container, here, around.rules, errors)
        if container.get("resizePolicy") and not around.rules.sidecar_resize_policy:
            words = "must not be set for init containers"
            errors.append(invalid_value(f"{here}.resizePolicy", container["resizePolicy"], words))


def _is_sidecar(container: Document, path: str, rules: PodRules, errors: Errors) -> bool:
    policy = container.get("restartPolicy")
    if policy is None:
        return False
    allowed = RESTART_WORDS if rules.restart_rules else ("Always",)
    if policy not in allowed:
        errors.append(unsupported(f"{path}.restartPolicy", policy, allowed))
    return bool(policy == "Always")


def _no_probes(container: Document, path: str, rules: PodRules, errors: Errors) -> None:
    words = ONLY_SIDECARS if rules.sidecars else ONLY_SIDECARS_BEFORE
    for field in ("lifecycle", *PROBES):
        if container.get(field) is not None:
            errors.append(forbidden_field(f"{path}.{field}", words))


def check_host_ports(containers: list[Document], path: str, errors: Errors) -> None:
    """No two containers may want the same port of the host (AccumulateUniqueHostPorts)."""
    seen: set[str] = set()
    for index, container in enumerate(containers):
        for position, port in enumerate(container.get("ports") or ()):
            if not port.get("hostPort"):
                continue
            wanted = f"{port.get('protocol') or ''}/{port.get('hostIP') or ''}/{port['hostPort']}"
            if wanted in seen:
                errors.append(duplicate(f"{path}[{index}].ports[{position}].hostPort", wanted))
            seen.add(wanted)


def _ephemeral(
    containers: list[Document], others: list[Document], path: str, around: Surroundings, errors: Errors
) -> None:
    targets = {container.get("name") or "" for container in others}
    names: set[Any] = set(targets)
    for index, container in enumerate(containers):
        here = f"{path}[{index}]"
        validate_container(container, here, around, errors)
        image = container.get("image") or ""
        if image != image.strip():
            errors.append(invalid_value(f"{here}.image", image, "must not have leading or trailing whitespace"))
        _unique_name(container, names, here, errors)
        target = container.get("targetContainerName")
        if target and target not in targets:
            errors.append(not_found_value(f"{here}.targetContainerName", target))
        _only_ephemeral_fields(container, here, errors)


def _only_ephemeral_fields(container: Document, path: str, errors: Errors) -> None:
    words = "cannot be set for an Ephemeral Container"
    errors.extend(forbidden_field(f"{path}.{field}", words) for field in NOT_EPHEMERAL if container.get(field))
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        for field in ("subPath", "subPathExpr"):
            if mount.get(field):
                errors.append(forbidden_field(f"{path}.volumeMounts[{index}].{field}", words))

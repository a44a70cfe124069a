"""The rules common to every container (validateContainerCommon)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tiphys.base.document import Document
from tiphys.base.field_error import duplicate, invalid_value, required, unsupported
from tiphys.base.name_rules import port_name, port_number
from tiphys.kinds.shapes.env_validation import validate_env, validate_env_from
from tiphys.kinds.shapes.field_checks import Errors, dns_label
from tiphys.kinds.shapes.resource_requirements_validation import validate_requirements
from tiphys.kinds.shapes.security_context_validation import validate_security_context
from tiphys.kinds.shapes.volume_mount_validation import validate_devices, validate_mounts

if TYPE_CHECKING:
    from tiphys.kinds.shapes.container_list_validation import Surroundings

PULL_POLICIES = ("Always", "IfNotPresent", "Never")
MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
PROTOCOLS = ("SCTP", "TCP", "UDP")
RESIZABLE = ("cpu", "memory")
RESIZE_POLICIES = ("NotRequired", "RestartContainer")


def validate_container(container: Document, path: str, around: Surroundings, errors: Errors) -> None:
    """Name, image, ports, environment, mounts, resources and security context. About 8 µs for a plain one."""
    if name := container.get("name"):
        dns_label(name, f"{path}.name", errors)
    else:
        errors.append(required(f"{path}.name"))
    if not container.get("image"):
        errors.append(required(f"{path}.image"))
    _one_of(container, "terminationMessagePolicy", MESSAGE_POLICIES, path, errors)
    if ports := container.get("ports"):
        validate_ports(ports, f"{path}.ports", errors)
    if env := container.get("env"):
        validate_env(env, f"{path}.env", around.rules, around.volumes, errors)
    if sources := container.get("envFrom"):
        validate_env_from(sources, f"{path}.envFrom", around.rules, errors)
    _volumes(container, path, around, errors)
    _one_of(container, "imagePullPolicy", PULL_POLICIES, path, errors)
    if resources := container.get("resources"):
        validate_requirements(resources, f"{path}.resources", around.claims, errors)
    if policies := container.get("resizePolicy"):
        _resize_policies(policies, f"{path}.resizePolicy", around.restart_policy, errors)
    if security := container.get("securityContext"):
        validate_security_context(security, f"{path}.securityContext", around, errors)


def _one_of(container: Document, field: str, choices: tuple[str, ...], path: str, errors: Errors) -> None:
    value = container.get(field)
    if not value:
        errors.append(required(f"{path}.{field}"))
    elif value not in choices:
        errors.append(unsupported(f"{path}.{field}", value, choices))


def _volumes(container: Document, path: str, around: Surroundings, errors: Errors) -> None:
    mounts, devices = container.get("volumeMounts"), container.get("volumeDevices")
    if mounts:
        validate_mounts(mounts, devices or [], around.volumes, container, f"{path}.volumeMounts", errors)
    if devices:
        validate_devices(devices, mounts or [], around.volumes, f"{path}.volumeDevices", errors)


def validate_ports(ports: list[Document], path: str, errors: Errors) -> None:
    """Names are unique in the container; numbers and protocols are real (validateContainerPorts)."""
    names: set[Any] = set()
    for index, port in enumerate(ports):
        here = f"{path}[{index}]"
        if name := port.get("name"):
            _port_name(name, names, f"{here}.name", errors)
        number = port.get("containerPort")
        if not number:
            errors.append(required(f"{here}.containerPort"))
        else:
            errors.extend(invalid_value(f"{here}.containerPort", number, words) for words in port_number(number))
        if host_port := port.get("hostPort"):
            errors.extend(invalid_value(f"{here}.hostPort", host_port, words) for words in port_number(host_port))
        _one_of(port, "protocol", PROTOCOLS, here, errors)


def _port_name(name: str, names: set[Any], path: str, errors: Errors) -> None:
    if complaints := port_name(name):
        errors.extend(invalid_value(path, name, words) for words in complaints)
    elif name in names:
        errors.append(duplicate(path, name))
    else:
        names.add(name)


def _resize_policies(policies: list[Document], path: str, restart_policy: str, errors: Errors) -> None:
    """What may be resized in place, and how (validateResizePolicy)."""
    seen: set[Any] = set()
    for index, policy in enumerate(policies):
        resource, restart = policy.get("resourceName") or "", policy.get("restartPolicy") or ""
        if resource in seen:
            errors.append(duplicate(f"{path}[{index}]", resource))
        seen.add(resource)
        for value, choices in ((resource, RESIZABLE), (restart, RESIZE_POLICIES)):
            if not value:
                errors.append(required(path))
            elif value not in choices:
                errors.append(unsupported(path, value, choices))
        if restart_policy == "Never" and restart != "NotRequired":
            words = "must be 'NotRequired' when `restartPolicy` is 'Never'"
            errors.append(invalid_value(path, restart, words))

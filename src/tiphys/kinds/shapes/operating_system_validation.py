"""A pod that names its operating system may not use what the other one has (validateOS, validateLinux, …Windows)."""

from __future__ import annotations

from collections.abc import Iterator

from tiphys.base.document import Document
from tiphys.base.field_error import forbidden_field, required, unsupported
from tiphys.kinds.shapes.field_checks import Errors

NOT_ON_LINUX = "windows options cannot be set for a linux pod"
NOT_ON_WINDOWS = "cannot be set for a windows pod"
_POD = (
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "fsGroup",
    "fsGroupChangePolicy",
    "sysctls",
    "runAsUser",
    "runAsGroup",
    "supplementalGroups",
    "supplementalGroupsPolicy",
    "seLinuxChangePolicy",
)
_SPEC = ("hostUsers", "shareProcessNamespace")
_SPEC_FLAGS = ("hostPID", "hostIPC")
_CONTAINER = (
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
    "runAsUser",
    "runAsGroup",
)


def validate_operating_system(spec: Document, path: str, errors: Errors) -> None:
    name = spec["os"].get("name") or ""
    if not name:
        errors.append(required(f"{path}.os.name", "cannot be empty"))
    elif name not in ("linux", "windows"):
        errors.append(unsupported(f"{path}.os", name, ("linux", "windows")))
    elif name == "linux":
        _linux(spec, path, errors)
    else:
        _windows(spec, path, errors)


def _security_contexts(spec: Document, path: str) -> Iterator[tuple[Document, str]]:
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(field) or ()):
            if security := container.get("securityContext"):
                yield security, f"{path}.{field}[{index}].securityContext"


def _linux(spec: Document, path: str, errors: Errors) -> None:
    own = (spec.get("securityContext") or {}, f"{path}.securityContext")
    for security, here in (own, *_security_contexts(spec, path)):
        if security.get("windowsOptions") is not None:
            errors.append(forbidden_field(f"{here}.windowsOptions", NOT_ON_LINUX))


def _windows(spec: Document, path: str, errors: Errors) -> None:
    own = spec.get("securityContext") or {}
    named = [f"securityContext.{field}" for field in _POD if own.get(field) not in (None, [])]
    named += [field for field in _SPEC if spec.get(field) is not None]
    named += [field for field in _SPEC_FLAGS if spec.get(field)]
    errors.extend(forbidden_field(f"{path}.{field}", NOT_ON_WINDOWS) for field in named)
    for security, here in _security_contexts(spec, path):
        for field in _CONTAINER:
            if security.get(field) is not None:
                errors.append(forbidden_field(f"{here}.{field}", NOT_ON_WINDOWS))

"""Security contexts of pods and of containers (validatePodSpecSecurityContext, ValidateSecurityContext)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tiphys.base.document import Document
from tiphys.base.field_error import duplicate, forbidden_field, invalid_value, required, too_long, unsupported
from tiphys.kinds.shapes.field_checks import Errors, unix_id
from tiphys.kinds.shapes.file_path_validation import descending
from tiphys.kinds.shapes.pod_rules import PodRules
from tiphys.kinds.shapes.windows_validation import validate_windows_options

if TYPE_CHECKING:
    from tiphys.kinds.shapes.container_list_validation import Surroundings

_SYSCTL_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SYSCTL_SHOWN = rf"^({_SYSCTL_SEGMENT}[\./])*{_SYSCTL_SEGMENT}$"
_SYSCTL = re.compile("[a-z0-9]+(?:[-_]+[a-z0-9]+)*(?:[./][a-z0-9]+(?:[-_]+[a-z0-9]+)*)*")
"""The same language as the one shown, without its backtracking."""

_PROFILE_TYPES = ("Localhost", "RuntimeDefault", "Unconfined")
_IPC_SYSCTLS = ("kernel.shm", "kernel.msg", "fs.mqueue.")
_WORDS = (
    ("fsGroupChangePolicy", ("Always", "OnRootMismatch")),
    ("supplementalGroupsPolicy", ("Merge", "Strict")),
    ("seLinuxChangePolicy", ("MountOption", "Recursive")),
)


def validate_pod_security_context(
    security: Document, spec: Document, path: str, rules: PodRules, errors: Errors
) -> None:
    """`spec` is the pod's: on the wire the host's namespaces stand there."""
    for field in ("fsGroup", "runAsUser", "runAsGroup"):
        unix_id(security.get(field), f"{path}.{field}", errors)
    for index, group in enumerate(security.get("supplementalGroups") or ()):
        unix_id(group, f"{path}.supplementalGroups[{index}]", errors)
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        words = "ShareProcessNamespace and HostPID cannot both be enabled"
        errors.append(invalid_value(f"{path}.shareProcessNamespace", True, words))
    if sysctls := security.get("sysctls"):
        _sysctls(sysctls, spec, f"{path}.sysctls", errors)
    _profiles(security, path, errors)
    for field, choices in _WORDS:
        if security.get(field) is not None and security[field] not in choices:
            errors.append(unsupported(f"{path}.{field}", security[field], choices))


def _profiles(security: Document, path: str, errors: Errors) -> None:
    if (seccomp := security.get("seccompProfile")) is not None:
        _seccomp(seccomp, f"{path}.seccompProfile", errors)
    if (options := security.get("windowsOptions")) is not None:
        validate_windows_options(options, f"{path}.windowsOptions", errors)
    if (app_armor := security.get("appArmorProfile")) is not None:
        _app_armor(app_armor, f"{path}.appArmorProfile", errors)


def _sysctls(sysctls: list[Document], spec: Document, path: str, errors: Errors) -> None:
    seen: set[str] = set()
    for index, sysctl in enumerate(sysctls):
        here, name = f"{path}[{index}].name", sysctl.get("name") or ""
        if not name:
            errors.append(required(here))
        elif len(name) > 253 or not _SYSCTL.fullmatch(name):
            words = f"must have at most 253 characters and match regex {_SYSCTL_SHOWN}"
            errors.append(invalid_value(here, name, words))
        elif name in seen:
            errors.append(duplicate(here, name))
        seen.add(name)
        _host_sysctl(name, spec, here, errors)


def _host_sysctl(name: str, spec: Document, path: str, errors: Errors) -> None:
    """A pod in the host's namespace may not set what belongs to that namespace."""
    dotted = name.replace("/", ".")
    if spec.get("hostNetwork") and dotted.startswith("net."):
        errors.append(invalid_value(path, name, "may not be specified when 'hostNetwork' is true"))
    elif spec.get("hostIPC") and (dotted.startswith(_IPC_SYSCTLS) or dotted == "kernel.sem"):
        errors.append(invalid_value(path, name, "may not be specified when 'hostIPC' is true"))


def _seccomp(profile: Document, path: str, errors: Errors) -> None:
    kind, local = profile.get("type") or "", profile.get("localhostProfile")
    if not kind:
        errors.append(required(f"{path}.type", "type is required when seccompProfile is set"))
    elif kind not in _PROFILE_TYPES:
        errors.append(unsupported(f"{path}.type", kind, _PROFILE_TYPES))
    here = f"{path}.localhostProfile"
    if kind != "Localhost":
        if local is not None:
            errors.append(invalid_value(here, profile, "can only be set when seccomp type is Localhost"))
    elif local is None:
        errors.append(required(here, "must be set when seccomp type is Localhost"))
    else:
        descending(local, here, errors)


def _app_armor(profile: Document, path: str, errors: Errors) -> None:
    kind, local = profile.get("type") or "", profile.get("localhostProfile")
    here = f"{path}.localhostProfile"
    if kind == "Localhost":
        _app_armor_file(local or "", here, errors)
    elif not kind:
        errors.append(required(f"{path}.type", "type is required when appArmorProfile is set"))
    elif kind not in _PROFILE_TYPES:
        errors.append(unsupported(f"{path}.type", kind, _PROFILE_TYPES))
    elif local is not None:
        errors.append(invalid_value(here, local, "can only be set when AppArmor type is Localhost"))


def _app_armor_file(name: str, path: str, errors: Errors) -> None:
    if name != name.strip():
        errors.append(invalid_value(path, name, "must not be padded with whitespace"))
    elif not name:
        errors.append(required(path, "must be set when AppArmor type is Localhost"))
    if len(name) > 4095:
        errors.append(too_long(path, "", 4095))


def validate_security_context(security: Document, path: str, around: Surroundings, errors: Errors) -> None:
    """A container's own."""
    for field in ("runAsUser", "runAsGroup"):
        unix_id(security.get(field), f"{path}.{field}", errors)
    if (mount := security.get("procMount")) is not None:
        if mount not in ("Default", "Unmasked"):
            errors.append(unsupported(f"{path}.procMount", mount, ("Default", "Unmasked")))
        if mount == "Unmasked" and around.host_users and around.rules.minor >= 30:
            words = "`hostUsers` must be false to use `Unmasked`"
            errors.append(invalid_value(f"{path}.procMount", mount, words))
    if security.get("allowPrivilegeEscalation") is False:
        _no_escalation(security, path, errors)
    _profiles(security, path, errors)


def _no_escalation(security: Document, path: str, errors: Errors) -> None:
    if security.get("privileged"):
        words = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
        errors.append(invalid_value(path, security, words))
    for capability in (security.get("capabilities") or {}).get("add") or ():
        if capability == "CAP_SYS_ADMIN":
            words = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
            errors.append(invalid_value(path, security, words))


def validate_host_users(spec: Document, path: str, errors: Errors) -> None:
    """A pod with users of its own cannot be in the host's other namespaces (validateHostUsers)."""
    if spec.get("hostUsers") is not False:
        return
    for field, shown in (("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")):
        if spec.get(field):
            errors.append(forbidden_field(f"{path}.{shown}", "when `pod.Spec.HostUsers` is false"))

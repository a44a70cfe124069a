"""What only Windows pods may say, and the rules of saying it."""

from __future__ import annotations

import re

from tiphys.base.document import Document
from tiphys.base.field_error import invalid_value
from tiphys.base.name_rules import dns1123_subdomain
from tiphys.kinds.shapes.field_checks import Errors, by_rule

_SPEC_KIB = 64
_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_DNS = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NETBIOS = re.compile(r'[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}')
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ILLEGAL = re.compile(r'["/\\:;|=,+*?<>@\[\]]')
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


def validate_windows_options(options: Document, path: str, errors: Errors) -> None:
    if (name := options.get("gmsaCredentialSpecName")) is not None:
        by_rule(dns1123_subdomain, name, f"{path}.gmsaCredentialSpecName", errors)
    if (spec := options.get("gmsaCredentialSpec")) is not None:
        if not spec:
            words = "gmsaCredentialSpec cannot be an empty string"
            errors.append(invalid_value(f"{path}.gmsaCredentialSpec", spec, words))
        elif len(spec.encode()) > _SPEC_KIB * 1024:
            words = f"gmsaCredentialSpec size must be under {_SPEC_KIB} KiB"
            errors.append(invalid_value(f"{path}.gmsaCredentialSpec", spec, words))
    if (user := options.get("runAsUserName")) is not None:
        here = f"{path}.runAsUserName"
        errors.extend(invalid_value(here, user, words) for words in _user_name(user))


def _user_name(name: str) -> list[str]:
    """What is wrong with `DOMAIN\\user`."""
    if not name:
        return ["runAsUserName cannot be an empty string"]
    if _CONTROL.search(name):
        return ["runAsUserName cannot contain control characters"]
    if name.count("\\") > 1:
        return ["runAsUserName cannot contain more than one backslash"]
    domain, backslash, user = name.rpartition("\\")
    return (_domain(domain) if backslash else []) + _user(user)


def _domain(domain: str) -> list[str]:
    complaints = []
    if len(domain) >= 256:
        complaints.append("runAsUserName's Domain length must be under 256 characters")
    if not _NETBIOS.fullmatch(domain) and not _DNS.fullmatch(domain):
        complaints.append("runAsUserName's Domain doesn't match the NetBios nor the DNS format")
    return complaints


def _user(user: str) -> list[str]:
    complaints = []
    if not user:
        complaints.append("runAsUserName's User cannot be empty")
    elif len(user) > 104:
        complaints.append("runAsUserName's User length must not be longer than 104 characters")
    if re.fullmatch("[. ]+", user):
        complaints.append("runAsUserName's User cannot contain only periods or spaces")
    if _ILLEGAL.search(user):
        complaints.append("runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]")
    return complaints


def _host_process(holder: Document) -> bool | None:
    found: bool | None = ((holder.get("securityContext") or {}).get("windowsOptions") or {}).get("hostProcess")
    return found


def validate_host_process(spec: Document, path: str, errors: Errors) -> None:
    """Either all containers are host processes or none is (validateWindowsHostProcessPod)."""
    own = _host_process(spec)
    total = host = 0
    for field in _CONTAINERS:
        for index, container in enumerate(spec.get(field) or ()):
            total += 1
            asked = _host_process(container) if container.get("securityContext") else None
            if own is not None and asked is not None and own != asked:
                words = f"pod hostProcess value must be identical if both are specified, was {str(own).lower()}"
                here = f"{path}.{field}[{index}].securityContext.windowsOptions.hostProcess"
                errors.append(invalid_value(here, asked, words))
            host += bool(own if asked is None else asked)
    if host:
        _all_host_processes(spec, host == total, path, errors)


def _all_host_processes(spec: Document, whole: bool, path: str, errors: Errors) -> None:
    if not whole:
        words = "If pod contains any hostProcess containers then all containers must be HostProcess containers"
        errors.append(invalid_value(path, "", words))
    if not spec.get("hostNetwork"):
        words = "hostNetwork must be true if pod contains any hostProcess containers"
        errors.append(invalid_value(f"{path}.hostNetwork", False, words))

"""Names of resources: which are standard, which are counted in whole numbers, which may be overcommitted.

From upstream's `pkg/apis/core/helper/helpers.go` and the name checks of `pkg/apis/core/validation`.
"""

from __future__ import annotations

from tiphys.base.field_error import FieldError, invalid_value
from tiphys.base.name_rules import label_key

HUGE_PAGES = "hugepages-"
REQUESTS = "requests."

_COUNTED = {
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
}
_COMPUTE = {
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
}
_QUOTA = _COUNTED | _COMPUTE | {"requests.storage"}
_STANDARD = _QUOTA | {"storage"}
_CONTAINER = {"cpu", "memory", "ephemeral-storage"}


def is_huge_page(name: str) -> bool:
    return name.startswith(HUGE_PAGES)


def is_standard_quota(name: str) -> bool:
    return name in _QUOTA or name.startswith((HUGE_PAGES, REQUESTS + HUGE_PAGES))


def is_standard_container(name: str) -> bool:
    return name in _CONTAINER or is_huge_page(name)


def is_native(name: str) -> bool:
    """Whether the name is Kubernetes' own: without a domain, or in kubernetes.io."""
    return "/" not in name or "kubernetes.io/" in name


def is_extended(name: str) -> bool:
    """A vendor's resource such as `nvidia.com/gpu`."""
    return not is_native(name) and not name.startswith(REQUESTS) and not label_key(REQUESTS + name)


def is_overcommit_allowed(name: str) -> bool:
    return is_native(name) and not is_huge_page(name)


def is_integer(name: str) -> bool:
    return name in _COUNTED or is_extended(name)


def resource_name_errors(name: str, path: str) -> list[FieldError]:
    """Qualified, and if without a domain then standard (validateResourceName)."""
    errors = [invalid_value(path, name, detail) for detail in label_key(name)]
    if not errors and "/" not in name and name not in _STANDARD and not is_standard_quota(name):
        errors.append(invalid_value(path, name, "must be a standard resource type or fully qualified"))
    return errors


def quota_resource_name_errors(name: str, path: str) -> list[FieldError]:
    """What ResourceQuota accepts (ValidateResourceQuotaResourceName)."""
    errors = resource_name_errors(name, path)
    if "/" not in name and not is_standard_quota(name):
        errors.append(invalid_value(path, name, "must be a standard resource for quota"))
    return errors


def container_resource_name_errors(name: str, path: str) -> list[FieldError]:
    """What a container may ask for (validateContainerResourceName)."""
    errors = resource_name_errors(name, path)
    if "/" not in name:
        if not is_standard_container(name):
            errors.append(invalid_value(path, name, "must be a standard resource for containers"))
    elif not is_native(name) and not is_extended(name):
        errors.append(invalid_value(path, name, "doesn't follow extended resource name standard"))
    return errors

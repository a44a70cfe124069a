"""References to the pod's own fields and to containers' resources, in environments and in downward API volumes."""

from __future__ import annotations

import re

from tiphys.base.document import Document
from tiphys.base.field_error import invalid_value, required, unsupported
from tiphys.base.name_rules import label_key
from tiphys.base.quantity import ZERO, parse
from tiphys.kinds.shapes.field_checks import Errors, by_rule

_SUBSCRIPTED = re.compile(r"(.*)\['(.*)'\]", re.DOTALL)
_WITH_SUBSCRIPT = ("metadata.annotations", "metadata.labels")
_KNOWN = {
    *_WITH_SUBSCRIPT,
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.serviceAccountName",
    "spec.schedulerName",
    "status.phase",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
}
VOLUME_FIELDS = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
RESOURCES = (
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
)
_HUGE_PAGES = ("limits.hugepages-", "requests.hugepages-")
_BYTES = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
_DIVISORS = {
    "cpu": (("1m", "1"), "1m and 1", "cpu"),
    "memory": (_BYTES, ", ".join(_BYTES), "memory"),
    "ephemeral-storage": (_BYTES, ", ".join(_BYTES), "local ephemeral storage"),
    "hugepages": (_BYTES, ", ".join(_BYTES), "hugepages"),
}


def validate_field(reference: Document, allowed: tuple[str, ...], path: str, errors: Errors) -> None:
    """A reference to one of the pod's fields (validateObjectFieldSelector); `allowed` is sorted."""
    for required_field in ("apiVersion", "fieldPath"):
        if not reference.get(required_field):
            errors.append(required(f"{path}.{required_field}"))
            return
    field: str = reference["fieldPath"]
    if complaint := _unreadable(reference["apiVersion"], field):
        words = f"error converting fieldPath: {complaint}"
        errors.append(invalid_value(f"{path}.fieldPath", field, words))
        return
    if found := _SUBSCRIPTED.fullmatch(field):
        key = found[2].lower() if found[1] == "metadata.annotations" else found[2]
        by_rule(label_key, key, path, errors)
    elif _internal(field) not in allowed:
        errors.append(unsupported(f"{path}.fieldPath", _internal(field), allowed))


def _internal(field: str) -> str:
    """`spec.host` is what very old clients called the node's name."""
    return "spec.nodeName" if field == "spec.host" else field


def _unreadable(version: str, field: str) -> str:
    """Why upstream cannot read the path at all (ConvertDownwardAPIFieldLabel); empty if it can."""
    if version != "v1":
        return f"unsupported pod version: {version}"
    if found := _SUBSCRIPTED.fullmatch(field):
        return "" if found[1] in _WITH_SUBSCRIPT else f"field label does not support subscript: {field}"
    return "" if field in _KNOWN or field == "spec.host" else f"field label not supported: {field}"


def validate_resource_field(reference: Document, path: str, errors: Errors, *, in_volume: bool = False) -> None:
    """A reference to a container's request or limit (validateContainerResourceFieldSelector)."""
    resource = reference.get("resource") or ""
    if in_volume and not reference.get("containerName"):
        errors.append(required(f"{path}.containerName"))
    elif not resource:
        errors.append(required(f"{path}.resource"))
    elif resource not in RESOURCES and not resource.startswith(_HUGE_PAGES):
        errors.append(unsupported(f"{path}.resource", resource, RESOURCES))
    _divisor(resource, reference.get("divisor"), path, errors)


def _divisor(resource: str, divisor: str | int | float | None, path: str, errors: Errors) -> None:
    try:
        amount = parse(divisor) if divisor is not None else ZERO
    except ValueError:
        return  # the type check has refused it already
    name = "hugepages" if resource.startswith(_HUGE_PAGES) else resource.partition(".")[2]
    if amount.is_zero or name not in _DIVISORS:
        return
    allowed, shown, kind = _DIVISORS[name]
    if str(amount) not in allowed:
        words = f"only divisor's values {shown} are supported with the {kind} resource"
        errors.append(invalid_value(f"{path}.divisor", resource, words))

"""LimitRange: defaults, bounds and ratios for the containers, pods and claims of a namespace.

From upstream's `pkg/apis/core/v1/defaults.go` and `ValidateLimitRange`. The limits themselves are applied by
the admission plugin LimitRanger.
"""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.api.kind import Context, Kind
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, duplicate, forbidden_field, invalid_value, required
from tiphys.base.name_rules import label_key
from tiphys.base.quantity import Quantity, from_value
from tiphys.kinds.shapes.columns import CREATED_AT
from tiphys.kinds.shapes.resource_list import default_resource_list, quantities
from tiphys.kinds.shapes.resource_name import (
    container_resource_name_errors,
    is_overcommit_allowed,
    resource_name_errors,
)

_LISTS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
_TYPES = {"Pod", "Container", "PersistentVolumeClaim"}
_ONE = from_value(1)
_MAX_MILLI = (2**63 - 1) // 1000

Lists = dict[str, dict[str, Quantity]]


def default(document: Document, context: Context) -> None:
    """Canonical quantities, and for containers the defaults that follow from max and min."""
    for item in _items(document):
        for name in _LISTS:
            default_resource_list(item, name)
        if item.get("type") == "Container":
            _default_container(item)


def _items(document: Document) -> Sequence[Document]:
    limits: Sequence[Document] = (document.get("spec") or {}).get("limits") or ()
    return limits


def _default_container(item: Document) -> None:
    """Limit from max; request from limit, then from min (SetDefaults_LimitRangeItem)."""
    limits = {**(item.get("max") or {}), **(item.get("default") or {})}
    requests = {**(item.get("min") or {}), **limits, **(item.get("defaultRequest") or {})}
    for name, found in (("default", limits), ("defaultRequest", requests)):
        item.pop(name, None)
        if found:
            item[name] = found


def validate(document: Document, context: Context) -> Sequence[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, item in enumerate(_items(document)):
        path, type_ = f"spec.limits[{index}]", item.get("type") or ""
        errors += _type_errors(type_, f"{path}.type")
        if type_ in seen:
            errors.append(duplicate(f"{path}.type", type_))
        seen.add(type_)
        errors += _item_errors(item, type_, path)
    return errors


def _type_errors(type_: str, path: str) -> list[FieldError]:
    errors = [invalid_value(path, type_, detail) for detail in label_key(type_)]
    if not errors and "/" not in type_ and type_ not in _TYPES:
        errors.append(invalid_value(path, type_, "must be a standard limit type or fully qualified"))
    return errors


def _item_errors(item: Document, type_: str, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    lists: Lists = {name: {} for name in _LISTS}
    for name in _LISTS:
        if type_ == "Pod" and name in ("default", "defaultRequest"):
            if item.get(name):
                errors.append(forbidden_field(f"{path}.{name}", "may not be specified when `type` is 'Pod'"))
            continue
        if name == "maxLimitRequestRatio" and type_ == "PersistentVolumeClaim":
            errors += _storage_errors(item, path)
        lists[name] = quantities(item.get(name))
        errors += _name_errors(type_, item.get(name) or {}, f"{path}.{name}")
    for resource in sorted({resource for found in lists.values() for resource in found}):
        errors += _bound_errors(resource, lists, path)
    return errors


def _storage_errors(item: Document, path: str) -> list[FieldError]:
    if "storage" in (item.get("min") or {}) or "storage" in (item.get("max") or {}):
        return []
    detail = "either minimum or maximum storage value is required, but neither was provided"
    return [required(f"{path}.limits", detail)]


def _name_errors(type_: str, resources: Document, path: str) -> list[FieldError]:
    check = container_resource_name_errors if type_ in ("Pod", "Container") else resource_name_errors
    return [error for name in sorted(resources) for error in check(name, f"{path}[{name}]")]


def _bound_errors(name: str, lists: Lists, path: str) -> list[FieldError]:
    """How one resource's bounds disagree, in upstream's order."""
    low, high = lists["min"].get(name), lists["max"].get(name)
    limit, request = lists["default"].get(name), lists["defaultRequest"].get(name)
    checks = (
        # (lower, higher, list named in the path, value shown, words)
        (low, high, "min", low, "min value {} is greater than max value {}"),
        (low, request, "defaultRequest", request, "min value {} is greater than default request value {}"),
        (request, high, "defaultRequest", request, "default request value {} is greater than max value {}"),
        (
            request,
            limit,
            "defaultRequest",
            request,
            "default request value {} is greater than default limit value {}",
        ),
        (low, limit, "default", low, "min value {} is greater than default value {}"),
        (limit, high, "default", high, "default value {} is greater than max value {}"),
    )
    errors = [
        invalid_value(f"{path}.{where}[{name}]", str(shown), words.format(lower, higher))
        for lower, higher, where, shown, words in checks
        if lower is not None and higher is not None and lower > higher
    ]
    errors += _ratio_errors(
        lists["maxLimitRequestRatio"].get(name), low, high, f"{path}.maxLimitRequestRatio[{name}]"
    )
    if limit is not None and request is not None and limit != request and not is_overcommit_allowed(name):
        detail = f"default value {limit} must equal to defaultRequest value {request} in {name}"
        errors.append(invalid_value(f"{path}.defaultRequest[{name}]", str(request), detail))
    return errors


def _ratio_errors(ratio: Quantity | None, low: Quantity | None, high: Quantity | None, path: str) -> list[FieldError]:
    """At least 1, and no more than max and min allow anyway."""
    if ratio is None:
        return []
    errors = [invalid_value(path, str(ratio), f"ratio {ratio} is less than 1")] if ratio < _ONE else []
    if low is None or high is None:
        return errors
    if all(quantity.value < _MAX_MILLI for quantity in (ratio, low, high)):
        asked, least, most = ratio.milli_value / 1000, low.milli_value, high.milli_value
    else:
        asked, least, most = float(ratio.value), low.value, high.value
    if least and asked > most / least:
        detail = f"ratio {ratio} is greater than max/min = {most / least:f}"
        errors.append(invalid_value(path, str(ratio), detail))
    return errors


def validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    return validate(new, context)


KIND = Kind(
    kind="LimitRange",
    plural="limitranges",
    short_names=("limits",),
    columns=(CREATED_AT,),
    has_generation=False,
    default=default,
    validate=validate,
    validate_update=validate_update,
)

"""ResourceQuota: how much a namespace may use in all.

From upstream's `ValidateResourceQuota` and `printResourceQuota`; what is used is counted by the admission
plugin and the controller of the same name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from tiphys.api.kind import STATUS, Column, Context, Kind
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, invalid_value, required
from tiphys.kinds.shapes.columns import AGE, at
from tiphys.kinds.shapes.part import part
from tiphys.kinds.shapes.resource_list import default_resource_list, quantities, quantity_errors
from tiphys.kinds.shapes.resource_name import is_standard_quota, quota_resource_name_errors

IMMUTABLE = "field is immutable"

_PODS = {"pods"}
_POD_COMPUTE = {"cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"}
_STORAGE = {"persistentvolumeclaims", "requests.storage"}
_EXISTS_ONLY = ("Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "CrossNamespacePodAffinity")
_SCOPES: dict[str, set[str]] = {
    "Terminating": _PODS | _POD_COMPUTE,
    "NotTerminating": _PODS | _POD_COMPUTE,
    "NotBestEffort": _PODS | _POD_COMPUTE,
    "PriorityClass": _PODS | _POD_COMPUTE,
    "CrossNamespacePodAffinity": _PODS | _POD_COMPUTE,
    "BestEffort": _PODS,
    "VolumeAttributesClass": _STORAGE,
}
"""The standard resources a quota with the scope may name (IsResourceQuotaScopeValidForResource)."""
_CONFLICTS = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})
_VOLUME_ATTRIBUTES_SINCE = 34


def default(document: Document, context: Context) -> None:
    """Canonical quantities."""
    spec = part(document, "spec")
    default_resource_list(spec, "hard")
    status = part(document, "status")
    default_resource_list(status, "hard")
    default_resource_list(status, "used")


def validate(document: Document, context: Context) -> Sequence[FieldError]:
    spec = document.get("spec") or {}
    return [
        *_list_errors(spec.get("hard"), "spec.hard"),
        *_scope_errors(spec, context.minor),
        *_selector_errors(spec, context.minor),
        *validate_status(document, document, context),
    ]


def _list_errors(resources: Mapping[str, Any] | None, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    found = quantities(resources)
    for name in sorted(resources or ()):
        errors += quota_resource_name_errors(name, f"{path}[{name}]")
        if name in found:
            errors += quantity_errors(name, found[name], f"{path}[{name}]")
    return errors


def _is_scope(name: str, minor: int) -> bool:
    return name in _SCOPES and (name != "VolumeAttributesClass" or minor >= _VOLUME_ATTRIBUTES_SINCE)


def _misapplied(scope: str, spec: Document) -> int:
    """How many of the standard resources the scope cannot limit."""
    if scope not in _SCOPES:
        return 0
    return sum(is_standard_quota(name) and name not in _SCOPES[scope] for name in spec.get("hard") or ())


def _scope_errors(spec: Document, minor: int) -> list[FieldError]:
    path, scopes = "spec.scopes", spec.get("scopes") or []
    errors: list[FieldError] = []
    for scope in scopes:
        if not _is_scope(scope, minor):
            errors.append(invalid_value(path, scopes, "unsupported scope"))
        errors += [invalid_value(path, scopes, "unsupported scope applied to resource")] * _misapplied(scope, spec)
    return errors + _conflict_errors(set(scopes), path, scopes)


def _conflict_errors(found: set[str], path: str, shown: Any) -> list[FieldError]:
    return [invalid_value(path, shown, "conflicting scopes") for pair in _CONFLICTS if pair <= found]


def _selector_errors(spec: Document, minor: int) -> list[FieldError]:
    """The match expressions (validateScopedResourceSelectorRequirement)."""
    expressions = (spec.get("scopeSelector") or {}).get("matchExpressions") or []
    path = "spec.scopeSelector.matchExpressions"
    errors: list[FieldError] = []
    shown: Any = None
    for expression in expressions:
        scope = expression.get("scopeName") or ""
        if not _is_scope(scope, minor):
            errors.append(invalid_value(f"{path}.scopeName", scope, "unsupported scope"))
        misapplied = _misapplied(scope, spec)
        if misapplied:
            shown = shown or _as_go(expressions)
            errors += [invalid_value(path, shown, "unsupported scope applied to resource")] * misapplied
        errors += _expression_errors(expression, scope, path)
    names = {expression.get("scopeName") or "" for expression in expressions}
    return errors + _conflict_errors(names, path, spec.get("scopes"))


def _expression_errors(expression: Document, scope: str, path: str) -> list[FieldError]:
    operator, values = expression.get("operator") or "", expression.get("values") or []
    errors: list[FieldError] = []
    if scope in _EXISTS_ONLY and operator != "Exists":
        detail = (
            "must be 'Exist' only operator when scope is any of ResourceQuotaScopeTerminating, "
            "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
            "ResourceQuotaScopeCrossNamespacePodAffinity"
        )
        errors.append(invalid_value(f"{path}.operator", operator, detail))
    if operator in ("In", "NotIn"):
        if not values:
            detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            errors.append(required(f"{path}.values", detail))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
            errors.append(invalid_value(f"{path}.values", values, detail))
    else:
        errors.append(invalid_value(f"{path}.operator", operator, "not a valid selector operator"))
    return errors


def _as_go(expressions: Sequence[Document]) -> orjson.Fragment:
    """The selector as upstream prints it: its internal type, which has Go's field names."""
    shown = [
        {
            "ScopeName": expression.get("scopeName") or "",
            "Operator": expression.get("operator") or "",
            "Values": expression.get("values"),
        }
        for expression in expressions
    ]
    return orjson.Fragment(orjson.dumps({"MatchExpressions": shown}))


def validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    """As on create, and scopes stay as they were."""
    spec = new.get("spec") or {}
    errors = [
        *_list_errors(spec.get("hard"), "spec.hard"),
        *_scope_errors(spec, context.minor),
        *_selector_errors(spec, context.minor),
    ]
    if set(spec.get("scopes") or ()) != set((old.get("spec") or {}).get("scopes") or ()):
        errors.append(invalid_value("spec.scopes", spec.get("scopes"), IMMUTABLE))
    return errors


def validate_status(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    status = new.get("status") or {}
    return [*_list_errors(status.get("hard"), "status.hard"), *_list_errors(status.get("used"), "status.used")]


def _usage(document: Document, limits: bool) -> str:
    used = at(document, "status.used") or {}
    return ", ".join(
        f"{name}: {used.get(name, '0')}/{hard}"
        for name, hard in sorted((at(document, "status.hard") or {}).items())
        if name.startswith("limits.") == limits
    )


_REQUEST = Column(
    "Request",
    lambda document, now: _usage(document, False),
    description="Request represents a minimum amount of cpu/memory that a container may consume.",
)
_LIMIT = Column(
    "Limit",
    lambda document, now: _usage(document, True),
    description=(
        "Limits control the maximum amount of cpu/memory that a container may use independent of contention "
        "on the node."
    ),
)
_AGE_FIRST_UNTIL = 32

KIND = Kind(
    kind="ResourceQuota",
    plural="resourcequotas",
    short_names=("quota",),
    subresources=(STATUS,),
    columns=(
        Column("Age", AGE.cell, description=AGE.description, until=_AGE_FIRST_UNTIL),
        _REQUEST,
        _LIMIT,
        Column("Age", AGE.cell, description=AGE.description, since=_AGE_FIRST_UNTIL + 1),
    ),
    has_generation=False,
    default=default,
    validate=validate,
    validate_update=validate_update,
    validate_status=validate_status,
    returns_object_on_delete=True,
)

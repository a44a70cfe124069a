"""Requests and limits (validateResourceRequirements): real resources, sound amounts, requests within limits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any

from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, duplicate, forbidden_field, invalid_value, required
from tiphys.base.quantity import Quantity, parse
from tiphys.kinds.shapes.field_checks import Errors, dns_label
from tiphys.kinds.shapes.resource_list import quantity_errors
from tiphys.kinds.shapes.resource_name import (
    HUGE_PAGES,
    container_resource_name_errors,
    is_huge_page,
    is_overcommit_allowed,
)

NameRule = Callable[[str, str], list[FieldError]]

_PLAIN = ("cpu", "memory")


def validate_requirements(
    resources: Document,
    path: str,
    claims: Collection[str],
    errors: Errors,
    name_rule: NameRule = container_resource_name_errors,
) -> None:
    """`claims` are the names of the pod's resource claims. About 1.5 µs for cpu and memory."""
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for name, amount in limits.items():
        _amount(name, amount, f"{path}.limits[{name}]", name_rule, errors)
    for name, amount in requests.items():
        _amount(name, amount, f"{path}.requests[{name}]", name_rule, errors)
        _within_limit(name, amount, limits, path, errors)
    used = limits.keys() | requests.keys()
    if used and not used & {*_PLAIN} and any(map(is_huge_page, used)):
        errors.append(forbidden_field(path, "HugePages require cpu or memory"))
    if resources.get("claims"):
        _claims(resources["claims"], f"{path}.claims", claims, errors)


def quantity(amount: Any) -> Quantity | None:
    """The amount; None for what is no quantity, which the type check has refused already."""
    try:
        return parse(amount)
    except ValueError:
        return None


def _amount(name: str, amount: Any, path: str, name_rule: NameRule, errors: Errors) -> None:
    parsed = quantity(amount)
    if name in _PLAIN and parsed is not None and parsed.sign >= 0:
        return  # nearly every resource of every pod
    errors.extend(name_rule(name, path))
    if parsed is None:
        return
    errors.extend(quantity_errors(name, parsed, path))
    if is_huge_page(name) and not _divides(name, str(parsed)):
        words = f"{parsed} is not positive integer multiple of {name}"
        errors.append(invalid_value(path, str(parsed), words))


@lru_cache(maxsize=256)
def _divides(name: str, amount: str) -> bool:
    """Whether an amount of huge pages is whole pages (IsHugePageResourceValueDivisible)."""
    page, total = quantity(name.removeprefix(HUGE_PAGES)), quantity(amount)
    if page is None or total is None or page.sign <= 0 or page.nanos % 10**9:
        return False
    return total.value % page.value == 0


def _within_limit(name: str, amount: Any, limits: Mapping[str, Any], path: str, errors: Errors) -> None:
    if name not in limits:
        if not is_overcommit_allowed(name):
            words = "Limit must be set for non overcommitable resources"
            errors.append(required(f"{path}.limits", words))
        return
    asked, limit = quantity(amount), quantity(limits[name])
    if asked is None or limit is None or asked == limit:
        return
    if not is_overcommit_allowed(name):
        words = f"must be equal to {name} limit of {limit}"
        errors.append(invalid_value(f"{path}.requests", str(asked), words))
    elif asked > limit:
        words = f"must be less than or equal to {name} limit of {limit}"
        errors.append(invalid_value(f"{path}.requests", str(asked), words))


def _claims(claims: list[Document], path: str, known: Collection[str], errors: Errors) -> None:
    """Devices a container uses, by the names the pod gave their claims (validateResourceClaimNames)."""
    seen: set[str] = set()
    for index, claim in enumerate(claims):
        here, name = f"{path}[{index}]", claim.get("name") or ""
        if not name:
            errors.append(required(here))
            continue
        _unique_claim(name, claim.get("request") or "", here, seen, errors)
        if name not in known:
            words = "must be one of the names in pod.spec.resourceClaims"
            words += f": {', '.join(sorted(known))}" if known else " which is empty"
            errors.append(FieldError("FieldValueNotFound", here, name, words))


def _unique_claim(name: str, request: str, path: str, seen: set[str], errors: Errors) -> None:
    if name in seen:
        errors.append(duplicate(path, name))
        return
    if request:
        dns_label(request, f"{path}.request", errors)
    key = f"{name}/{request}" if request else name
    if key in seen:
        errors.append(duplicate(path, key))
    elif not request:
        errors.extend(duplicate(path, name) for each in sorted(seen) if each.partition("/")[0] == name)
    seen.add(key)

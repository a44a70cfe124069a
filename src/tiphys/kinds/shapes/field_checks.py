"""The small checks every validation is made of: each adds what is wrong at one path to a list of errors."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Iterable
from typing import Any

from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, invalid_value
from tiphys.base.name_rules import Rule, dns1123_label, dns1123_subdomain, in_range

Errors = list[FieldError]

NEGATIVE = "must be greater than or equal to 0"
NOT_POSITIVE = "must be greater than zero"
NOT_INTEGER = "must be an integer"
IMMUTABLE = "field is immutable"
MAX_INT32 = 2**31 - 1


def by_rule(rule: Rule, value: str, path: str, errors: Errors) -> None:
    """`value` must satisfy a name rule."""
    errors.extend(invalid_value(path, value, complaint) for complaint in rule(value))


def dns_label(value: str, path: str, errors: Errors) -> None:
    by_rule(dns1123_label, value, path, errors)


def dns_subdomain(value: str, path: str, errors: Errors) -> None:
    by_rule(dns1123_subdomain, value, path, errors)


def nonnegative(parent: Document, name: str, path: str, errors: Errors) -> None:
    """The number `parent[name]`, if set, must not be below zero (ValidateNonnegativeField)."""
    value = parent.get(name)
    if value is not None and value < 0:
        errors.append(invalid_value(f"{path}.{name}", value, NEGATIVE))


def all_nonnegative(parent: Document, names: Iterable[str], path: str, errors: Errors) -> None:
    for name in names:
        nonnegative(parent, name, path, errors)


def not_above(status: Document, names: Iterable[str], limit: str, words: str, path: str, errors: Errors) -> None:
    """Counts of a status that may not exceed another: `readyReplicas` and `replicas`."""
    for name in names:
        value = status.get(name) or 0
        if value > (status.get(limit) or 0):
            errors.append(invalid_value(f"{path}.{name}", value, words))


def repeats(values: Iterable[Hashable]) -> list[int]:
    """Where values stand that came before."""
    seen: set[Hashable] = set()
    found = []
    for index, value in enumerate(values):
        if value in seen:
            found.append(index)
        seen.add(value)
    return found


def not_decremented(new: Document, old: Document, name: str, path: str, errors: Errors) -> None:
    """A counter that may only grow; dropping it counts as going back (IsDecremented)."""
    before, after = old.get(name), new.get(name)
    if before is not None and (after is None or after < before):
        errors.append(invalid_value(f"{path}.{name}", after or 0, "cannot be decremented"))


def unix_id(value: int | None, path: str, errors: Errors) -> None:
    """A user or group id (IsValidUserID, IsValidGroupID)."""
    if value is not None and not 0 <= value <= MAX_INT32:
        errors.append(invalid_value(path, value, in_range(0, MAX_INT32)))


def immutable(new: Any, old: Any, path: str, errors: Errors, shown: Any = None) -> None:
    """The field may not change; `shown` is how the new value is printed when not as JSON."""
    if not same(new, old):
        errors.append(invalid_value(path, new if shown is None else shown, IMMUTABLE))


def same(new: Any, old: Any) -> bool:
    """Equal as upstream compares: empty and missing lists, maps and values are the same (Semantic.DeepEqual)."""
    if new == old:
        return True
    if isinstance(new, dict) or isinstance(old, dict):
        return _same_maps(new or {}, old or {})
    if isinstance(new, list) and isinstance(old, list):
        return len(new) == len(old) and all(map(same, new, old))
    return not new and not old


def _same_maps(new: Any, old: Any) -> bool:
    if not isinstance(new, dict) or not isinstance(old, dict):
        return False
    return all(same(new.get(key), old.get(key)) for key in new.keys() | old.keys())


def clone(document: Document) -> Document:
    """A copy that may be changed without touching the original."""
    return copy.deepcopy(document)

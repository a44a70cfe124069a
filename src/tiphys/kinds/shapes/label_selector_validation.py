"""Labels and label selectors in specs (apimachinery `apis/meta/v1/validation`)."""

from __future__ import annotations

from collections.abc import Mapping

from tiphys.base.document import Document
from tiphys.base.field_error import forbidden_field, invalid_value, required
from tiphys.base.name_rules import label_key, label_value
from tiphys.kinds.shapes.field_checks import Errors, by_rule


def label_name(key: str, path: str, errors: Errors) -> None:
    """A label's key (ValidateLabelName)."""
    by_rule(label_key, key, path, errors)


def labels(found: Mapping[str, str] | None, path: str, errors: Errors) -> None:
    """Every key and value of a map of labels, at the map's own path (ValidateLabels)."""
    if found:
        for key, value in found.items():
            by_rule(label_key, key, path, errors)
            by_rule(label_value, value, path, errors)


def label_selector(selector: Document | None, path: str, errors: Errors, *, any_value: bool = False) -> None:
    """A LabelSelector; `any_value` lets label values pass unchecked (ValidateLabelSelector)."""
    if not selector:
        return
    labels(selector.get("matchLabels"), f"{path}.matchLabels", errors)
    for index, requirement in enumerate(selector.get("matchExpressions") or ()):
        _requirement(requirement, f"{path}.matchExpressions[{index}]", errors, any_value)


def _requirement(requirement: Document, path: str, errors: Errors, any_value: bool) -> None:
    operator, values = requirement.get("operator") or "", requirement.get("values") or ()
    if operator in ("In", "NotIn"):
        if not values:
            errors.append(required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            words = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            errors.append(forbidden_field(f"{path}.values", words))
    else:
        errors.append(invalid_value(f"{path}.operator", operator, "not a valid selector operator"))
    label_name(requirement.get("key") or "", f"{path}.key", errors)
    if not any_value:
        for index, value in enumerate(values):
            by_rule(label_value, value, f"{path}.values[{index}]", errors)


def is_well_formed(selector: Document) -> bool:
    """Whether upstream can make a selector of it (no error from LabelSelectorAsSelector)."""
    errors: Errors = []
    label_selector(selector, "", errors)
    return not errors


def is_empty(selector: Document | None) -> bool:
    return not selector or not (selector.get("matchLabels") or selector.get("matchExpressions"))


def matches(selector: Document | None, found: Mapping[str, str] | None) -> bool:
    """Whether a well-formed LabelSelector selects these labels; an absent one selects nothing."""
    if selector is None:
        return False
    have = found or {}
    wanted: Mapping[str, str] = selector.get("matchLabels") or {}
    return all(have.get(key) == value for key, value in wanted.items()) and all(
        _meets(requirement, have) for requirement in selector.get("matchExpressions") or ()
    )


def _meets(requirement: Document, have: Mapping[str, str]) -> bool:
    key, operator = requirement.get("key") or "", requirement.get("operator")
    if operator == "Exists":
        return key in have
    if operator == "DoesNotExist":
        return key not in have
    listed = have.get(key) in (requirement.get("values") or ())
    return listed if operator == "In" else not (key in have and listed)

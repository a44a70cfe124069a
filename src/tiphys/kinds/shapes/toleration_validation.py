"""Tolerations of taints (ValidateTolerations)."""

from __future__ import annotations

from tiphys.base.document import Document
from tiphys.base.field_error import forbidden_field, invalid_value, unsupported
from tiphys.base.name_rules import label_value
from tiphys.kinds.shapes.field_checks import Errors
from tiphys.kinds.shapes.label_selector_validation import label_name

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
OPERATORS = ("Equal", "Exists")
_ALL = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'


def validate_tolerations(tolerations: list[Document], path: str, errors: Errors) -> None:
    for index, toleration in enumerate(tolerations):
        _toleration(toleration, f"{path}[{index}]", errors)


def _toleration(toleration: Document, path: str, errors: Errors) -> None:
    key, operator = toleration.get("key") or "", toleration.get("operator") or ""
    effect, value = toleration.get("effect") or "", toleration.get("value") or ""
    if key:
        label_name(key, f"{path}.key", errors)
    elif operator != "Exists":
        errors.append(invalid_value(f"{path}.operator", operator, _ALL))
    if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
        words = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        errors.append(invalid_value(f"{path}.effect", effect, words))
    _value(operator, value, f"{path}.operator", errors)
    if effect and effect not in EFFECTS:
        errors.append(unsupported(f"{path}.effect", effect, EFFECTS))


def _value(operator: str, value: str, path: str, errors: Errors) -> None:
    if operator in ("Equal", ""):
        if complaints := label_value(value):
            errors.append(invalid_value(path, value, ";".join(complaints)))
    elif operator == "Exists":
        if value:
            errors.append(invalid_value(path, value, "value must be empty when `operator` is 'Exists'"))
    else:
        errors.append(unsupported(path, operator, OPERATORS))


def only_added_tolerations(new: list[Document], old: list[Document], path: str, errors: Errors) -> None:
    """A running pod may gain tolerations; of those it has only the seconds may change."""
    if not {_but_seconds(each) for each in old} <= {_but_seconds(each) for each in new}:
        errors.append(forbidden_field(path, "existing toleration can not be modified except its tolerationSeconds"))
        return
    validate_tolerations(new, path, errors)


def _but_seconds(toleration: Document) -> frozenset[tuple[str, str]]:
    """What makes two tolerations the same one; an empty value is none."""
    return frozenset((key, value) for key, value in toleration.items() if value and key != "tolerationSeconds")

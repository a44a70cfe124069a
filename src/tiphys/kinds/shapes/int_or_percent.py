"""Numbers that may be given as a percentage: surges, disruption budgets (pkg/apis/apps/validation)."""

from __future__ import annotations

import re

from tiphys.base.field_error import invalid_value
from tiphys.base.name_rules import percent
from tiphys.kinds.shapes import go_syntax
from tiphys.kinds.shapes.field_checks import NEGATIVE, Errors

_PERCENT = re.compile("[0-9]+%")


def positive_int_or_percent(value: int | str, path: str, minor: int, errors: Errors) -> None:
    """Zero or more, or a string such as `25%` (ValidatePositiveIntOrPercent)."""
    if isinstance(value, str):
        shown = go_syntax.int_or_string(value, minor)
        errors.extend(invalid_value(path, shown, complaint) for complaint in percent(value))
    elif value < 0:
        errors.append(invalid_value(path, value, NEGATIVE))


def at_most_100_percent(value: int | str, path: str, minor: int, errors: Errors) -> None:
    """A percentage may not exceed 100 (IsNotMoreThan100Percent)."""
    if isinstance(value, str) and _PERCENT.fullmatch(value) and _digits(value[:-1]) > 100:
        shown = go_syntax.int_or_string(value, minor)
        errors.append(invalid_value(path, shown, "must not be greater than 100%"))


def amount(value: int | str | None) -> int:
    """The number or the percentage's number; 0 for anything else (getIntOrPercentValue)."""
    if isinstance(value, str):
        if _PERCENT.fullmatch(value):
            return _digits(value[:-1])
        return int(value) if re.fullmatch("-?[0-9]{1,18}", value) else 0
    return value or 0


def _digits(text: str) -> int:
    """The number, cut after 18 digits: Python refuses to parse thousands, and over 100 is all anybody asks."""
    return int(text.lstrip("0")[:18] or "0")

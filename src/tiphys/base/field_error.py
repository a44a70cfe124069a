"""Field errors, worded as apimachinery `util/validation/field` words them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from tiphys.base.document import Document

_WORDS = {
    "FieldValueNotFound": "Not found",
    "FieldValueRequired": "Required value",
    "FieldValueDuplicate": "Duplicate value",
    "FieldValueInvalid": "Invalid value",
    "FieldValueNotSupported": "Unsupported value",
    "FieldValueForbidden": "Forbidden",
    "FieldValueTooLong": "Too long",
    "FieldValueTooMany": "Too many",
    "InternalError": "Internal error",
    "FieldValueTypeInvalid": "Invalid value",
}
_WITHOUT_VALUE = {"FieldValueRequired", "FieldValueForbidden", "FieldValueTooLong", "InternalError"}


@dataclass(frozen=True, slots=True)
class Verbatim:
    """A value already written as upstream prints it, where that is neither a plain value nor its JSON."""

    text: str


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong at one field; `str()` of it is upstream's text, `cause()` upstream's StatusCause."""

    reason: str
    path: str
    value: Any
    detail: str

    def body(self) -> str:
        """The text without the path, as a StatusCause carries it."""
        words = _WORDS[self.reason]
        if self.reason not in _WITHOUT_VALUE and not (
            self.reason == "FieldValueTooMany" and isinstance(self.value, int) is False
        ):
            words = f"{words}: {_show(self.value)}"
        return f"{words}: {self.detail}" if self.detail else words

    def __str__(self) -> str:
        return f"{self.path}: {self.body()}"

    def cause(self) -> Document:
        return {"reason": self.reason, "message": self.body(), "field": self.path}


MAX_TOLD = 1000
"""Errors told in one refusal. Upstream tells all; ours, as each may show the whole list that it is about."""
MAX_TOLD_SIZE = 1 << 20
"""Characters of their texts, beyond which no further one is told."""


def within_bounds(errors: Sequence[FieldError]) -> tuple[list[FieldError], int]:
    """The errors to tell, and how many are left out. The first one is always told."""
    size = 0
    for index, error in enumerate(errors[:MAX_TOLD]):
        if size > MAX_TOLD_SIZE:
            return list(errors[:index]), len(errors) - index
        size += len(error.detail) + len(error.path) + (len(_show(error.value)) if error.value else 0)
    return list(errors[:MAX_TOLD]), max(0, len(errors) - MAX_TOLD)


def unique(errors: Iterable[FieldError]) -> list[FieldError]:
    """The errors without repetition; beyond the bounds of what is told they are taken as they are."""
    found: dict[str, FieldError] = {}
    rest: list[FieldError] = []
    size = 0
    for error in errors:
        if size > MAX_TOLD_SIZE or len(found) > MAX_TOLD:
            rest.append(error)
            continue
        text = str(error)
        size += len(text)
        found[text] = error
    return [*found.values(), *rest]


def _show(value: Any) -> str:
    if isinstance(value, Verbatim):
        return value.text
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, (int, float)):
        return str(value)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def quoted(text: str) -> str:
    """A Go %q string: quotes and backslashes escaped."""
    return orjson.dumps(text).decode()


def required(path: str, detail: str = "") -> FieldError:
    return FieldError("FieldValueRequired", path, "", detail)


def invalid_value(path: str, value: Any, detail: str) -> FieldError:
    return FieldError("FieldValueInvalid", path, value, detail)


def type_invalid(path: str, value: Any, detail: str) -> FieldError:
    return FieldError("FieldValueTypeInvalid", path, value, detail)


def duplicate(path: str, value: Any) -> FieldError:
    return FieldError("FieldValueDuplicate", path, value, "")


def not_found_value(path: str, value: Any) -> FieldError:
    return FieldError("FieldValueNotFound", path, value, "")


def unsupported(path: str, value: Any, supported: Iterable[str]) -> FieldError:
    """Supported values are quoted and joined by a comma, in the order given; a set is sorted (field.NotSupported)."""
    ordered = sorted(supported) if isinstance(supported, (set, frozenset)) else supported
    choices = ", ".join(quoted(choice) for choice in ordered)
    return FieldError("FieldValueNotSupported", path, value, f"supported values: {choices}" if choices else "")


def forbidden_field(path: str, detail: str) -> FieldError:
    return FieldError("FieldValueForbidden", path, "", detail)


def too_long(path: str, value: Any, maximum: int) -> FieldError:
    detail = "" if maximum < 0 else f"may not be more than {maximum} bytes"
    return FieldError("FieldValueTooLong", path, value, detail)


def too_many(path: str, actual: int, maximum: int) -> FieldError:
    return FieldError("FieldValueTooMany", path, actual, f"must have at most {maximum} items")

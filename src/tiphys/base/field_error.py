"""Field errors, worded as apimachinery `util/validation/field` words them."""

from __future__ import annotations

from collections.abc import Iterable
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

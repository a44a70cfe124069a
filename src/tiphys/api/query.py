"""Query parameters, read as upstream's parameter codec reads them (apimachinery `runtime/conversion.go`)."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

from tiphys.base.field_error import quoted
from tiphys.base.status import bad_request

_INT64 = 1 << 63
_SIGNED = re.compile("[+-]?[0-9]+")
_UNSIGNED = re.compile("[0-9]+")


class Query:
    """The parameters of one request, decoded once. Readers raise StatusError 400 in Go's `strconv` words."""

    __slots__ = ("_values",)

    def __init__(self, raw: str) -> None:
        self._values: dict[str, list[str]] = parse_qs(raw, keep_blank_values=True) if raw else {}

    def __bool__(self) -> bool:
        return bool(self._values)

    def texts(self, name: str) -> list[str]:
        return self._values.get(name, [])

    def text(self, name: str) -> str:
        values = self._values.get(name)
        return values[0] if values else ""

    def integer(self, name: str) -> int | None:
        """A 64-bit number, None when the parameter is absent; an empty value is wrong."""
        values = self._values.get(name)
        return parse_int(values[0]) if values else None

    def boolean(self, name: str) -> bool | None:
        """None when absent; only `0` and `false` in any case are false (runtime.Convert_Slice_string_To_bool)."""
        values = self._values.get(name)
        return values[0] != "0" and values[0].lower() != "false" if values else None


def parse_int(text: str) -> int:
    """strconv.ParseInt(text, 10, 64). Raises StatusError 400."""
    if not _SIGNED.fullmatch(text):
        raise bad_request(f"strconv.ParseInt: parsing {quoted(text)}: invalid syntax")
    if len(text) > 20 or not -_INT64 <= int(text) < _INT64:
        raise bad_request(f"strconv.ParseInt: parsing {quoted(text)}: value out of range")
    return int(text)


def unsigned_complaint(text: str) -> str:
    """What strconv.ParseUint(text, 10, 64) would say, empty when it would take the text."""
    if not _UNSIGNED.fullmatch(text):
        return f"strconv.ParseUint: parsing {quoted(text)}: invalid syntax"
    if len(text) > 20 or int(text) >= 2 * _INT64:
        return f"strconv.ParseUint: parsing {quoted(text)}: value out of range"
    return ""

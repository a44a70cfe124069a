"""Where a careful read of a body stands, and what it has found: upstream's errors need both.

Follows sigs.k8s.io/json `decode.go`. A wrong type is *saved*: reading goes on, and the first one saved is told at the
end. What a type's own UnmarshalJSON refuses (quantities, times) is *fatal* and told at once, even over a saved one.
Unknown and duplicate fields are told only if there is neither.
"""

from __future__ import annotations

from typing import Any

from tiphys.schema.go_value import quote

MAX_STRICT_ERRORS = 100
"""saveStrictError keeps no more."""


class Pairs(list[tuple[str, Any]]):
    """A JSON object as read: its pairs in the order of the text, duplicates and all."""


class Number(str):
    """A JSON number as written: upstream quotes it in errors (`number 3.50`)."""


class Refused(Exception):
    """The body does not fit; the text is Go's error without the frame the handler puts around it."""


class Walk:
    """The place (Go's field stack and the strict path) and the findings of one read."""

    def __init__(self) -> None:
        self.struct = ""
        self.fields: list[str] = []
        self.path: list[str] = []
        self.saved: str | None = None
        self.strict: list[str] = []

    def enter(self, struct: str, field: str) -> None:
        self.struct = struct
        self.fields.append(field)
        self.path.append(f".{field}" if self.path else field)

    def leave(self, struct: str) -> None:
        self.struct = struct
        self.fields.pop()
        self.path.pop()

    def enter_key(self, key: str) -> None:
        self.path.append(f".{key}" if self.path else key)

    def enter_index(self, index: int) -> None:
        self.path.append(f"[{index}]")

    def leave_item(self) -> None:
        self.path.pop()

    def mismatch(self, value: Any, go_type: str) -> None:
        """A value of the wrong JSON type for `go_type` (UnmarshalTypeError, saved)."""
        if self.saved is None:
            self.saved = self.type_error(json_kind(value), go_type)

    def type_error(self, found: str, go_type: str) -> str:
        """UnmarshalTypeError's text; `found` is as `json_kind` says."""
        place = f"struct field {self.struct}.{'.'.join(self.fields)}" if self.fields else "value"
        return f"json: cannot unmarshal {found} into Go {place} of type {go_type}"

    def save(self, text: str) -> None:
        if self.saved is None:
            self.saved = text

    def unknown(self, field: str) -> None:
        self._strict("unknown", field)

    def duplicate(self, field: str) -> None:
        self._strict("duplicate", field)

    def _strict(self, what: str, field: str) -> None:
        path = "".join(self.path)
        text = f"{what} field {quote(f'{path}.{field}' if path else field)}"
        if len(self.strict) < MAX_STRICT_ERRORS and text not in self.strict:
            self.strict.append(text)


def json_kind(value: Any) -> str:
    """How Go names the JSON type of a value from the careful parser."""
    if isinstance(value, Pairs):
        return "object"
    if isinstance(value, list):
        return "array"
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, Number) else "string"

"""JSON files read as Go programs read them into their structs, with Go's complaints (`encoding/json`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tiphys.pki.pki_error import PkiError

_PLACES = {
    "Expecting value": "looking for beginning of value",
    "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
    "Expecting ',' delimiter": "after object key:value pair",
    "Expecting ':' delimiter": "after object key",
    "Extra data": "after top-level value",
}
_GO_TYPES = {str: "string", int: "int", bool: "bool"}


def load(data: bytes) -> Any:
    """Raises PkiError for what is no JSON."""
    try:
        text = data.decode("utf-8", "replace")
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = _PLACES.get(error.msg)
        if error.pos >= len(text.rstrip()) or place is None:
            raise PkiError("unexpected end of JSON input") from None
        raise PkiError(f"invalid character {text[error.pos]!r} {place}") from None
    except RecursionError:
        raise PkiError("exceeded max depth") from None


@dataclass(frozen=True, slots=True)
class Struct:
    """An object, the name of the Go struct it is read into and the path to it; fields that are null are unset."""

    fields: dict[str, Any]
    name: str
    path: tuple[str, ...] = ()

    @classmethod
    def of(cls, value: Any, name: str, path: tuple[str, ...] = (), package: str = "") -> Struct:
        """Raises PkiError for a value that is no object."""
        if value is None:
            return cls({}, name, path)
        if not isinstance(value, dict):
            field = f"Go struct field {name}.{'.'.join(path)}" if path else "Go value"
            raise PkiError(f"json: cannot unmarshal {_kind(value)} into {field} of type {package}{name}")
        return cls(value, name, path)

    def text(self, field: str) -> str:
        return self._typed(field, str) or ""

    def number(self, field: str) -> int:
        return self._typed(field, int) or 0

    def flag(self, field: str) -> bool:
        return self._typed(field, bool) or False

    def texts(self, field: str) -> list[str]:
        return [self._check(each, field, str) for each in self._list(field, "[]string")]

    def struct(self, field: str, name: str, package: str = "") -> Struct:
        return Struct.of(self.fields.get(field), name, (*self.path, field), package)

    def structs(self, field: str, name: str, package: str = "") -> list[Struct]:
        found = self._list(field, f"[]{package}{name}")
        return [Struct.of(each, name, (*self.path, field), package) for each in found]

    def _list(self, field: str, go_type: str) -> list[Any]:
        value = self.fields.get(field)
        if value is not None and not isinstance(value, list):
            raise self._wrong(value, field, go_type)
        return value or []

    def _typed(self, field: str, wanted: type) -> Any:
        value = self.fields.get(field)
        return None if value is None else self._check(value, field, wanted)

    def _check(self, value: Any, field: str, wanted: type) -> Any:
        if type(value) is not wanted:
            raise self._wrong(value, field, _GO_TYPES[wanted])
        return value

    def _wrong(self, value: Any, field: str, go_type: str) -> PkiError:
        where = ".".join((*self.path, field))
        return PkiError(
            f"json: cannot unmarshal {_kind(value)} into Go struct field {self.name}.{where} of type {go_type}"
        )


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "number"
    if isinstance(value, float):
        return f"number {value}"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"

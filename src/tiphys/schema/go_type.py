"""How upstream's Go structs declare a field: what the OpenAPI definitions leave out and the answers show.

Two things follow from a declaration. The *type* is named in errors (`... of type v1.PullPolicy`). A *pointer* is left
out only when nil, any other field with omitempty also when it is empty, and one without omitempty never. Most of it
follows from the schema by rule (`default_declaration`); what does not is in `go_types.json`, which
`scripts/go_types.py` makes from upstream's sources.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from tiphys.base.document import Document
from tiphys.schema.definitions import REF

_PLAIN = {"boolean": "bool", "number": "float64", None: "interface {}"}
_BY_FORMAT = {"byte": "[]uint8", "date-time": "v1.Time"}
_VALUES = {"metadata", "spec", "status"}
"""Structs that are embedded by value by convention, though they are optional."""


@dataclass(frozen=True, slots=True)
class GoField:
    """One declaration. `type` is spelled as reflect prints it, without the pointer's star."""

    type: str
    pointer: bool
    always: bool
    """Without omitempty: written even when empty."""


def schema_type(schema: Document) -> str | None:
    """The JSON type of a schema; `["string", "null"]` counts as string, None means anything."""
    found = schema.get("type")
    return found[0] if isinstance(found, list) else found


def reference(schema: Document) -> str | None:
    """The definition a schema refers to, if it does."""
    found: str | None = schema.get("$ref")
    return found.removeprefix(REF) if found else None


def derived_type(schema: Document) -> str:
    """The Go type a schema suggests: right but for named strings, maps and slices."""
    name = reference(schema)
    if name:
        return ".".join(name.split(".")[-2:])
    kind = schema_type(schema)
    if kind == "array":
        return "[]" + derived_type(schema["items"])
    if kind == "object":
        return "map[string]" + derived_type(schema.get("additionalProperties") or {})
    if kind == "string":
        return _BY_FORMAT.get(schema.get("format", ""), "string")
    if kind == "integer":
        return str(schema.get("format", "int64"))
    return _PLAIN[kind]


def default_declaration(field: str, schema: Document, required: bool) -> str:
    """The declaration to expect by rule: required means no omitempty, an optional struct is a pointer."""
    pointer = "$ref" in schema and not required and field not in _VALUES
    return ("*" if pointer else "") + derived_type(schema) + ("!" if required else "")


def declaration(definition: str, field: str, schema: Document, required: bool) -> GoField:
    """How the Go struct of `definition` declares `field`."""
    written = _table().get(definition, {}).get(field) or default_declaration(field, schema, required)
    return GoField(written.strip("*!"), written.startswith("*"), written.endswith("!"))


@cache
def _table() -> dict[str, dict[str, str]]:
    table: dict[str, Any] = orjson.loads((Path(__file__).parent / "go_types.json").read_bytes())
    return table

"""The numbers that upstream's protobuf gives the fields of each message: facts read from `field_numbers.json`.

The file is made by `scripts/field_numbers.py` and read when the first client speaks protobuf. It maps a definition's
name and a field's JSON name to an entry of up to three words, `5 *[]:Volume GoName`:

- the number, or a path of numbers `2.11` where Go embeds a struct whose fields stand in its parent's JSON;
- the type, after `*` when Go writes it to JSON even when empty (a pointer, or no omitempty), and after `[]` or `map:`
  (of strings to that type) when there are many. `:Volume` is a message of the same package, `@ObjectMeta` of meta/v1,
  `items[]string` a message whose only field `items` is a JSON array; the other words without dots are scalars and
  the types with a JSON form of their own;
- Go's name of the field, as complaints have it, where it is not the JSON name with a capital letter.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import orjson

META = "io.k8s.apimachinery.pkg.apis.meta.v1"
_METADATA = {
    "@ObjectMeta": "ObjectMeta",
    "@ListMeta": "ListMeta",
    ":ObjectMeta": "ObjectMeta",
    ":ListMeta": "ListMeta",
}


@dataclass(frozen=True, slots=True)
class FieldNumber:
    """One entry. `type` is a full definition name or one of the table's words."""

    path: tuple[int, ...]
    type: str
    go_name: str
    kept: bool
    """Written to JSON even when empty."""
    repeated: bool
    mapped: bool


def default_go_name(name: str, type: str) -> str:
    """The Go name to expect by rule: embedded metadata is named by its type."""
    return _METADATA.get(type, "") if name == "metadata" else name[:1].upper() + name[1:]


def fields_of(definition: str) -> dict[str, FieldNumber] | None:
    """The entries of a definition by JSON name; None for a message whose numbers are not known."""
    found = _table().get(definition)
    if found is None:
        return None
    package = definition.rpartition(".")[0]
    return {name: _parse(name, entry, package) for name, entry in found.items()}


def _parse(name: str, entry: str, package: str) -> FieldNumber:
    path, type, *go_name = entry.split(" ")
    given = go_name[0] if go_name else default_go_name(name, type)
    bare = type.lstrip("*")
    repeated, mapped = bare.startswith("[]"), bare.startswith("map:")
    numbers = tuple(map(int, path.split(".")))
    kind = bare.removeprefix("[]") if repeated else bare.removeprefix("map:")
    return FieldNumber(numbers, _full(kind, package), given, type.startswith("*"), repeated, mapped)


def _full(type: str, package: str) -> str:
    if type.startswith(":"):
        return f"{package}.{type[1:]}"
    return f"{META}.{type[1:]}" if type.startswith("@") else type


@cache
def _table() -> dict[str, dict[str, str]]:
    table: dict[str, dict[str, str]] = orjson.loads((Path(__file__).parent / "field_numbers.json").read_bytes())
    return table

"""How strategic merge treats each field: the x-kubernetes-patch-* of the definitions, looked up level by level.

Follows strategicpatch `meta.go` over Go structs, whose words the errors are in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tiphys.base.document import Document
from tiphys.base.status import bad_request
from tiphys.schema.definitions import Definitions
from tiphys.schema.go_type import reference, schema_type
from tiphys.schema.go_value import quote

_KINDS = {"array": "slice", "object": "map", "boolean": "bool", "number": "float64", None: "struct"}
RETAIN_KEYS = "retainKeys"


@dataclass(frozen=True, slots=True)
class PatchMeta:
    """What a field's list or object is merged by. `strategy` is merge, replace or empty."""

    below: Level
    strategy: str
    merge_key: str


@dataclass(frozen=True, slots=True)
class Level:
    """The type that holds the fields looked up: a definition's schema, or one inside it."""

    definitions: Definitions
    schema: Document
    name: str

    def struct(self, key: str) -> PatchMeta:
        """For an object under `key`. Raises StatusError if there is no such field here."""
        field = self._field(key)
        strategies = [s for s in str(field.get("x-kubernetes-patch-strategy", "")).split(",") if s != RETAIN_KEYS]
        merge_key = str(field.get("x-kubernetes-patch-merge-key", ""))
        return PatchMeta(resolve(self.definitions, field), strategies[0] if strategies else "", merge_key)

    def slice(self, key: str) -> PatchMeta:
        """For a list under `key`: as `struct`, but `below` is the element's type."""
        found = self.struct(key)
        items = found.below.schema.get("items")
        if items is None:
            raise bad_request(f"expected slice or array type, but got: {self.kind()}")
        if schema_type(items) == "array":
            raise bad_request("unexpected slice of slice")
        return PatchMeta(resolve(self.definitions, items), found.strategy, found.merge_key)

    def kind(self) -> str:
        """reflect's name for the kind of the type."""
        if "properties" in self.schema:
            return "struct"
        kind = schema_type(self.schema)
        if kind == "integer":
            return str(self.schema.get("format", "int64"))
        return "struct" if self.name and kind == "object" else _KINDS.get(kind, str(kind))

    def _field(self, key: str) -> Document:
        kind = self.kind()
        if kind != "struct":
            raise bad_request(f"merging an object in json but data type is not struct, instead is: {kind}")
        field: Any = self.schema.get("properties", {}).get(key)
        if field is None:
            raise bad_request(f"unable to find api field in struct {self.name} for the json field {quote(key)}")
        found: Document = field
        return found


def resolve(definitions: Definitions, schema: Document) -> Level:
    """The level of a schema, through its reference if it is one."""
    name = reference(schema)
    if name is None:
        return Level(definitions, schema, "")
    return Level(definitions, definitions.raw[name], name.rsplit(".", 1)[1])

"""The shape of a definition: what a body of it may hold, made lazily from the schema and Go's declarations.

Every shape has `read` (the careful way, in the order of the text, wording what is wrong) and `gate` (a msgspec type
for the fast way, which takes only what `read` would give back unchanged). See `decode` for how the two work together.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import msgspec

from tiphys.base.document import Document
from tiphys.schema import leaf
from tiphys.schema.definitions import Definitions
from tiphys.schema.go_type import GoField, declaration, derived_type, reference, schema_type
from tiphys.schema.json_schema_props import OR_SHAPES
from tiphys.schema.leaf import Leaf
from tiphys.schema.walk import Pairs, Walk

_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_TIME_IS_NULL_BELOW = 34
"""creationTimestamp became omitzero in 1.34; before, an unset one is written as null."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a struct: its shape and how Go declares it."""

    shape: Leaf
    go: GoField

    @property
    def omits_empty(self) -> bool:
        return not self.go.pointer and not self.go.always


class ListOf(Leaf):
    dropped = ([],)

    def __init__(self, go_type: str, item: Leaf) -> None:
        self.go_type = go_type
        self.item = item

    def read(self, value: Any, walk: Walk) -> Any:
        if type(value) is not list:
            walk.mismatch(value, self.go_type)
            return None
        result = []
        for index, item in enumerate(value):
            walk.enter_index(index)
            result.append(self.item.zero() if item is None else self.item.read(item, walk))
            walk.leave_item()
        return result

    def gate(self, omit: bool) -> Any:
        found = types.GenericAlias(list, (self.item.gate(False),))
        return Annotated[found, msgspec.Meta(min_length=1)] if omit else found


class MapOf(Leaf):
    dropped = ({},)

    def __init__(self, go_type: str, item: Leaf) -> None:
        self.go_type = go_type
        self.item = item

    def read(self, value: Any, walk: Walk) -> Any:
        if type(value) is not Pairs:
            walk.mismatch(value, self.go_type)
            return None
        result: Document = {}
        for key, item in value:
            if key in result:
                walk.duplicate(key)
            walk.enter_key(key)
            result[key] = self.item.zero() if item is None else self.item.read(item, walk)
            walk.leave_item()
        return result

    def gate(self, omit: bool) -> Any:
        found = types.GenericAlias(dict, (str, self.item.gate(False)))
        return Annotated[found, msgspec.Meta(min_length=1)] if omit else found


class Struct(Leaf):
    """A definition with fields. Recursive definitions work because fields are made when first asked for."""

    def __init__(self, shapes: Shapes, definition: str, schema: Document) -> None:
        self.go_type = ".".join(definition.split(".")[-2:])
        self.name = definition.rsplit(".", 1)[1]
        self.definition = definition
        self._shapes = shapes
        self._schema = schema

    @cached_property
    def fields(self) -> dict[str, Field]:
        required = self._schema.get("required", ())
        made = {}
        for name, schema in self._schema.get("properties", {}).items():
            go = declaration(self.definition, name, schema, name in required)
            made[name] = Field(self._shapes.of(schema, go.type), go)
        return made

    @cached_property
    def written(self) -> tuple[str, ...]:
        """Fields that Go always writes, empty or not: structs held by value."""
        return tuple(
            name for name, field in self.fields.items() if isinstance(field.shape, Struct) and not field.go.pointer
        )

    @cached_property
    def unset_time(self) -> bool:
        """ObjectMeta of a version that writes `creationTimestamp: null` when there is none."""
        return self.definition == _META + "ObjectMeta" and self._shapes.minor < _TIME_IS_NULL_BELOW

    def read(self, value: Any, walk: Walk) -> Any:
        if type(value) is not Pairs:
            walk.mismatch(value, self.go_type)
            return None
        result: Document = {}
        seen: set[str] = set()
        for key, item in value:
            field = self.fields.get(key)
            if field is None:
                walk.unknown(key)
                continue
            if key in seen:
                walk.duplicate(key)
            seen.add(key)
            self._read_field(result, key, field, item, walk)
        return self.complete(result)

    def _read_field(self, result: Document, key: str, field: Field, item: Any, walk: Walk) -> None:
        outer = walk.struct
        walk.enter(self.name, key)
        found = None if item is None else field.shape.read(item, walk)
        walk.leave(outer)
        if found is None or (field.omits_empty and found in field.shape.dropped):
            result.pop(key, None)
        else:
            result[key] = found

    def complete(self, result: Document) -> Document:
        """Add what Go writes though nobody set it; not below, `fill` does the whole."""
        for name in self.written:
            if name not in result:
                result[name] = self.fields[name].shape.zero()
        if self.unset_time:
            result.setdefault("creationTimestamp", None)
        return result

    def gate(self, omit: bool) -> Any:
        return self._shapes.struct_gate(self)

    def zero(self) -> Any:
        return self.complete({})


class Shapes:
    """The shapes of one version, one per definition, and their gates."""

    def __init__(self, definitions: Definitions) -> None:
        self.minor = definitions.minor
        self._raw = definitions.raw
        self._named: dict[str, Leaf] = {}
        self._gates: dict[str, Any] = {}

    def named(self, definition: str) -> Leaf:
        """The shape of a definition by its name."""
        found = self._named.get(definition)
        if found is None:
            found = self._named[definition] = self._make(definition)
        return found

    def _make(self, definition: str) -> Leaf:
        name = definition.rsplit(".", 1)[1]
        custom = _CUSTOM.get(definition)
        if custom:
            return custom()
        if name in OR_SHAPES:
            return OR_SHAPES[name](self.named(definition.replace(name, "JSONSchemaProps")))
        return Struct(self, definition, self._raw[definition])

    def of(self, schema: Document, go_type: str | None = None) -> Leaf:
        """The shape of any schema; `go_type` where Go's type is known better than the schema tells."""
        name = reference(schema)
        if name:
            return self.named(name)
        kind = schema_type(schema)
        go_type = go_type or derived_type(schema)
        if kind == "array":
            return ListOf(go_type, self.of(schema["items"], _element(go_type)))
        if kind == "object":
            return MapOf(go_type, self.of(schema["additionalProperties"], _element(go_type)))
        if schema.get("format") == "byte":
            return leaf.Bytes()
        return _SCALARS[kind](go_type)

    def struct_gate(self, struct: Struct) -> Any:
        """One msgspec Struct a definition; a definition that contains itself is left to the careful way."""
        if struct.definition in self._gates:
            return self._gates[struct.definition]
        self._gates[struct.definition] = leaf.TrueOnly  # met again inside itself: always turned away
        fields = [
            (f"f{index}", self._field_gate(struct, name, field), msgspec.UNSET)
            for index, (name, field) in enumerate(struct.fields.items())
        ]
        names = {f"f{index}": name for index, name in enumerate(struct.fields)}
        made = msgspec.defstruct(struct.name, fields, forbid_unknown_fields=True, rename=names, gc=False)
        self._gates[struct.definition] = made
        return made

    def _field_gate(self, struct: Struct, name: str, field: Field) -> Any:
        gate = field.shape.gate(field.omits_empty)
        return gate | None if name == "creationTimestamp" and struct.unset_time else gate


def _element(go_type: str) -> str | None:
    """The element's type of `[]v1.Capability`, `map[string]v1.ExtraValue`; None for a named list or map."""
    if go_type.startswith("[]"):
        return go_type[2:]
    return go_type.split("]", 1)[1] if go_type.startswith("map[") else None


_SCALARS: dict[str | None, Callable[[str], Leaf]] = {
    "string": leaf.String,
    "boolean": lambda go_type: leaf.Bool(),
    "integer": leaf.Integer,
    "number": lambda go_type: leaf.Float(),
    None: leaf.Raw,
}

_CUSTOM: dict[str, Callable[[], Leaf]] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": leaf.Quantity,
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": leaf.IntOrString,
    "io.k8s.apimachinery.pkg.runtime.RawExtension": lambda: leaf.Raw("runtime.RawExtension"),
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": lambda: leaf.Raw("v1.JSON"),
    _META + "FieldsV1": lambda: leaf.Raw("v1.FieldsV1"),
    _META + "Patch": lambda: leaf.Raw("v1.Patch"),
    _META + "Time": lambda: leaf.Time(micro=False),
    _META + "MicroTime": lambda: leaf.Time(micro=True),
}

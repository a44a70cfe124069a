"""The three fields of a CustomResourceDefinition's schema that take a schema or something else.

Follows apiextensions `marshal.go`: what is inside is read leniently (unknown fields there are dropped unsaid, as the
nested Unmarshal knows no strictness).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tiphys.schema.leaf import Leaf, TrueOnly
from tiphys.schema.walk import Pairs, Refused, Walk


class _SchemaOr(Leaf):
    def __init__(self, props: Leaf) -> None:
        self.props = props

    def gate(self, omit: bool) -> Any:
        return TrueOnly  # always the careful way

    def _schema(self, value: Any) -> Any:
        inner = Walk()
        found = self.props.read(value, inner)
        if inner.saved:
            raise Refused(inner.saved)
        return found


class SchemaOrBool(_SchemaOr):
    go_type = "v1.JSONSchemaPropsOrBool"

    def read(self, value: Any, walk: Walk) -> Any:
        if isinstance(value, Pairs):
            return self._schema(value)
        if isinstance(value, bool):
            return value
        raise Refused("boolean or JSON schema expected")


class SchemaOrArray(_SchemaOr):
    go_type = "v1.JSONSchemaPropsOrArray"

    def read(self, value: Any, walk: Walk) -> Any:
        if isinstance(value, Pairs):
            return self._schema(value)
        if type(value) is list:
            return [self._schema(Pairs() if item is None else item) for item in value]
        return None  # upstream takes anything else for nothing


class SchemaOrStringArray(_SchemaOr):
    go_type = "v1.JSONSchemaPropsOrStringArray"

    def read(self, value: Any, walk: Walk) -> Any:
        if isinstance(value, Pairs):
            return self._schema(value)
        if type(value) is list:
            return [self._string(item, walk) for item in value]
        return None

    def _string(self, item: Any, walk: Walk) -> str:
        if item is not None and type(item) is not str:
            raise Refused(walk.type_error("number" if not isinstance(item, list) else "array", "string"))
        return item or ""


OR_SHAPES: dict[str, Callable[[Leaf], Leaf]] = {
    "JSONSchemaPropsOrBool": SchemaOrBool,
    "JSONSchemaPropsOrArray": SchemaOrArray,
    "JSONSchemaPropsOrStringArray": SchemaOrStringArray,
}

"""Definitions as OpenAPI writes them. The package they come from bent them to JSON Schema; this bends them back.

There every type may be null, a kind's `apiVersion` and `kind` are enums of one, and a quantity or an int-or-string is
a choice. References are rewritten to where the OpenAPI version keeps its schemas.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tiphys.base.document import Document
from tiphys.schema.definitions import REF

V2_REF = "#/definitions/"
V3_REF = "#/components/schemas/"

_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
_ONE_VALUE = ("apiVersion", "kind")


def v2_schema(name: str, raw: Document) -> Document:
    """As /openapi/v2 has it."""
    if name == _QUANTITY:
        return {"type": "string"}
    if name == _INT_OR_STRING:
        return {"type": "string", "format": "int-or-string"}
    return _rewrite(raw, V2_REF, wrap=False)


def v3_schema(name: str, raw: Document) -> Document:
    """As /openapi/v3 has it: choices may be said, and a reference beside other words is wrapped in `allOf`."""
    if name == _QUANTITY:
        return {"oneOf": [{"type": "string"}, {"type": "number"}]}
    if name == _INT_OR_STRING:
        return {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]}
    return _rewrite(raw, V3_REF, wrap=True)


def _rewrite(raw: Document, prefix: str, *, wrap: bool) -> Document:
    out: Document = {}
    for key, value in raw.items():
        if key == "$ref":
            out[key] = prefix + value.removeprefix(REF)
        elif key == "type":
            out[key] = _single(value)
        elif key == "properties":
            out[key] = {name: _property(name, child, prefix, wrap) for name, child in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            out[key] = _rewrite(value, prefix, wrap=wrap)
        elif key == "enum":
            out[key] = [choice for choice in value if choice is not None]
        elif key != "oneOf":
            out[key] = value
    if wrap and len(out) > 1 and "$ref" in out:
        out = {"allOf": [{"$ref": out.pop("$ref")}], **out}
    return out


def _property(name: str, raw: Document, prefix: str, wrap: bool) -> Document:
    if name in _ONE_VALUE and len(raw.get("enum", ())) == 1:
        raw = {key: value for key, value in raw.items() if key != "enum"}
    return _rewrite(raw, prefix, wrap=wrap)


def _single(type_: Any) -> Any:
    """The one type there is beside null."""
    if isinstance(type_, list):
        return next(name for name in type_ if name != "null")
    return type_


def reachable(names: Iterable[str], raw: Mapping[str, Document]) -> list[str]:
    """The definitions named and all they refer to, sorted."""
    found: set[str] = set()
    waiting = [name for name in names if name in raw]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [target for target in _references(raw[name]) if target in raw]
    return sorted(found)


def _references(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [name for item in schema for name in _references(item)]
    if not isinstance(schema, dict):
        return []
    own = schema.get("$ref")
    below = [name for key, value in schema.items() if key != "$ref" for name in _references(value)]
    return [own.removeprefix(REF), *below] if isinstance(own, str) else below

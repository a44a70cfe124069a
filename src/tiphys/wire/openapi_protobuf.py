"""OpenAPI v2 as the protobuf message kubectl before 1.27 asks for (gnostic's `openapi.v2.Document`).

A message is a table from JSON key to an encoder that knows its field number. Keys beginning with `x-` are vendor
extensions, whose values travel as YAML; JSON is YAML. Keys the tables do not have are left out, as gnostic does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from tiphys.base.document import Document
from tiphys.wire.protobuf import data, double, integer, text

Encoder = Callable[[Any], bytes]
Fields = Mapping[str, Encoder]

CONTENT_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"


def document(swagger: Document) -> bytes:
    """The whole document, about half a second's work for all of Kubernetes."""
    return _message(_DOCUMENT, 16, swagger)


def _message(fields: Fields, extensions: int, value: Document) -> bytes:
    out = []
    for key, item in value.items():
        if key in fields:
            out.append(fields[key](item))
        elif key.startswith("x-"):
            out.append(data(extensions, _named(key, _any(item))))
    return b"".join(out)


def _any(value: Any) -> bytes:
    """Any.yaml"""
    return data(2, orjson.dumps(value) + b"\n")


def _named(name: str, value: bytes) -> bytes:
    """NamedAny, NamedSchema and their like: a name and a message."""
    return text(1, name) + data(2, value)


# Encoders of one field.


def _text(field: int) -> Encoder:
    return lambda value: text(field, value)


def _texts(field: int) -> Encoder:
    return lambda values: b"".join(text(field, value) for value in values)


def _flag(field: int) -> Encoder:
    return lambda value: integer(field, value) if value else b""


def _integer(field: int) -> Encoder:
    return lambda value: integer(field, value)


def _double(field: int) -> Encoder:
    return lambda value: double(field, value)


def _one(field: int, encode: Encoder) -> Encoder:
    return lambda value: data(field, encode(value))


def _many(field: int, encode: Encoder) -> Encoder:
    return lambda values: b"".join(data(field, encode(value)) for value in values)


def _by_name(field: int, encode: Encoder, inner: int = 1) -> Encoder:
    """A message whose only content is a list of named values."""
    return lambda values: data(field, b"".join(data(inner, _named(name, encode(v))) for name, v in values.items()))


def _alternatives(value: Any) -> bytes:
    """TypeItem: `type` may be one name or several."""
    return _texts(1)([value] if isinstance(value, str) else value)


def _schema_or_flag(value: Any) -> bytes:
    """AdditionalPropertiesItem."""
    return integer(2, value) if isinstance(value, bool) else data(1, _schema(value))


def _items(value: Any) -> bytes:
    """ItemsItem: one schema, or one a position."""
    return b"".join(data(1, _schema(schema)) for schema in (value if isinstance(value, list) else [value]))


def _schema(value: Document) -> bytes:
    return _message(_SCHEMA, 31, value)


_SCHEMA: Fields = {
    "$ref": _text(1),
    "format": _text(2),
    "title": _text(3),
    "description": _text(4),
    "default": _one(5, _any),
    "multipleOf": _double(6),
    "maximum": _double(7),
    "exclusiveMaximum": _flag(8),
    "minimum": _double(9),
    "exclusiveMinimum": _flag(10),
    "maxLength": _integer(11),
    "minLength": _integer(12),
    "pattern": _text(13),
    "maxItems": _integer(14),
    "minItems": _integer(15),
    "uniqueItems": _flag(16),
    "maxProperties": _integer(17),
    "minProperties": _integer(18),
    "required": _texts(19),
    "enum": _many(20, _any),
    "additionalProperties": _one(21, _schema_or_flag),
    "type": _one(22, _alternatives),
    "items": _one(23, _items),
    "allOf": _many(24, _schema),
    "properties": _by_name(25, _schema),
    "discriminator": _text(26),
    "readOnly": _flag(27),
    "example": _one(30, _any),
}

_BODY_PARAMETER: Fields = {
    "description": _text(1),
    "name": _text(2),
    "in": _text(3),
    "required": _flag(4),
    "schema": _one(5, _schema),
}
_QUERY_PARAMETER: Fields = {
    "required": _flag(1),
    "in": _text(2),
    "description": _text(3),
    "name": _text(4),
    "type": _text(6),
    "format": _text(7),
    "uniqueItems": _flag(20),
}
_PATH_PARAMETER: Fields = {
    "required": _flag(1),
    "in": _text(2),
    "description": _text(3),
    "name": _text(4),
    "type": _text(5),
    "format": _text(6),
    "uniqueItems": _flag(19),
}


def _parameter(value: Document) -> bytes:
    """ParametersItem: which of its nested alternatives it is, `in` says."""
    if value["in"] == "body":
        found = data(1, _message(_BODY_PARAMETER, 6, value))
    elif value["in"] == "query":
        found = data(2, data(3, _message(_QUERY_PARAMETER, 23, value)))
    else:
        found = data(2, data(4, _message(_PATH_PARAMETER, 22, value)))
    return data(1, found)


def _response(value: Document) -> bytes:
    """ResponseValue with a Response; its schema is a SchemaItem."""
    return data(1, _message({"description": _text(1), "schema": _one(2, lambda v: data(1, _schema(v)))}, 5, value))


_OPERATION: Fields = {
    "tags": _texts(1),
    "summary": _text(2),
    "description": _text(3),
    "operationId": _text(5),
    "produces": _texts(6),
    "consumes": _texts(7),
    "parameters": _many(8, _parameter),
    "responses": _by_name(9, _response),
    "schemes": _texts(10),
    "deprecated": _flag(11),
}


def _operation(value: Document) -> bytes:
    return _message(_OPERATION, 13, value)


_PATH_ITEM: Fields = {
    "get": _one(2, _operation),
    "put": _one(3, _operation),
    "post": _one(4, _operation),
    "delete": _one(5, _operation),
    "options": _one(6, _operation),
    "head": _one(7, _operation),
    "patch": _one(8, _operation),
    "parameters": _many(9, _parameter),
}


def _api_key(value: Document) -> bytes:
    """SecurityDefinitionsItem with an ApiKeySecurity."""
    fields = {"type": _text(1), "name": _text(2), "in": _text(3), "description": _text(4)}
    return data(2, _message(fields, 5, value))


_DOCUMENT: Fields = {
    "swagger": _text(1),
    "info": _one(
        2, lambda value: _message({"title": _text(1), "version": _text(2), "description": _text(3)}, 7, value)
    ),
    "paths": _by_name(8, lambda value: _message(_PATH_ITEM, 10, value), inner=2),
    "definitions": _by_name(9, _schema),
    "security": _many(12, lambda value: b"".join(data(1, _named(name, _texts(1)(v))) for name, v in value.items())),
    "securityDefinitions": _by_name(13, _api_key),
}

"""Protobuf encoding: the wire format's own rules, and the numbers of gnostic's OpenAPIv2.proto."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import orjson
from hypothesis import given
from hypothesis import strategies as st

from tiphys.wire import openapi_protobuf
from tiphys.wire.protobuf import data, double, integer, text, varint


def read_varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(raw: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """An independent reader: (field number, value) of a message."""
    at = 0
    while at < len(raw):
        key, at = read_varint(raw, at)
        if key & 7 == 0:
            value, at = read_varint(raw, at)
            yield key >> 3, value
        elif key & 7 == 1:
            yield key >> 3, struct.unpack_from("<d", raw, at)[0]
            at += 8
        else:
            assert key & 7 == 2
            size, at = read_varint(raw, at)
            yield key >> 3, raw[at : at + size]
            at += size


def one(raw: bytes, *path: int) -> bytes | int | float:
    """The only value at a path of field numbers."""
    value: bytes | int | float = raw
    for number in path:
        assert isinstance(value, bytes)
        (value,) = [found for field, found in fields(value) if field == number]
    return value


@given(st.integers(0, 2**64 - 1))
def test_varints_can_be_read_back(number):
    assert read_varint(varint(number), 0) == (number, len(varint(number)))


def test_known_encodings():
    # protobuf.dev, "Encoding": 150 in field 1, "testing" in field 2, a message with both in field 3
    assert integer(1, 150) == bytes.fromhex("089601")
    assert text(2, "testing") == bytes.fromhex("120774657374696e67")
    assert data(3, integer(1, 150)) == bytes.fromhex("1a03089601")
    assert varint(-1) == b"\xff" * 9 + b"\x01"
    assert double(1, 1.0) == bytes.fromhex("09000000000000f03f")


SWAGGER = {
    "swagger": "2.0",
    "info": {"title": "T", "version": "v"},
    "paths": {
        "/a": {
            "patch": {
                "operationId": "patchA",
                "parameters": [
                    {"name": "body", "in": "body", "required": True, "schema": {"$ref": "#/definitions/A"}},
                    {"name": "dryRun", "in": "query", "type": "string"},
                    {"name": "name", "in": "path", "type": "string", "required": True},
                ],
                "responses": {"200": {"description": "OK", "schema": {"$ref": "#/definitions/A"}}},
                "x-kubernetes-group-version-kind": {"group": "", "version": "v1", "kind": "A"},
            }
        }
    },
    "definitions": {
        "A": {
            "type": "object",
            "required": ["b"],
            "properties": {
                "b": {"type": "array", "items": {"type": "string"}},
                "c": {"additionalProperties": {"type": "integer", "format": "int32"}},
            },
            "x-kubernetes-patch-strategy": "merge",
            "unknown-to-gnostic": 1,
        }
    },
}
DOCUMENT = openapi_protobuf.document(SWAGGER)


def test_the_head():
    assert one(DOCUMENT, 1) == b"2.0"
    assert one(DOCUMENT, 2, 1) == b"T"


def test_definitions():
    named = one(DOCUMENT, 9, 1)
    assert one(named, 1) == b"A"
    schema = one(named, 2)
    assert one(schema, 22, 1) == b"object" and one(schema, 19) == b"b"
    extension = one(schema, 31)
    assert one(extension, 1) == b"x-kubernetes-patch-strategy"
    assert orjson.loads(one(extension, 2, 2)) == "merge"
    properties = {one(raw, 1): one(raw, 2) for _, raw in fields(one(schema, 25))}
    assert one(properties[b"b"], 23, 1, 22, 1) == b"string"
    assert one(properties[b"c"], 21, 1, 2) == b"int32"


def test_operations_say_what_kubectl_looks_for():
    item = one(DOCUMENT, 8, 2)
    assert one(item, 1) == b"/a"
    patch = one(item, 2, 8)
    assert one(patch, 5) == b"patchA"
    extension = one(patch, 13)
    assert orjson.loads(one(extension, 2, 2))["kind"] == "A"
    body, query, path = [raw for field, raw in fields(patch) if field == 8]
    assert one(body, 1, 1, 2) == b"body" and one(body, 1, 1, 5, 1) == b"#/definitions/A"
    assert one(query, 1, 2, 3, 4) == b"dryRun"
    assert one(path, 1, 2, 4, 4) == b"name" and one(path, 1, 2, 4, 1) == 1
    assert one(patch, 9, 1, 1) == b"200"
    assert one(patch, 9, 1, 2, 1, 2, 1, 1) == b"#/definitions/A"

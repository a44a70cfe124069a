"""The unions of apiextensions' JSONSchemaProps: a schema, or a list of them, a truth value, or names.

In JSON they are told apart by their type, on the wire by which of two fields is set.
"""

from __future__ import annotations

from typing import Any

from tiphys.wire.malformed import UNEXPECTED_END, Malformed, read_length, read_varint, skip
from tiphys.wire.protobuf import data as delimited
from tiphys.wire.protobuf import integer, text
from tiphys.wire.scalar import Codec


class SchemaUnion(Codec):
    """`schema` is the codec of JSONSchemaProps."""

    def __init__(self, schema: Codec) -> None:
        self._schema = schema

    def _fields(self, data: bytes, at: int, end: int) -> list[tuple[int, int, int]]:
        """(number, begin, end) of each delimited field, (number, -1, value) of each number. Raises Malformed."""
        found = []
        while at < end:
            key, at = read_varint(data, at)
            if key & 7 == 2:
                begin, at = read_length(data, at)
                found.append((key >> 3, begin, at))
            elif key & 7 == 0:
                number, at = read_varint(data, at)
                found.append((key >> 3, -1, number))
            else:
                at = skip(data, at, key & 7)
        if at > end:
            raise Malformed(UNEXPECTED_END)
        return found


class SchemaOrArray(SchemaUnion):
    def read(self, data: bytes, at: int, end: int, depth: int) -> Any:
        found = [each for each in self._fields(data, at, end) if each[1] >= 0]
        several = [self._schema.read(data, begin, stop, depth + 1) for number, begin, stop in found if number == 2]
        if several:
            return several
        single = [self._schema.read(data, begin, stop, depth + 1) for number, begin, stop in found if number == 1]
        return single[-1] if single else None

    def write(self, value: Any) -> bytes:
        if isinstance(value, list):
            return b"".join([delimited(2, self._schema.write(each)) for each in value])
        return delimited(1, self._schema.write(value))


class SchemaOrBool(SchemaUnion):
    def read(self, data: bytes, at: int, end: int, depth: int) -> Any:
        allows: Any = False
        schema = None
        for number, begin, stop in self._fields(data, at, end):
            if number == 1 and begin < 0:
                allows = stop != 0
            elif number == 2 and begin >= 0:
                schema = self._schema.read(data, begin, stop, depth + 1)
        return allows if schema is None else schema

    def write(self, value: Any) -> bytes:
        if isinstance(value, bool):
            return integer(1, value)
        return integer(1, True) + delimited(2, self._schema.write(value))


class SchemaOrStrings(SchemaUnion):
    def read(self, data: bytes, at: int, end: int, depth: int) -> Any:
        found = [each for each in self._fields(data, at, end) if each[1] >= 0]
        names = [str(data[begin:stop], "utf-8", "replace") for number, begin, stop in found if number == 2]
        if names:
            return names
        single = [self._schema.read(data, begin, stop, depth + 1) for number, begin, stop in found if number == 1]
        return single[-1] if single else None

    def write(self, value: Any) -> bytes:
        if isinstance(value, list):
            return b"".join([text(2, name) for name in value])
        return delimited(1, self._schema.write(value))

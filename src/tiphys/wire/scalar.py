"""How the values of single fields look on the wire and in JSON: strings, numbers, bytes.

A *codec* turns the payload of one value into its JSON form and back. Delimited ones (`wire_type` 2) are given where
the payload begins and ends, numbers the unsigned number that was read.
"""

from __future__ import annotations

import binascii
import math
import struct
from typing import Any, ClassVar

from tiphys.wire.malformed import Malformed, read_varint
from tiphys.wire.protobuf import varint

VARINT, FIXED64, DELIMITED = 0, 1, 2


class Codec:
    """One type of value. `zero` is what a field held by value is when it was not set: told apart from nothing only
    behind a pointer."""

    wire_type: ClassVar[int] = DELIMITED
    zero: Any = None

    def read(self, data: bytes, at: int, end: int, depth: int) -> Any:
        """The JSON form of a payload. Raises Malformed."""
        raise NotImplementedError

    def write(self, value: Any) -> bytes:
        """The payload, without key and length."""
        raise NotImplementedError

    def unset(self) -> Any:
        """The JSON form of a value of which nothing was said, in a list or map."""
        return self.zero


class String(Codec):
    zero = ""

    def read(self, data: bytes, at: int, end: int, depth: int) -> Any:
        return str(data[at:end], "utf-8", "replace")

    def write(self, value: Any) -> bytes:
        raw: bytes = value.encode()
        return raw


class Bytes(Codec):
    """A []byte: base64 in JSON."""

    zero = ""

    def read(self, data: bytes, at: int, end: int, depth: int) -> Any:
        return binascii.b2a_base64(data[at:end], newline=False).decode()

    def write(self, value: Any) -> bytes:
        return binascii.a2b_base64(value)


class Number(Codec):
    """A varint. `read_number` gets it as 64 unsigned bits; a delimited payload is a packed list of them."""

    wire_type = VARINT
    zero: Any = 0

    def read_number(self, number: int) -> Any:
        raise NotImplementedError

    def read(self, data: bytes, at: int, end: int, depth: int) -> Any:
        """A packed list."""
        found = []
        while at < end:
            number, at = read_varint(data, at)
            found.append(self.read_number(number))
        return found

    def write(self, value: Any) -> bytes:
        return varint(int(value))


class Int32(Number):
    def read_number(self, number: int) -> Any:
        return ((number & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000


class Int64(Number):
    def read_number(self, number: int) -> Any:
        return number - (1 << 64) if number >> 63 else number


class Bool(Number):
    zero = False

    def read_number(self, number: int) -> Any:
        return number != 0


class Double(Codec):
    wire_type = FIXED64
    zero = 0

    def read(self, data: bytes, at: int, end: int, depth: int) -> Any:
        number: float = struct.unpack_from("<d", data, at)[0]
        if not math.isfinite(number):
            raise Malformed(f"json: unsupported value: {_go_float(number)}")
        return int(number) if number.is_integer() and abs(number) < 1e15 else number

    def write(self, value: Any) -> bytes:
        return struct.pack("<d", value)


def _go_float(number: float) -> str:
    return "NaN" if math.isnan(number) else "+Inf" if number > 0 else "-Inf"


SCALARS: dict[str, Codec] = {
    "string": String(),
    "bytes": Bytes(),
    "bool": Bool(),
    "int32": Int32(),
    "int64": Int64(),
    "double": Double(),
}

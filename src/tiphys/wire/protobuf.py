"""Writing protobuf, as far as documents need it: fields of varint, fixed 64 and length-delimited type."""

from __future__ import annotations

import struct

_VARINT, _FIXED64, _LENGTH = 0, 1, 2


def varint(number: int) -> bytes:
    """Seven bits a byte, lowest first; negative numbers as 64-bit two's complement."""
    number &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def integer(field: int, value: int) -> bytes:
    """An int32, int64, bool or enum field."""
    return varint(field << 3 | _VARINT) + varint(value)


def double(field: int, value: float) -> bytes:
    return varint(field << 3 | _FIXED64) + struct.pack("<d", value)


def text(field: int, value: str) -> bytes:
    return data(field, value.encode())


def data(field: int, value: bytes) -> bytes:
    """A bytes field, or an embedded message already encoded."""
    return varint(field << 3 | _LENGTH) + varint(len(value)) + value

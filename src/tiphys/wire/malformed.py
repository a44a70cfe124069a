"""Bytes that are no protobuf, in the words of Go's generated decoders (gogo protobuf), and the reading they share."""

from __future__ import annotations

_MASK64 = 0xFFFFFFFFFFFFFFFF


class Malformed(ValueError):
    """What is wrong with the bytes, as upstream says it."""


UNEXPECTED_END = "unexpected EOF"
OVERFLOW = "proto: integer overflow"
NEGATIVE_LENGTH = "proto: negative length found during unmarshaling"
END_OF_GROUP = "proto: unexpected end of group"


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """(unsigned number of 64 bits, where it ends). May read up to the end of `data`: the caller knows where to stop.

    Raises Malformed, and IndexError at the end of the data.
    """
    number = shift = 0
    while shift < 70:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & _MASK64, at
        shift += 7
    raise Malformed(OVERFLOW)


def read_length(data: bytes, at: int) -> tuple[int, int]:
    """(where the delimited bytes begin, where they end). Raises Malformed."""
    size, at = read_varint(data, at)
    if size >> 63:
        raise Malformed(NEGATIVE_LENGTH)
    return at, at + size


def skip(data: bytes, at: int, wire_type: int) -> int:
    """Past the value of an unknown field whose key has been read; groups are passed over whole. Raises Malformed."""
    depth = 0
    while True:
        if wire_type == 0:
            at = read_varint(data, at)[1]
        elif wire_type == 1:
            at += 8
        elif wire_type == 2:
            at = read_length(data, at)[1]
        elif wire_type == 3:
            depth += 1
        elif wire_type == 4:
            if not depth:
                raise Malformed(END_OF_GROUP)
            depth -= 1
        elif wire_type == 5:
            at += 4
        else:
            raise Malformed(f"proto: illegal wireType {wire_type}")
        if not depth:
            return at
        key, at = read_varint(data, at)
        wire_type = key & 7

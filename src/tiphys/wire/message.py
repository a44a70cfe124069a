"""One message, read and written: made once a definition, at its first use, out of the table of field numbers.

What is empty is left out of the document where Go would leave it out of JSON, and kept behind a pointer or where
there is no omitempty. Unknown fields are passed over, a field said twice counts the last time, messages said twice
are merged: all as Go's generated decoders have it. Fields are written in the order of the document.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tiphys.base.document import Document
from tiphys.wire.field_number import FieldNumber
from tiphys.wire.malformed import UNEXPECTED_END, Malformed, read_length, read_varint, skip
from tiphys.wire.protobuf import varint
from tiphys.wire.scalar import DELIMITED, VARINT, Codec, Number, String

Reader = Callable[[bytes, int, int, Document, int], None]
"""(data, begin, end, document to fill, depth)."""
Taker = Callable[[int, Document], None]
Writer = Callable[[Any], bytes]

MOST_LEVELS = 100
"""Messages in messages: far more than any API type needs, far less than Python's stack."""
TOO_DEEP = "exceeded max depth"
_SIZES = [varint(size) for size in range(128)]
_KEY = String()


class Message(Codec):
    """The codec of one definition. `define` gives it its fields, which may refer to itself."""

    def __init__(self, definition: str) -> None:
        self._name = definition.rpartition(".")[2]
        self._readers: dict[int, Reader] = {}
        self._takers: dict[int, Taker] = {}
        self._writers: dict[str, Writer] = {}
        self._go_names: dict[int, str] = {}

    def define(self, name: str, field: FieldNumber, codec: Codec) -> None:
        """Add the field `name`. One with a longer path goes into the message that Go embeds."""
        number, *rest = field.path
        if not rest:
            self._define(name, number, field, codec)
            return
        embedded = self._embedded(number)
        embedded.define(name, _within(field, rest), codec)
        wrap, inner = _delimiter(number), embedded._writers[name]
        self._writers[name] = lambda value: wrap(inner(value))

    def _embedded(self, number: int) -> Message:
        found: Any = self._readers.get(_key(number, DELIMITED))
        if found is None:
            embedded = Message(self._name)
            self._readers[_key(number, DELIMITED)] = embedded.read_into
            return embedded
        message: Message = found.__self__
        return message

    def _define(self, name: str, number: int, field: FieldNumber, codec: Codec) -> None:
        self._go_names[number] = field.go_name
        delimited = _key(number, DELIMITED)
        if field.mapped:
            self._readers[delimited] = _map_reader(name, codec)
            self._writers[name] = _map_writer(number, codec)
        elif field.repeated:
            self._readers[delimited] = _list_reader(name, codec)
            self._writers[name] = _list_writer(number, codec)
            if isinstance(codec, Number):
                self._takers[_key(number, VARINT)] = _list_taker(name, codec)
        elif isinstance(codec, Number):
            self._takers[_key(number, VARINT)] = _taker(name, codec, field.kept)
            self._writers[name] = _writer(number, codec)
        else:
            kept = field.kept
            reader = _message_reader(name, codec, kept) if isinstance(codec, Message) else _reader(name, codec, kept)
            self._readers[_key(number, codec.wire_type)] = reader
            self._writers[name] = _writer(number, codec)

    def read(self, data: bytes, at: int, end: int, depth: int) -> Document:
        document: Document = {}
        self.read_into(data, at, end, document, depth)
        return document

    def read_into(self, data: bytes, at: int, end: int, document: Document, depth: int) -> None:
        """The hot loop. Raises Malformed, and IndexError where the data ends in the middle of a number."""
        if depth > MOST_LEVELS:
            raise Malformed(TOO_DEEP)
        readers, takers = self._readers, self._takers
        while at < end:
            key = data[at]
            at += 1
            if key > 0x7F:
                key, at = read_varint(data, at - 1)
            reader = readers.get(key)
            if reader is not None:
                if key & 7 == DELIMITED:
                    stop = data[at]
                    at += 1
                    if stop > 0x7F:
                        at, stop = read_length(data, at - 1)
                    else:
                        stop += at
                else:
                    stop = at + 8
                if stop > end:
                    raise Malformed(UNEXPECTED_END)
                reader(data, at, stop, document, depth + 1)
                at = stop
                continue
            taker = takers.get(key)
            if taker is not None:
                number, at = read_varint(data, at)
                taker(number, document)
            else:
                at = self._unknown(data, at, key)
        if at > end:
            raise Malformed(UNEXPECTED_END)

    def _unknown(self, data: bytes, at: int, key: int) -> int:
        """Past a field that is not known; one that is has come with the wrong wire type."""
        wire_type, number = key & 7, ((key >> 3 & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000
        if wire_type == 4:
            raise Malformed(f"proto: {self._name}: wiretype end group for non-group")
        if number <= 0:
            raise Malformed(f"proto: {self._name}: illegal tag {number} (wire type {key})")
        if number in self._go_names:
            raise Malformed(f"proto: wrong wireType = {wire_type} for field {self._go_names[number]}")
        return skip(data, at, wire_type)

    def write(self, value: Any) -> bytes:
        writers = self._writers
        parts = []
        for name, field in value.items():
            write = writers.get(name)
            if write is not None and field is not None:
                parts.append(write(field))
        return b"".join(parts)

    def unset(self) -> Any:
        return {}


def _within(field: FieldNumber, path: list[int]) -> FieldNumber:
    return FieldNumber(tuple(path), field.type, field.go_name, field.kept, field.repeated, field.mapped)


def _key(number: int, wire_type: int) -> int:
    return number << 3 | wire_type


def _reader(name: str, codec: Codec, kept: bool) -> Reader:
    zero, decode = codec.zero, codec.read

    def read(data: bytes, at: int, end: int, document: Document, depth: int) -> None:
        value = decode(data, at, end, depth)
        if kept or value != zero:
            document[name] = value
        else:
            document.pop(name, None)

    return read


def _message_reader(name: str, message: Message, kept: bool) -> Reader:
    def read(data: bytes, at: int, end: int, document: Document, depth: int) -> None:
        found = document.get(name)
        if found is None:
            found = {}
        message.read_into(data, at, end, found, depth)
        if kept or found:
            document[name] = found

    return read


def _taker(name: str, codec: Number, kept: bool) -> Taker:
    decode, zero = codec.read_number, codec.zero

    def take(number: int, document: Document) -> None:
        value = decode(number)
        if kept or value != zero:
            document[name] = value
        else:
            document.pop(name, None)

    return take


def _list_reader(name: str, codec: Codec) -> Reader:
    packed, decode = isinstance(codec, Number), codec.read

    def read(data: bytes, at: int, end: int, document: Document, depth: int) -> None:
        value = decode(data, at, end, depth)
        found = document.get(name)
        if found is None:
            found = document[name] = []
        if packed:
            found += value
        else:
            found.append(value)

    return read


def _list_taker(name: str, codec: Number) -> Taker:
    def take(number: int, document: Document) -> None:
        document.setdefault(name, []).append(codec.read_number(number))

    return take


def _map_reader(name: str, codec: Codec) -> Reader:
    """Entries are messages of a key (1) and a value (2)."""
    value_key = _key(2, codec.wire_type)

    def read(data: bytes, at: int, end: int, document: Document, depth: int) -> None:
        key, value = "", None
        while at < end:
            tag, at = read_varint(data, at)
            if tag >> 3 == 0 and tag & 7 != 4:
                raise Malformed(f"proto: illegal tag 0 (wire type {tag})")
            if tag != value_key and tag != 0x0A:
                at = skip(data, at, tag & 7)
                continue
            if tag == value_key and isinstance(codec, Number):
                number, at = read_varint(data, at)
                value = codec.read_number(number)
                continue
            begin, at = read_length(data, at)
            if at > end:
                raise Malformed(UNEXPECTED_END)
            if tag == 0x0A:
                key = str(data[begin:at], "utf-8", "replace")
            else:
                value = codec.read(data, begin, at, depth)
        if at > end:
            raise Malformed(UNEXPECTED_END)
        document.setdefault(name, {})[key] = codec.unset() if value is None else value

    return read


def _delimiter(number: int) -> Callable[[bytes], bytes]:
    """Puts key and length before a payload."""
    tag = varint(_key(number, DELIMITED))
    tagged = [tag + size for size in _SIZES]

    def delimit(payload: bytes) -> bytes:
        size = len(payload)
        return tagged[size] + payload if size < 128 else tag + varint(size) + payload

    return delimit


def _writer(number: int, codec: Codec) -> Writer:
    encode = codec.write
    if codec.wire_type != DELIMITED:
        tag = varint(_key(number, codec.wire_type))
        return lambda value: tag + encode(value)
    delimit = _delimiter(number)
    return lambda value: delimit(encode(value))


def _list_writer(number: int, codec: Codec) -> Writer:
    write = _writer(number, codec)
    nothing = codec.unset()

    def write_all(values: Any) -> bytes:
        return b"".join([write(nothing if value is None else value) for value in values])

    return write_all


def _map_writer(number: int, codec: Codec) -> Writer:
    delimit, write_key, write_value = _delimiter(number), _writer(1, _KEY), _writer(2, codec)
    nothing = codec.unset()

    def write_all(values: Any) -> bytes:
        return b"".join(
            [
                delimit(write_key(key) + write_value(nothing if value is None else value))
                for key, value in values.items()
            ]
        )

    return write_all

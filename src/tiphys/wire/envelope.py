"""Objects as Kubernetes sends them in protobuf: four bytes, then runtime.Unknown with the type and the message.

    6b 38 73 00, Unknown{1: TypeMeta{1: apiVersion, 2: kind}, 2: raw, 3: contentEncoding, 4: contentType}

(apimachinery `runtime/serializer/protobuf`). The events of a watch are frames, four bytes of length and a WatchEvent
that has no envelope, whose object has one (`util/framer`, `streaming`).
"""

from __future__ import annotations

from dataclasses import dataclass

from tiphys.base.document import Document
from tiphys.wire.api_value import fields
from tiphys.wire.malformed import UNEXPECTED_END, Malformed
from tiphys.wire.message import TOO_DEEP, Message
from tiphys.wire.protobuf import data, text

PREFIX = b"k8s\x00"


@dataclass(frozen=True, slots=True)
class Unknown:
    """An object whose message has not been read yet."""

    api_version: str
    kind: str
    raw: bytes


def open_envelope(body: bytes) -> Unknown:
    """Raises Malformed in upstream's words."""
    if not body:
        raise Malformed("empty data")
    if not body.startswith(PREFIX):
        shown = " ".join(map(str, PREFIX))
        raise Malformed(f"provided data does not appear to be a protobuf message, expected prefix [{shown}]")
    if len(body) == len(PREFIX):
        raise Malformed("empty body")
    try:
        unknown = fields(body, len(PREFIX), len(body))
        type_meta = _bytes(unknown, 1, "TypeMeta")
        meta = fields(type_meta, 0, len(type_meta))
    except IndexError as error:
        raise Malformed(UNEXPECTED_END) from error
    api_version, kind = _text(meta, 1, "APIVersion"), _text(meta, 2, "Kind")
    return Unknown(api_version, kind, _bytes(unknown, 2, "Raw"))


def _text(found: dict[int, object], number: int, go_name: str) -> str:
    return str(_bytes(found, number, go_name), "utf-8", "replace")


def _bytes(found: dict[int, object], number: int, go_name: str) -> bytes:
    value = found.get(number, b"")
    if not isinstance(value, bytes):
        raise Malformed(f"proto: wrong wireType = 0 for field {go_name}")
    return value


def read_message(message: Message, raw: bytes) -> Document:
    """The document in a message, without apiVersion and kind. Raises Malformed, nothing else."""
    try:
        return message.read(raw, 0, len(raw), 1)
    except IndexError as error:
        raise Malformed(UNEXPECTED_END) from error
    except RecursionError as error:
        raise Malformed(TOO_DEEP) from error


def envelope(api_version: str, kind: str, raw: bytes) -> bytes:
    """The object as it is sent, given its message."""
    return b"".join((PREFIX, data(1, text(1, api_version) + text(2, kind)), data(2, raw), b'\x1a\x00"\x00'))


def watch_frame(kind: bytes, enveloped: bytes) -> bytes:
    """One event of a watch: its type (`ADDED`) and its object in an envelope."""
    event = data(1, kind) + data(2, data(1, enveloped))
    return len(event).to_bytes(4, "big") + event

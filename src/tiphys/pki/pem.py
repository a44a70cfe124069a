"""PEM blocks, found as Go's `encoding/pem` finds them: anywhere, whatever stands around them."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

_BLOCK = re.compile(
    rb"(?:\A|\n)-----BEGIN ([^\r\n]*?)-----[ \t]*\r?\n(.*?)-----END \1-----[ \t]*(?:\r?\n|\Z)", re.DOTALL
)
_HEADER = re.compile(rb"[^\r\n:]+:[^\r\n]*\r?\n")


@dataclass(frozen=True, slots=True)
class Block:
    """`kind` is what stands after BEGIN, `der` what is in it."""

    kind: str
    headers: bool
    der: bytes


def blocks(data: bytes) -> list[Block]:
    """Every block whose content is base64; what is not a block is passed over."""
    found = []
    at = 0
    while match := _BLOCK.search(data, at):
        at = match.end() - 1
        block = _block(match[1].decode("utf-8", "replace"), match[2])
        if block is not None:
            found.append(block)
    return found


def _block(kind: str, content: bytes) -> Block | None:
    headers = 0
    while match := _HEADER.match(content, headers):
        headers = match.end()
    try:
        der = base64.b64decode(b"".join(content[headers:].split()), validate=True)
    except binascii.Error:
        return None
    return Block(kind, headers > 0, der)

"""JSON text beyond what orjson tells: what exactly is wrong with it in Go's words, and a reading that loses nothing.

Used only when a body has been turned away or needs a careful look.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from tiphys.schema.walk import Number, Pairs

MAX_DEPTH = 240
"""Nesting that is served. Upstream's decoder stops at 10000; ours so that orjson (254) can always write it again."""

MAX_PARTS = 100_000
"""Objects, lists and nulls (which may stand for objects) in a body. Ours, so that none takes longer than seconds to
validate. What upstream keeps with more of them is beyond etcd's 1.5 MiB, but for the most degenerate."""

TOO_DEEP = "exceeded max depth"
"""The decoder's word for it (sigs.k8s.io/json scanner.go)."""

_PATIENCE = 64 * 1024
"""Bytes beyond which parsing calls functions of ours, so that it gives way to other threads now and then."""

_SPACE = " \t\r\n"
_LITERALS = {"t": "true", "f": "false", "n": "null"}
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*')
_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?")


def read(body: bytes) -> Any:
    """The value of a body orjson accepts, objects as Pairs, numbers as they are written."""
    if len(body) > _PATIENCE:
        return json.loads(body, object_pairs_hook=lambda pairs: Pairs(pairs), parse_int=_number, parse_float=_number)
    return json.loads(body, object_pairs_hook=Pairs, parse_int=Number, parse_float=Number)


def _number(text: str) -> Number:
    return Number(text)


def too_deep(document: Any, body: bytes) -> bool:
    """Whether a parsed body is nested deeper than MAX_DEPTH. Counting brackets settles it for ordinary ones."""
    if body.count(b"{") + body.count(b"[") <= MAX_DEPTH:
        return False
    wrapped = document
    for _ in range(254 - MAX_DEPTH):
        wrapped = [wrapped]
    try:
        orjson.dumps(wrapped)
    except TypeError:
        return True
    return False


def too_many_parts(document: Any, body: bytes) -> bool:
    """Whether a parsed body has more parts than MAX_PARTS. Counting brackets settles most."""
    if body.count(b"{") + body.count(b"[") + body.count(b"null") <= MAX_PARTS:
        return False
    found, waiting = 0, [document]
    while waiting and found <= MAX_PARTS:
        part = waiting.pop()
        if part is None:
            found += 1
        elif isinstance(part, (dict, list)):
            found += 1
            waiting += part.values() if isinstance(part, dict) else part
    return found > MAX_PARTS


def has_duplicates(document: Any, body: bytes) -> bool:
    """Whether some object's key comes twice; may err towards yes. A key that was lost took its two quotes along."""
    return body.count(b'"') != orjson.dumps(document).count(b'"') or b"\\u0022" in body


def syntax_error(body: bytes) -> str:
    """Go's words for the first thing wrong with a body (encoding/json scanner.go)."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        return f"invalid UTF-8 at byte {error.start}"
    return _Scanner(text).error() or "invalid number or surrogate in JSON text"


class _Scanner:
    """A walk through the text with a stack of open brackets; each `_...` step returns an error's text or moves on."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.open: list[str] = []

    def error(self) -> str | None:
        while True:
            found = self._value()
            if found or (not self.open and self.at >= len(self.text)):
                return found

    def _peek(self) -> str:
        while self.at < len(self.text) and self.text[self.at] in _SPACE:
            self.at += 1
        return self.text[self.at] if self.at < len(self.text) else ""

    def _bad(self, where: str) -> str:
        if self.at >= len(self.text):
            return "unexpected end of JSON input"
        return f"invalid character {_quoted_char(self.text[self.at])} {where}"

    def _value(self) -> str | None:
        char = self._peek()
        if char in ("{", "["):
            self.at += 1
            self.open.append(char)
            if len(self.open) > MAX_DEPTH:
                return TOO_DEEP
            return self._opened(char)
        found = self._string() if char == '"' else self._scalar(char)
        return found or self._after()

    def _opened(self, char: str) -> str | None:
        following = self._peek()
        if following == ("}" if char == "{" else "]"):
            return self._after()
        return self._key() if char == "{" else None

    def _key(self) -> str | None:
        if self._peek() != '"':
            return self._bad("looking for beginning of object key string")
        found = self._string()
        if found:
            return found
        if self._peek() != ":":
            return self._bad("after object key")
        self.at += 1
        return None

    def _after(self) -> str | None:
        """After a value: close what closes, then a comma and what it promises."""
        while self.open:
            char = self._peek()
            inside = self.open[-1]
            if char == ("}" if inside == "{" else "]"):
                self.at += 1
                self.open.pop()
            elif char == ",":
                self.at += 1
                return self._key() if inside == "{" else None
            else:
                return self._bad("after object key:value pair" if inside == "{" else "after array element")
        return self._bad("after top-level value") if self._peek() else None

    def _string(self) -> str | None:
        found = _STRING.match(self.text, self.at)
        self.at = found.end() if found else self.at
        if self.at < len(self.text) and self.text[self.at] == '"':
            self.at += 1
            return None
        escape = _ESCAPE.match(self.text, self.at)
        if escape:
            self.at = escape.end()
            where = "in string escape code" if escape[0] == "\\" else "in \\u hexadecimal character escape"
            return self._bad(where)
        return self._bad("in string literal")

    def _scalar(self, char: str) -> str | None:
        word = _LITERALS.get(char)
        if word:
            for index, expected in enumerate(word):
                if not self.text.startswith(expected, self.at):
                    return self._bad(f"in literal {word} (expecting {_quoted_char(word[index])})")
                self.at += 1
            return None
        number = _NUMBER.match(self.text, self.at)
        if number:
            self.at = number.end()
            return self._number_tail()
        if char == "-":
            self.at += 1
            return self._bad("in numeric literal")
        return self._bad("looking for beginning of value")

    def _number_tail(self) -> str | None:
        rest = self.text[self.at : self.at + 1]
        if rest == ".":
            self.at += 1
            return self._bad("after decimal point in numeric literal")
        if rest and rest in "eE":
            self.at += 2 if self.text[self.at + 1 : self.at + 2] in ("+", "-") else 1
            return self._bad("in exponent of numeric literal")
        return None


def _quoted_char(char: str) -> str:
    """Go's quoteChar: in single quotes, the quotes themselves swapped."""
    if char == "'":
        return r"'\''"
    if char == '"':
        return "'\"'"
    return f"'{char}'" if char.isprintable() else "'" + json.dumps(char)[1:-1].replace("\\u00", "\\x") + "'"

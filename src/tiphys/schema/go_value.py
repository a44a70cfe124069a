"""Go's ways of saying things that end up in upstream's messages: quoted strings, printed maps, bad times."""

from __future__ import annotations

import re
from typing import Any

_ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", '"': '\\"'}
_ESCAPES["\\"] = "\\\\"


def quote(text: str) -> str:
    """strconv.Quote."""
    return '"' + "".join(_ESCAPES.get(char) or _shown(char) for char in text) + '"'


def _shown(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def printed(value: Any) -> str:
    """fmt's %v of a decoded JSON value: `map[a:1 b:[x y]]`, keys sorted."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{printed(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(printed(item) for item in value) + "]"
    if isinstance(value, float):
        return _printed_float(value)
    return str(value)


def _printed_float(value: float) -> str:
    """%v of a float64: the shortest form, with an exponent from 21 digits on (strconv 'g' as fmt tunes it)."""
    text = repr(value)
    mantissa, mark, exponent = text.partition("e")
    if mark and abs(value) < 1e21 and abs(value) >= 1:
        return str(int(value))
    if mark:
        return f"{mantissa}e{exponent[0]}{exponent[1:].zfill(2)}"
    return text.removesuffix(".0")


def type_name(value: Any) -> str:
    """reflect's name of the Go type a JSON value decodes to in an untyped map."""
    names = {bool: "bool", str: "string", int: "int64", float: "float64", list: "[]interface {}"}
    return "map[string]interface {}" if isinstance(value, dict) else names.get(type(value), "%!s(<nil>)")


_STEPS = (
    ("2006", r"\d{4}"),
    ("-", "-"),
    ("01", r"\d\d"),
    ("-", "-"),
    ("02", r"\d\d"),
    ("T", "T"),
    ("15", r"\d\d"),
    (":", ":"),
    ("04", r"\d\d"),
    (":", ":"),
    ("05", r"\d\d"),
)
_RANGES = (("month", 1, 12), ("day", 1, 31), ("hour", 0, 23), ("minute", 0, 59), ("second", 0, 59))


def time_error(text: str, layout: str) -> str:
    """What time.Parse says of `text` against an RFC 3339 `layout`, given that it does not parse."""
    opening = f"parsing time {quote(text)}"
    rest, numbers = text, []
    for element, pattern in _STEPS:
        found = re.match(pattern, rest, re.ASCII)
        if not found:
            return f"{opening} as {quote(layout)}: cannot parse {quote(rest)} as {quote(element)}"
        rest = rest[found.end() :]
        if element.isdigit():
            numbers.append(int(found[0]))
    for (name, low, high), number in zip(_RANGES, numbers[1:], strict=True):
        if not low <= number <= high:
            return f"{opening}: {name} out of range"
    return _time_tail_error(opening, rest, layout)


def _time_tail_error(opening: str, rest: str, layout: str) -> str:
    fraction = re.match(r"[.,]\d+", rest, re.ASCII)
    if ".000000" in layout and (not fraction or len(fraction[0]) != 7):
        return f"{opening} as {quote(layout)}: cannot parse {quote(rest)} as {quote('.000000')}"
    rest = rest[fraction.end() :] if fraction else rest
    zone = re.match(r"Z|[+-]\d\d:\d\d", rest, re.ASCII)
    if not zone:
        return f"{opening} as {quote(layout)}: cannot parse {quote(rest)} as {quote('Z07:00')}"
    if rest[zone.end() :]:
        return f"{opening}: extra text: {quote(rest[zone.end() :])}"
    return f"{opening}: day out of range"


def base64_error(text: str) -> str:
    """base64.CorruptInputError at the first byte that cannot be."""
    bad = re.search(r"[^A-Za-z0-9+/\r\n]", text)
    position = bad.start() if bad else len(text)
    return f"illegal base64 data at input byte {position}"

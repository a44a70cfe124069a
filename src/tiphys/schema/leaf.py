"""The shapes without parts: how each reads a JSON value, and what the fast gate may take without a closer look.

`read` gives the value upstream would write back (a quantity in canonical form, a time in UTC) or saves or raises what
upstream says. `gate` is a msgspec type that accepts only values that `read` would give back unchanged.
"""

from __future__ import annotations

import binascii
import re
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import orjson

from tiphys.base import quantity
from tiphys.schema.go_value import base64_error, time_error
from tiphys.schema.walk import Number, Pairs, Refused, Walk, json_kind

_DATE = (
    r"[1-9]\d{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])"
    r"|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d"
)
"""A date every calendar has (29 February takes the careful way)."""
_QUANTITY = r"^(?:[1-9]\d{0,11}(?<!000)[mkMGTPE]?|(?:[1-9]\d{0,2}|[1-9]\d{0,8}[13579])[KMGTPE]i|0)\Z"
"""Quantities that are surely canonical: no thousand to move into the suffix, no power of 1024."""
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)", re.ASCII)


class TrueOnly:
    """A bool with omitempty: false is not written, so the gate takes true only."""


class Base64:
    """A byte field in standard base64, as Go would encode it again."""


def decode_hook(kind: type, value: Any) -> Any:
    """msgspec's hook for the two above. Raises ValueError to turn a value away from the gate."""
    if kind is TrueOnly and value is True:
        return _TRUE
    if kind is Base64 and isinstance(value, str) and value:
        data = binascii.a2b_base64(value, strict_mode=True)
        if binascii.b2a_base64(data, newline=False).decode() == value:
            return _BASE64
    raise ValueError


_TRUE, _BASE64 = TrueOnly(), Base64()


class Leaf:
    """A shape without parts. `go_type` is how errors name it."""

    go_type: str
    dropped: tuple[Any, ...] = ()
    """Values that omitempty leaves out."""

    def read(self, value: Any, walk: Walk) -> Any:
        raise NotImplementedError

    def gate(self, omit: bool) -> Any:
        """The msgspec type; with `omit`, one that also turns away what omitempty would drop."""
        raise NotImplementedError

    def zero(self) -> Any:
        """What Go writes for a null in a list or map of these."""
        return None


class String(Leaf):
    dropped = ("",)

    def __init__(self, go_type: str = "string") -> None:
        self.go_type = go_type

    def read(self, value: Any, walk: Walk) -> Any:
        if type(value) is str:
            return value
        walk.mismatch(value, self.go_type)
        return None

    def gate(self, omit: bool) -> Any:
        return Annotated[str, msgspec.Meta(min_length=1)] if omit else str

    def zero(self) -> Any:
        return ""


class Bool(Leaf):
    dropped = (False,)
    go_type = "bool"

    def read(self, value: Any, walk: Walk) -> Any:
        if isinstance(value, bool):
            return value
        walk.mismatch(value, self.go_type)
        return None

    def gate(self, omit: bool) -> Any:
        return TrueOnly if omit else bool

    def zero(self) -> Any:
        return False


class Integer(Leaf):
    dropped = (0,)

    def __init__(self, go_type: str) -> None:
        self.go_type = go_type
        bits = 31 if go_type == "int32" else 63
        self._low, self._high = -(1 << bits), (1 << bits) - 1

    def read(self, value: Any, walk: Walk) -> Any:
        if not isinstance(value, Number):
            walk.mismatch(value, self.go_type)
            return None
        number = integer(value)
        if number is None or not self._low <= number <= self._high:
            walk.save(walk.type_error(f"number {value}", self.go_type))
            return None
        return number

    def gate(self, omit: bool) -> Any:
        return Annotated[int, msgspec.Meta(ge=1 if omit else self._low, le=self._high)]

    def zero(self) -> Any:
        return 0


class Float(Leaf):
    dropped = (0,)
    go_type = "float64"

    def read(self, value: Any, walk: Walk) -> Any:
        if not isinstance(value, Number):
            walk.mismatch(value, self.go_type)
            return None
        return plain(value)

    def gate(self, omit: bool) -> Any:
        return None

    def zero(self) -> Any:
        return 0


class Bytes(Leaf):
    """A []byte: base64 in JSON. Go passes over line ends inside it."""

    dropped = ("",)
    go_type = "[]uint8"

    def read(self, value: Any, walk: Walk) -> Any:
        if type(value) is not str:
            walk.mismatch(value, self.go_type if json_kind(value) != "array" else "uint8")
            return None
        try:
            data = binascii.a2b_base64(value.replace("\r", "").replace("\n", ""), strict_mode=True)
        except ValueError:
            walk.save(base64_error(value))
            return None
        return binascii.b2a_base64(data, newline=False).decode()

    def gate(self, omit: bool) -> Any:
        return Base64


class Quantity(Leaf):
    """resource.Quantity: a string or a bare number, written back as a canonical string."""

    go_type = "resource.Quantity"

    def read(self, value: Any, walk: Walk) -> Any:
        text = value.strip() if isinstance(value, str) else "x"
        try:
            return str(quantity.parse(text))
        except ValueError as error:
            raise Refused(str(error)) from error

    def gate(self, omit: bool) -> Any:
        return Annotated[str, msgspec.Meta(pattern=_QUANTITY)]

    def zero(self) -> Any:
        return "0"


class IntOrString(Leaf):
    go_type = "intstr.IntOrString"

    def read(self, value: Any, walk: Walk) -> Any:
        if type(value) is str:
            return value
        if not isinstance(value, Number):
            raise Refused(walk.type_error(json_kind(value), "int32"))
        number = integer(value)
        if number is None or not -(1 << 31) <= number < 1 << 31:
            raise Refused(walk.type_error(f"number {value}", "int32"))
        return number

    def gate(self, omit: bool) -> Any:
        return str | Annotated[int, msgspec.Meta(ge=-(1 << 31), le=(1 << 31) - 1)]

    def zero(self) -> Any:
        return 0


class Time(Leaf):
    """metav1.Time, or MicroTime with `micro`: written back in UTC with whole seconds, or six digits of them."""

    def __init__(self, micro: bool, nullable: bool = False) -> None:
        self.go_type = "v1.MicroTime" if micro else "v1.Time"
        self._micro = micro
        self._layout = "2006-01-02T15:04:05.000000Z07:00" if micro else "2006-01-02T15:04:05Z07:00"

    def read(self, value: Any, walk: Walk) -> Any:
        if type(value) is not str:
            raise Refused(walk.type_error(json_kind(value), "string"))
        found = _RFC3339.fullmatch(value)
        if not found or (self._micro and len(found[2] or "") != 6):
            raise Refused(time_error(value, self._layout))
        try:
            zone = "+00:00" if found[3] == "Z" else found[3]
            moment = datetime.fromisoformat(f"{found[1]}.{(found[2] or '').ljust(6, '0')[:6]}{zone}").astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise Refused(time_error(value, self._layout)) from error
        return self._written(moment)

    def _written(self, moment: datetime) -> str | None:
        if moment == _ZERO_TIME:
            return None  # the zero Time marshals as null
        text = moment.replace(tzinfo=None).isoformat(timespec="microseconds" if self._micro else "seconds")
        return text + "Z"

    def gate(self, omit: bool) -> Any:
        return Annotated[str, msgspec.Meta(pattern=f"^{_DATE}{'[.][0-9]{6}' if self._micro else ''}Z\\Z")]


_ZERO_TIME = datetime(1, 1, 1, tzinfo=UTC)


class Raw(Leaf):
    """Any JSON, kept as it came (RawExtension, FieldsV1, apiextensions JSON)."""

    def __init__(self, go_type: str) -> None:
        self.go_type = go_type

    def read(self, value: Any, walk: Walk) -> Any:
        return plain(value)

    def gate(self, omit: bool) -> Any:
        return Any


def integer(number: Number) -> int | None:
    """strconv.ParseInt: digits only, no fraction and no exponent."""
    digits = number.removeprefix("-")
    return int(number) if digits.isdigit() and len(digits) < 20 else None


def plain(value: Any) -> Any:
    """A value of the careful parser as ordinary Python; of duplicate keys the last one counts."""
    if isinstance(value, Pairs):
        return {key: plain(item) for key, item in value}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, Number):
        return orjson.loads(value.encode())
    return value

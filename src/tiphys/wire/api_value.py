"""Values that are messages on the wire and something simpler in JSON: quantities, times, raw JSON, named lists."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from tiphys.wire.malformed import UNEXPECTED_END, Malformed, read_length, read_varint, skip
from tiphys.wire.protobuf import data as delimited
from tiphys.wire.protobuf import integer, text
from tiphys.wire.scalar import Codec, Int32, Int64

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_UNITS = {"ns": 1, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9}
_INT32, _INT64 = Int32(), Int64()


def fields(data: bytes, at: int, end: int) -> dict[int, Any]:
    """The last value of each field of a small message, by number: bytes, or an unsigned number. Raises Malformed."""
    found: dict[int, Any] = {}
    while at < end:
        key, at = read_varint(data, at)
        if key & 7 == 2:
            begin, at = read_length(data, at)
            if at > end:
                raise Malformed(UNEXPECTED_END)
            found[key >> 3] = data[begin:at]
        elif key & 7 == 0:
            found[key >> 3], at = read_varint(data, at)
        else:
            at = skip(data, at, key & 7)
    if at > end:
        raise Malformed(UNEXPECTED_END)
    return found


def _of_type(found: dict[int, Any], number: int, kind: type, go_name: str, zero: Any) -> Any:
    value = found.get(number, zero)
    if not isinstance(value, kind):
        raise Malformed(f"proto: wrong wireType = {0 if kind is bytes else 2} for field {go_name}")
    return value


class Quantity(Codec):
    """resource.Quantity: one string. What is in it is the schema decoder's to check."""

    def read(self, data: bytes, at: int, end: int, depth: int) -> Any:
        found = fields(data, at, end)
        return str(_of_type(found, 1, bytes, "String_", b"0"), "utf-8", "replace")

    def write(self, value: Any) -> bytes:
        return text(1, str(value))

    def unset(self) -> Any:
        return "0"


class IntOrString(Codec):
    zero = 0

    def read(self, data: bytes, at: int, end: int, depth: int) -> Any:
        found = fields(data, at, end)
        kind = _INT64.read_number(_of_type(found, 1, int, "Type", 0))
        if kind == 0:
            return _INT32.read_number(_of_type(found, 2, int, "IntVal", 0))
        if kind == 1:
            return str(_of_type(found, 3, bytes, "StrVal", b""), "utf-8", "replace")
        raise Malformed("impossible IntOrString.Type")

    def write(self, value: Any) -> bytes:
        """All three fields, as Go writes them."""
        is_text = isinstance(value, str)
        return integer(1, int(is_text)) + integer(2, 0 if is_text else value) + text(3, value if is_text else "")


class Time(Codec):
    """metav1.Time in whole seconds, or MicroTime with `micro`. The empty message is the zero time: null in JSON."""

    def __init__(self, micro: bool) -> None:
        self._micro = micro

    def read(self, data: bytes, at: int, end: int, depth: int) -> Any:
        if at == end:
            return None
        found = fields(data, at, end)
        seconds = _INT64.read_number(_of_type(found, 1, int, "Seconds", 0))
        nanos = _INT32.read_number(_of_type(found, 2, int, "Nanos", 0)) if self._micro else 0
        try:
            moment = _EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000)
        except OverflowError as error:
            raise Malformed("Time.MarshalJSON: year outside of range [0,9999]") from error
        return moment.replace(tzinfo=None).isoformat(timespec="microseconds" if self._micro else "seconds") + "Z"

    def write(self, value: Any) -> bytes:
        if value is None:
            return b""
        since = datetime.fromisoformat(value) - _EPOCH
        nanos = since.microseconds * 1000 if self._micro else 0
        return integer(1, since.days * 86400 + since.seconds) + integer(2, nanos)


class Raw(Codec):
    """JSON as it is: RawExtension, FieldsV1, apiextensions JSON."""

    def read(self, data: bytes, at: int, end: int, depth: int) -> Any:
        found = _of_type(fields(data, at, end), 1, bytes, "Raw", b"")
        if not found:
            return None
        try:
            return orjson.loads(found)
        except orjson.JSONDecodeError as error:
            raise Malformed(f"json: error calling MarshalJSON for type *runtime.RawExtension: {error}") from error

    def write(self, value: Any) -> bytes:
        return delimited(1, orjson.dumps(value))


class Items(Codec):
    """Go's named slices (ExtraValue): a message whose field 1 is repeated, in JSON just the list."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    def read(self, data: bytes, at: int, end: int, depth: int) -> Any:
        found = []
        while at < end:
            key, at = read_varint(data, at)
            if key != 0x0A:
                if key >> 3 == 1:
                    raise Malformed(f"proto: wrong wireType = {key & 7} for field Items")
                at = skip(data, at, key & 7)
                continue
            begin, at = read_length(data, at)
            if at > end:
                raise Malformed(UNEXPECTED_END)
            found.append(self._codec.read(data, begin, at, depth + 1))
        return found

    def write(self, value: Any) -> bytes:
        return b"".join([delimited(1, self._codec.write(item)) for item in value])

    def unset(self) -> Any:
        return []


class Duration(Codec):
    """metav1.Duration: nanoseconds on the wire, Go's text (`1h30m0s`) in JSON."""

    zero = "0s"

    def read(self, data: bytes, at: int, end: int, depth: int) -> Any:
        found = fields(data, at, end)
        return _go_duration(_INT64.read_number(_of_type(found, 1, int, "Duration", 0)))

    def write(self, value: Any) -> bytes:
        total = round(sum(float(amount) * _UNITS[unit] for amount, unit in _PART.findall(value)))
        return integer(1, -total if value.startswith("-") else total)


def _go_duration(nanos: int) -> str:
    """time.Duration.String."""
    if not nanos:
        return "0s"
    sign, left = ("-" if nanos < 0 else ""), abs(nanos)
    for unit, size in (("ns", 1), ("µs", 1000), ("ms", 1_000_000)):
        if left < size * 1000:
            return f"{sign}{_decimal(left, size)}{unit}"
    minutes, rest = divmod(left, 60_000_000_000)
    hours, minutes = divmod(minutes, 60)
    whole = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{whole}{_decimal(rest, 1_000_000_000)}s"


def _decimal(amount: int, unit: int) -> str:
    whole, rest = divmod(amount, unit)
    places = len(str(unit)) - 1
    return f"{whole}.{rest:0{places}d}".rstrip("0").rstrip(".") if rest else str(whole)

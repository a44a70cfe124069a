"""Amounts of resources: `500m` cores, `2Gi` of memory, `3` pods (apimachinery `pkg/api/resource`).

A quantity is a fixed-point number, kept exactly as a count of billionths, and the family of suffixes it was
written with, so that what is summed in Gi is printed in Gi. Arithmetic is exact and never overflows.

Where upstream prints a wrong number we do not: sums beyond 999E or 1023Ei keep their suffix there (upstream
drops it), and numbers of more than a thousand digits or with an exponent beyond a thousand are refused, which
upstream would compute for minutes.
"""

from __future__ import annotations

import re
from functools import lru_cache

DECIMAL_SI = "DecimalSI"
BINARY_SI = "BinarySI"
DECIMAL_EXPONENT = "DecimalExponent"

FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
NUMERIC_WRONG = "unable to parse numeric part of quantity"
SUFFIX_WRONG = "unable to parse quantity's suffix"

_NANO = 10**9
_MILLI = 10**6
_LARGEST = (2**63 - 1) * _NANO
_MOST_DIGITS = 1000
_FAST_DIGITS = 18
_CACHED_LENGTH = 64

_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_NAMES = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_NAMES = ("", *_BINARY)
_PARTS = re.compile(r"([+-]?)0*+([0-9]*+)\.?([0-9]*+)([eEinumkKMGTP]*+[-+]?[0-9]*+)")
_EXPONENT = re.compile(r"[eE]([-+]?[0-9]+)")


class QuantityError(ValueError):
    """Text that is no quantity, in upstream's words."""


class Quantity:
    """An amount; immutable. Compares, hashes and equals by value, whatever the format."""

    __slots__ = ("_text", "format", "nanos")

    def __init__(self, nanos: int, format: str = DECIMAL_SI, text: str = "") -> None:
        self.nanos = nanos
        """The amount times 10^9."""
        self.format = format
        self._text = text

    @property
    def value(self) -> int:
        """In whole units, a fraction rounded away from zero (Quantity.Value)."""
        return _away_from_zero(self.nanos, _NANO)

    @property
    def milli_value(self) -> int:
        """In thousandths, a fraction rounded away from zero (Quantity.MilliValue)."""
        return _away_from_zero(self.nanos, _MILLI)

    @property
    def is_zero(self) -> bool:
        return not self.nanos

    @property
    def sign(self) -> int:
        """-1, 0 or 1."""
        return (self.nanos > 0) - (self.nanos < 0)

    def __float__(self) -> float:
        return self.nanos / _NANO

    def __add__(self, other: Quantity) -> Quantity:
        """The sum in our format, or in `other`'s if we are zero (Quantity.Add)."""
        return Quantity(self.nanos + other.nanos, self.format if self.nanos else other.format)

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(self.nanos - other.nanos, self.format if self.nanos else other.format)

    def __neg__(self) -> Quantity:
        return Quantity(-self.nanos, self.format)

    def __mul__(self, factor: int) -> Quantity:
        return Quantity(self.nanos * factor, self.format)

    def __eq__(self, other: object) -> bool:
        return self.nanos == other.nanos if isinstance(other, Quantity) else NotImplemented

    def __lt__(self, other: Quantity) -> bool:
        return self.nanos < other.nanos

    def __le__(self, other: Quantity) -> bool:
        return self.nanos <= other.nanos

    def __gt__(self, other: Quantity) -> bool:
        return self.nanos > other.nanos

    def __ge__(self, other: Quantity) -> bool:
        return self.nanos >= other.nanos

    def __hash__(self) -> int:
        return hash(self.nanos)

    def __str__(self) -> str:
        """The canonical form: no fraction, the largest suffix that loses nothing; as parsed if it was canonical."""
        if not self._text:
            self._text = _canonical(self.nanos, self.format)
        return self._text

    def __repr__(self) -> str:
        return f"Quantity({str(self)!r})"


def from_value(value: int, format: str = DECIMAL_SI) -> Quantity:
    """`value` whole units (NewQuantity)."""
    return Quantity(value * _NANO, format)


def from_milli(value: int, format: str = DECIMAL_SI) -> Quantity:
    """`value` thousandths (NewMilliQuantity)."""
    return Quantity(value * _MILLI, format)


def parse(text: str | int | float) -> Quantity:
    """A quantity as it stands in a document: a string, where space around it is let pass, or a number.

    Raises QuantityError with upstream's words (ParseQuantity, Quantity.UnmarshalJSON).
    """
    if isinstance(text, str):
        return _cached(text) if len(text) <= _CACHED_LENGTH else _parse(text.strip())
    if isinstance(text, bool) or not isinstance(text, (int, float)):
        raise QuantityError(FORMAT_WRONG)
    if isinstance(text, int) and text.bit_length() > 3 * _MOST_DIGITS:
        raise QuantityError(NUMERIC_WRONG)
    return _cached(str(text))


@lru_cache(maxsize=8192)
def _cached(text: str) -> Quantity:
    return _parse(text.strip())


def _parse(text: str) -> Quantity:
    if text == "0":
        return Quantity(0, DECIMAL_SI, text)
    match = _PARTS.fullmatch(text) if text else None
    if match is None:
        raise QuantityError(FORMAT_WRONG)
    sign, whole, fraction, suffix = match.groups()
    exponent, binary, format = _suffix(suffix)
    digits = (whole or "0") + fraction
    if len(digits) > _MOST_DIGITS:
        raise QuantityError(NUMERIC_WRONG)
    keeps_text = _is_canonical(digits, fraction, exponent, binary)
    if not keeps_text and not _has_digits(text, suffix) and not _is_fast(digits, fraction, exponent, binary):
        raise QuantityError(NUMERIC_WRONG)
    nanos = _nanos(int(digits), exponent, binary, len(fraction))
    if format == BINARY_SI:
        nanos = min(nanos, _LARGEST)
        if 0 < nanos < _NANO:
            format = DECIMAL_SI
    return Quantity(-nanos if sign == "-" else nanos, format, text if keeps_text else "")


def _suffix(suffix: str) -> tuple[int, int, str]:
    """(power of ten, power of two, format) that a suffix stands for."""
    if suffix in _DECIMAL:
        return _DECIMAL[suffix], 0, DECIMAL_SI
    if suffix in _BINARY:
        return 0, _BINARY[suffix], BINARY_SI
    match = _EXPONENT.fullmatch(suffix)
    if match is None or len(match[1]) > 20:
        raise QuantityError(SUFFIX_WRONG)
    exponent = int(match[1])
    if exponent > _MOST_DIGITS:
        raise QuantityError(SUFFIX_WRONG)
    return max(exponent, -2 * _MOST_DIGITS), 0, DECIMAL_EXPONENT


def _has_digits(text: str, suffix: str) -> bool:
    return any(letter.isdigit() for letter in text[: len(text) - len(suffix)])


def _is_fast(digits: str, fraction: str, exponent: int, binary: int) -> bool:
    """Whether upstream reads the number as a plain int64, where it takes a missing number for 0."""
    if binary:
        return not fraction and len(digits) <= 15 - binary * 3 // 10 - 1
    return len(digits) <= _FAST_DIGITS and exponent - len(fraction) >= -9


def _is_canonical(digits: str, fraction: str, exponent: int, binary: int) -> bool:
    """Whether upstream keeps the text as written instead of printing the number anew."""
    if not _is_fast(digits, fraction, exponent, binary):
        return False
    if binary:
        return int(digits) & 7 != 0
    return (exponent - len(fraction)) % 3 == 0 and not digits.endswith("000") and digits[0] != "0"


def _nanos(digits: int, exponent: int, binary: int, places: int) -> int:
    """The number in billionths; what is finer is rounded up, so that a little of something is never nothing."""
    shift = exponent - places + 9
    scaled = digits << binary
    if shift >= 0:
        return int(scaled * 10**shift)
    return -int(-scaled // 10**-shift)


def _away_from_zero(amount: int, unit: int) -> int:
    return -(-amount // unit) if amount >= 0 else amount // unit


def _canonical(nanos: int, format: str) -> str:
    if not nanos:
        return "0"
    if format == BINARY_SI and nanos % _NANO == 0 and abs(nanos) >= 1024 * _NANO:
        return _canonical_binary(nanos // _NANO)
    exponent = -9
    highest = 18 if format != DECIMAL_EXPONENT else _MOST_DIGITS * 3
    while nanos % 1000 == 0 and exponent < highest:
        nanos //= 1000
        exponent += 3
    if format != DECIMAL_EXPONENT:
        return f"{nanos}{_DECIMAL_NAMES[exponent]}"
    return f"{nanos}e{exponent}" if exponent else str(nanos)


def _canonical_binary(amount: int) -> str:
    power = 0
    while amount % 1024 == 0 and power < len(_BINARY):
        amount //= 1024
        power += 1
    return f"{amount}{_BINARY_NAMES[power]}"


ZERO = Quantity(0)

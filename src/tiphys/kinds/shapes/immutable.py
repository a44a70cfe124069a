"""What ConfigMaps and Secrets share: a limit on size, and `immutable`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, forbidden_field

MAX_SIZE = 1024 * 1024
"""Bytes of all values together (core.MaxSecretSize)."""

_DETAIL = "field is immutable when `immutable` is set"


def data_size(data: Mapping[str, str]) -> int:
    """Bytes that base64 values stand for; exact for valid base64, without decoding it."""
    return sum(len(text) * 3 // 4 - text[-2:].count("=") for text in data.values())


def immutable_errors(new: Document, old: Document, names: Sequence[str]) -> list[FieldError]:
    """Neither `immutable` nor the named fields may change once it is set."""
    if not old.get("immutable"):
        return []
    errors = [] if new.get("immutable") else [forbidden_field("immutable", _DETAIL)]
    return errors + [
        forbidden_field(name, _DETAIL) for name in names if (new.get(name) or {}) != (old.get(name) or {})
    ]

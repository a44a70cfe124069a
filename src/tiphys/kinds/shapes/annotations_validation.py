"""Annotations of a template, which the generic metadata rules do not see (apimachinery ValidateAnnotations)."""

from __future__ import annotations

from collections.abc import Mapping

from tiphys.base.field_error import too_long
from tiphys.base.name_rules import label_key
from tiphys.kinds.shapes.field_checks import Errors, by_rule

MAX_SIZE = 256 * 1024


def annotations_size(annotations: Mapping[str, str], path: str, errors: Errors) -> None:
    """Keys are qualified names whatever their case; all together at most 256 KiB."""
    for key in annotations:
        by_rule(label_key, key.lower(), path, errors)
    if sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items()) > MAX_SIZE:
        errors.append(too_long(path, "", MAX_SIZE))

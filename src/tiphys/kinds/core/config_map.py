"""ConfigMap: settings by name, text or bytes (upstream's `ValidateConfigMap`)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.api.kind import Column, Context, Kind
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, invalid_value, too_long
from tiphys.base.name_rules import config_map_key
from tiphys.kinds.shapes.columns import AGE
from tiphys.kinds.shapes.immutable import MAX_SIZE, data_size, immutable_errors


def validate(document: Document, context: Context) -> Sequence[FieldError]:
    data, binary = document.get("data") or {}, document.get("binaryData") or {}
    errors: list[FieldError] = []
    for key in sorted(data):
        errors += _key_errors("data", key)
        if key in binary:
            errors.append(invalid_value(f"data[{key}]", key, "duplicate of key present in binaryData"))
    for key in sorted(binary):
        errors += _key_errors("binaryData", key)
    if sum(len(text.encode()) for text in data.values()) + data_size(binary) > MAX_SIZE:
        errors.append(too_long("[]", "", MAX_SIZE))
    return errors


def _key_errors(field: str, key: str) -> list[FieldError]:
    return [invalid_value(f"{field}[{key}]", key, detail) for detail in config_map_key(key)]


def validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    return [*immutable_errors(new, old, ("data", "binaryData")), *validate(new, context)]


KIND = Kind(
    kind="ConfigMap",
    plural="configmaps",
    short_names=("cm",),
    columns=(
        Column("Data", lambda document, now: len(document.get("data") or ()) + len(document.get("binaryData") or ())),
        AGE,
    ),
    has_generation=False,
    validate=validate,
    validate_update=validate_update,
)

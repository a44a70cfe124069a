"""CreateOptions, UpdateOptions, PatchOptions: from the query, validated (apimachinery `meta/v1/validation`)."""

from __future__ import annotations

from dataclasses import dataclass, field

from tiphys.api.query import Query
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, forbidden_field, invalid_value, too_long, unsupported
from tiphys.base.status import invalid

META_GROUP = "meta.k8s.io"
ALL = "All"
_FIELD_VALIDATIONS = ("", "Ignore", "Strict", "Warn")
_LONGEST_MANAGER = 128


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """What a write was asked with; `document` is the options object as admission sees it."""

    dry_run: bool = False
    field_validation: str = "Warn"
    field_manager: str = ""
    document: Document = field(default_factory=dict)


_DEFAULTS: dict[str, WriteOptions] = {}


def write_options(query: Query, kind: str) -> WriteOptions:
    """`kind` is CreateOptions, UpdateOptions or PatchOptions. Raises StatusError 422."""
    if not query:
        if kind not in _DEFAULTS:
            _DEFAULTS[kind] = _read(query, kind)
        return _DEFAULTS[kind]
    return _read(query, kind)


def _read(query: Query, kind: str) -> WriteOptions:
    manager, validation = query.text("fieldManager"), query.text("fieldValidation")
    dry_run, force = query.texts("dryRun"), query.boolean("force")
    errors: list[FieldError] = []
    if kind == "PatchOptions" and force is not None:
        errors.append(forbidden_field("force", "may not be specified for non-apply patch"))
    errors += field_manager_errors(manager, "fieldManager") + dry_run_errors(dry_run)
    if validation not in _FIELD_VALIDATIONS:
        errors.append(unsupported("fieldValidation", validation, _FIELD_VALIDATIONS))
    if errors:
        raise invalid(META_GROUP, kind, "", errors)
    document: Document = {"kind": kind, "apiVersion": f"{META_GROUP}/v1"}
    given = {"dryRun": dry_run, "fieldManager": manager, "fieldValidation": validation}
    document.update({key: value for key, value in given.items() if value})
    return WriteOptions(bool(dry_run), validation or "Warn", manager, document)


def dry_run_errors(values: list[str]) -> list[FieldError]:
    return [unsupported("dryRun", values, [ALL])] if any(value != ALL for value in values) else []


def field_manager_errors(manager: str, path: str) -> list[FieldError]:
    errors = [too_long(path, "", _LONGEST_MANAGER)] if len(manager.encode()) > _LONGEST_MANAGER else []
    position = 0
    for character in manager:
        if not character.isprintable():
            shown = f"invalid character U+{ord(character):04X} (at position {position})"
            errors.append(invalid_value(path, manager, shown))
        position += len(character.encode())
    return errors

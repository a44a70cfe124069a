"""Event as events.k8s.io shows it: the objects of the core group's events, with other names for their fields.

They are kept in the core shape, so hooks and columns are the core kind's; what this group adds is its stricter
validation (upstream's `ValidateEventCreate`, `ValidateEventUpdate`; `pkg/apis/events/v1/conversion.go`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tiphys.api.kind import Context, Kind
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, invalid_value, required
from tiphys.kinds.core import event as core_event
from tiphys.kinds.shapes.columns import Cell

_NAMES = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
"""The core group's names and this group's, where they differ."""
_CORE_NAMES = {name: core for core, name in _NAMES.items()}
_NOT_WRITTEN_EMPTY = {"reportingController", "reportingInstance"}
_IMMUTABLE = (
    "involvedObject",
    "reason",
    "message",
    "source",
    "firstTimestamp",
    "lastTimestamp",
    "count",
    "type",
    "eventTime",
    "action",
    "related",
    "reportingController",
    "reportingInstance",
)


def from_core(document: Document) -> Document:
    """The core shape in this group's; empty reporting fields are not written here."""
    named = {_NAMES.get(key, key): value for key, value in document.items()}
    kept = {key: value for key, value in named.items() if value or key not in _NOT_WRITTEN_EMPTY}
    return {**kept, "apiVersion": "events.k8s.io/v1", "kind": "Event"}


def to_core(document: Document) -> Document:
    return {**{_CORE_NAMES.get(key, key): value for key, value in document.items()}, "apiVersion": "v1"}


def validate(document: Document, context: Context) -> Sequence[FieldError]:
    errors = core_event.legacy_errors(document, "reportingController") + _series_errors(document)
    if not document.get("eventTime"):
        errors.append(required("eventTime"))
    type_ = document.get("type") or ""
    if type_ not in ("Normal", "Warning"):
        errors.append(invalid_value("type", "", f"has invalid value: {type_}"))
    for field in ("firstTimestamp", "lastTimestamp", "count", "source"):
        if document.get(field):
            errors.append(invalid_value(field, "", "needs to be unset"))
    return errors


def _series_errors(document: Document) -> list[FieldError]:
    series = document.get("series")
    if series is None:
        return []
    errors: list[FieldError] = []
    if (series.get("count") or 0) < 2:
        errors.append(invalid_value("series.count", "", "should be at least 2"))
    if not series.get("lastObservedTime"):
        errors.append(required("series.lastObservedTime"))
    return errors


def validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    errors = core_event.legacy_errors(new, "reportingController")
    if (new.get("series") or None) != (old.get("series") or None):
        errors += _series_errors(new)
    for field in _IMMUTABLE:
        key = _CORE_NAMES.get(field, field)
        if (new.get(key) or None) != (old.get(key) or None):
            errors.append(invalid_value(field, new.get(key), "field is immutable"))
    return errors


def _over_core(cell: Cell) -> Cell:
    """A core event's cell, for documents in this group's shape."""
    return lambda document, now: cell(to_core(document), now)


KIND = Kind(
    group="events.k8s.io",
    kind="Event",
    plural="events",
    storage=("", "events"),
    convert={"v1": (from_core, to_core)},
    short_names=("ev",),
    columns=tuple(replace(column, cell=_over_core(column.cell)) for column in core_event.COLUMNS),
    has_generation=False,
    default=core_event.default,
    validate=validate,
    validate_update=validate_update,
    fields=core_event.fields,
    create_on_update=True,
)

"""Event: a note that something happened to an object, in the shape of the core group.

events.k8s.io serves the same objects in another shape: see `kinds/events/event.py`. From upstream's
`pkg/registry/core/event`, `pkg/apis/core/validation/events.go` and `printEvent`.
"""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.api.kind import Column, Context, Kind
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, invalid_value, required
from tiphys.base.name_rules import dns1123_subdomain, label_key
from tiphys.kinds.shapes.columns import at, elapsed, text
from tiphys.kinds.shapes.part import part

_NO_MATCH = "does not match event.namespace"
_LIMITS = (("reportingInstance", 128, True), ("action", 128, True), ("reason", 128, True), ("message", 1024, False))
"""(field, most characters, whether it is required) of an event with an eventTime."""
_ALWAYS_THERE: dict[str, object] = {
    "eventTime": None,
    "firstTimestamp": None,
    "lastTimestamp": None,
    "reportingComponent": "",
    "reportingInstance": "",
}


def default(document: Document, context: Context) -> None:
    """The fields that upstream always writes, set or not."""
    for field, empty in _ALWAYS_THERE.items():
        document.setdefault(field, empty)
    for field in ("source", "involvedObject"):
        part(document, field)


def validate(document: Document, context: Context) -> Sequence[FieldError]:
    return legacy_errors(document, "reportingComponent")


def legacy_errors(event: Document, controller_field: str) -> list[FieldError]:
    """What is asked of events in either shape; they name the controller differently (legacyValidateEvent)."""
    namespace = (event.get("metadata") or {}).get("namespace") or ""
    involved = (event.get("involvedObject") or {}).get("namespace") or ""
    if not event.get("eventTime"):
        matches = namespace == involved if involved else namespace in ("", "default")
    else:
        matches = bool(involved) or namespace in ("default", "kube-system")
    errors = [] if matches else [invalid_value("involvedObject.namespace", involved, _NO_MATCH)]
    if event.get("eventTime"):
        errors += _new_style_errors(event, controller_field)
    return errors + [invalid_value("namespace", namespace, detail) for detail in dns1123_subdomain(namespace)]


def _new_style_errors(event: Document, controller_field: str) -> list[FieldError]:
    controller = event.get("reportingComponent") or ""
    errors = [] if controller else [required(controller_field)]
    errors += [invalid_value(controller_field, controller, detail) for detail in label_key(controller)]
    for field, longest, is_required in _LIMITS:
        value = event.get(field) or ""
        if is_required and not value:
            errors.append(required(field))
        if len(value.encode()) > longest:
            errors.append(invalid_value(field, "", f"can have at most {longest} characters"))
    return errors


def validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    return validate(new, context)


def fields(document: Document) -> dict[str, str]:
    """By the names of both groups, since objects and what is known of them are shared (upstream takes of each
    group's names its own only)."""
    involved = document.get("involvedObject") or {}
    reporting = document.get("reportingComponent") or ""
    names = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
    return {
        **{f"{whom}.{name}": involved.get(name) or "" for whom in ("involvedObject", "regarding") for name in names},
        "reason": document.get("reason") or "",
        "reportingComponent": reporting,
        "reportingController": reporting,
        "source": (document.get("source") or {}).get("component") or reporting,
        "type": document.get("type") or "",
    }


def _first_seen(document: Document, now: float) -> str:
    return elapsed(document.get("firstTimestamp") or document.get("eventTime"), now)


def _last_seen(document: Document, now: float) -> str:
    if document.get("series"):
        return elapsed(at(document, "series.lastObservedTime"), now)
    last = document.get("lastTimestamp")
    return elapsed(last, now) if last else _first_seen(document, now)


def _count(document: Document, now: float) -> int:
    """A series counts what came after its first event; an event without a count happened once."""
    series = document.get("series")
    if series:
        return int(series.get("count") or 0) + 1
    return int(document.get("count") or 1)


def _object(document: Document, now: float) -> str:
    kind, name = at(document, "involvedObject.kind") or "", at(document, "involvedObject.name")
    return f"{kind.lower()}/{name}" if name else kind.lower()


def _source(document: Document, now: float) -> str:
    component = at(document, "source.component") or document.get("reportingComponent") or ""
    host = at(document, "source.host") or document.get("reportingInstance")
    return f"{component}, {host}" if host else component


COLUMNS = (
    Column("Last Seen", _last_seen),
    Column("Type", text("type")),
    Column("Reason", text("reason")),
    Column("Object", _object),
    Column("Subobject", text("involvedObject.fieldPath"), priority=1),
    Column("Source", _source, priority=1),
    Column("Message", lambda document, now: (document.get("message") or "").strip()),
    Column("First Seen", _first_seen, priority=1),
    Column("Count", _count, priority=1),
    Column("Name", text("metadata.name"), format="name", priority=1),
)

KIND = Kind(
    kind="Event",
    plural="events",
    short_names=("ev",),
    columns=COLUMNS,
    has_generation=False,
    default=default,
    validate=validate,
    validate_update=validate_update,
    fields=fields,
    create_on_update=True,
)

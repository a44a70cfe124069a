"""ListOptions: from the query, defaulted and validated (apimachinery `meta/internalversion`)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tiphys.api.options import META_GROUP
from tiphys.api.query import Query
from tiphys.base.field_error import FieldError, forbidden_field, unsupported
from tiphys.base.status import invalid

EXACT = "Exact"
NOT_OLDER_THAN = "NotOlderThan"
_MATCH = "resourceVersionMatch"


@dataclass(frozen=True, slots=True)
class ListOptions:
    """`watch` is as the verb says. Selectors are read apart (`selection`)."""

    resource_version: str = ""
    match: str = ""
    limit: int = 0
    continue_: str = ""
    timeout: int | None = None
    bookmarks: bool = False
    initial_events: bool | None = None


_NONE = ListOptions()


def read_list_options(query: Query, *, watch: bool) -> ListOptions:
    """Raises StatusError 400 for a malformed number, 422 for what may not go together."""
    if not query and not watch:
        return _NONE
    options = ListOptions(
        query.text("resourceVersion"),
        query.text(_MATCH),
        query.integer("limit") or 0,
        query.text("continue"),
        query.integer("timeoutSeconds"),
        query.boolean("allowWatchBookmarks") or False,
        query.boolean("sendInitialEvents"),
    )
    if watch:
        options = _defaulted(options)
    errors = _watch_errors(options) if watch else _list_errors(options)
    if errors:
        raise invalid(META_GROUP, "ListOptions", "", errors)
    return options


def _defaulted(options: ListOptions) -> ListOptions:
    """SetListOptionsDefaults: a watch from nowhere starts with the current state."""
    if options.initial_events is not None or options.match or options.resource_version not in ("", "0"):
        return options
    return replace(options, initial_events=True, match=NOT_OLDER_THAN)


def _list_errors(options: ListOptions) -> list[FieldError]:
    errors: list[FieldError] = []
    match = options.match
    if match:
        if not options.resource_version:
            errors.append(forbidden_field(_MATCH, f"{_MATCH} is forbidden unless resourceVersion is provided"))
        errors += _no_continue(options)
        if match not in (EXACT, NOT_OLDER_THAN):
            errors.append(unsupported(_MATCH, match, (EXACT, NOT_OLDER_THAN, "")))
        if match == EXACT and options.resource_version == "0":
            errors.append(forbidden_field(_MATCH, f'{_MATCH} "exact" is forbidden for resourceVersion "0"'))
    if options.initial_events is not None:
        errors.append(forbidden_field("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    return errors


def _watch_errors(options: ListOptions) -> list[FieldError]:
    errors: list[FieldError] = []
    match = options.match
    if options.initial_events is not None and match != NOT_OLDER_THAN:
        errors.append(forbidden_field(_MATCH, f"sendInitialEvents requires setting {_MATCH} to {NOT_OLDER_THAN}"))
    if match:
        if options.initial_events is None:
            detail = f"{_MATCH} is forbidden for watch unless sendInitialEvents is provided"
            errors.append(forbidden_field(_MATCH, detail))
        if match != NOT_OLDER_THAN:
            errors.append(unsupported(_MATCH, match, (NOT_OLDER_THAN,)))
        errors += _no_continue(options)
    return errors


def _no_continue(options: ListOptions) -> list[FieldError]:
    if not options.continue_:
        return []
    return [forbidden_field(_MATCH, f"{_MATCH} is forbidden when continue is provided")]

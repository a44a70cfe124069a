"""The Table form of objects, which `kubectl get` prints, and the metadata-only form (meta.k8s.io).

A kind's columns say what stands in a row (`Kind.columns`, after the name unless one of them is the name); a kind
without any shows its name and when it was made, as upstream's default convertor does (apiserver
`registry/rest/table.go`). Cells are read off the shape the kind is stored in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tiphys.api.catalog import Resource
from tiphys.api.kind import Column, Converter, Kind
from tiphys.api.media_type import META_GROUP
from tiphys.base.document import Document
from tiphys.base.field_error import invalid_value
from tiphys.base.status import bad_request

INCLUDE_NONE, INCLUDE_METADATA, INCLUDE_OBJECT = "None", "Metadata", "Object"
_LIST_META = ("resourceVersion", "continue", "remainingItemCount")
_DOCS = "https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names"
_CONVENTIONS = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata"
_NAME_DESCRIPTION = (
    "Name must be unique within a namespace. Is required when creating resources, although some resources may "
    "allow a client to request the generation of an appropriate name automatically. Name is primarily intended for "
    "creation idempotence and configuration definition. Cannot be updated. More info: " + _DOCS
)
_CREATED_DESCRIPTION = (
    "CreationTimestamp is a timestamp representing the server time when this object was created. It is not "
    "guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is "
    "represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: "
    + _CONVENTIONS
)
_DESCRIPTIONS = {"Name": _NAME_DESCRIPTION, "Age": _CREATED_DESCRIPTION}


def _name(document: Document, _: float) -> Any:
    return document["metadata"].get("name", "")


def _created_at(document: Document, _: float) -> Any:
    return document["metadata"].get("creationTimestamp")


_NAME = Column("Name", _name, format="name", description=_NAME_DESCRIPTION)
_DEFAULT_COLUMNS = (Column("Created At", _created_at, type="date", description=_CREATED_DESCRIPTION),)


def include_object(query_value: str) -> str:
    """The `includeObject` a query asks for, Metadata unless said. Raises StatusError 400 for another word."""
    if query_value not in ("", INCLUDE_NONE, INCLUDE_METADATA, INCLUDE_OBJECT):
        error = invalid_value("includeObject", query_value, "must be 'Metadata', 'Object', 'None', or empty")
        raise bad_request(f"Unable to convert to Table as requested: {error}")
    return query_value or INCLUDE_METADATA


def render(
    resource: Resource,
    documents: Iterable[Document],
    list_metadata: Document,
    now: float,
    include: str,
    version: str,
    *,
    headers: bool = True,
) -> Document:
    """A Table of the documents, which are in the resource's version. `now` is seconds since the epoch.

    `list_metadata` is the list's, or the one object's: its resourceVersion, continue and remainingItemCount are kept.
    `include` is one `include_object` returned. A watch sends one table an event, and `headers` with the first only.
    """
    columns = table_columns(resource.kind)
    to_stored = resource.converter[1] if resource.converter else None
    return {
        "kind": "Table",
        "apiVersion": f"{META_GROUP}/{version}",
        "metadata": _kept(list_metadata),
        "columnDefinitions": column_definitions(columns) if headers else None,
        "rows": [row(columns, document, now, include, version, to_stored) for document in documents],
    }


def row(
    columns: Sequence[Column],
    document: Document,
    now: float,
    include: str,
    version: str,
    to_stored: Converter | None = None,
) -> Document:
    """One row: a cell for each column, and as much of the object as `include` says."""
    shown = to_stored(document) if to_stored else document
    cells = [column.cell(shown, now) for column in columns]
    return {"cells": cells, "object": _included(document, include, version)}


def _included(document: Document, include: str, version: str) -> Document | None:
    if include == INCLUDE_OBJECT:
        return document
    return None if include == INCLUDE_NONE else partial_metadata(document, version)


def table_columns(kind: Kind) -> tuple[Column, ...]:
    """The kind's columns, its name first where it does not say where it stands."""
    columns = kind.columns or _DEFAULT_COLUMNS
    return columns if any(column.name == _NAME.name for column in columns) else (_NAME, *columns)


def column_definitions(columns: Sequence[Column]) -> list[Document]:
    """TableColumnDefinitions, with upstream's description of an age where the kind gives none."""
    return [_definition(column) for column in columns]


def _definition(column: Column) -> Document:
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": column.description or _DESCRIPTIONS.get(column.name, ""),
        "priority": column.priority,
    }


def partial_metadata(document: Document, version: str) -> Document:
    """The object's metadata alone."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": f"{META_GROUP}/{version}",
        "metadata": document["metadata"],
    }


def partial_metadata_list(documents: Iterable[Document], list_metadata: Document, version: str) -> Document:
    """The metadata of each item of a list."""
    return {
        "kind": "PartialObjectMetadataList",
        "apiVersion": f"{META_GROUP}/{version}",
        "metadata": _kept(list_metadata),
        "items": [partial_metadata(document, version) for document in documents],
    }


def _kept(list_metadata: Document) -> Document:
    return {key: list_metadata[key] for key in _LIST_META if key in list_metadata}

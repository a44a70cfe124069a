"""The few facts of an object that selection needs, kept beside its bytes so that lists need not decode."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from tiphys.api.kind import Kind
from tiphys.base.document import Document
from tiphys.store.contract import Record


@dataclass(slots=True)
class Facts:
    """Labels and selectable fields of one object at one revision, as `kind` has them."""

    kind: Kind
    labels: dict[str, str]
    fields: dict[str, str]
    protobuf: tuple[str, bytes] | None = None
    """The object as an item of a list in protobuf, and of which definition; made when first asked for."""


def facts_of(kind: Kind, document: Document) -> Facts:
    """`document` in the kind's storage version."""
    metadata = document["metadata"]
    fields = {"metadata.name": metadata["name"]}
    if kind.namespaced:
        fields["metadata.namespace"] = metadata["namespace"]
    if kind.fields:
        fields.update(kind.fields(document))
    return Facts(kind, metadata.get("labels") or {}, fields)


def record_facts(kind: Kind, record: Record) -> Facts:
    """The record's facts, found out now if it was read back from disk without them, or written as another kind's."""
    facts = record.facts
    if facts is None or facts.kind is not kind:
        facts = record.facts = facts_of(kind, orjson.loads(record.value))
    found: Facts = facts
    return found


def selectable(kind: Kind) -> set[str] | None:
    """The field labels that the kind selects by beyond the default two; None when it has no rule of its own."""
    if kind.fields is None:
        return None
    own = set(kind.fields({"metadata": {}, "spec": {}, "status": {}}))
    return own | ({"metadata.name", "metadata.namespace"} if kind.namespaced else {"metadata.name"})

"""Documents in protobuf: bodies that come so, answers that are wanted so.

The codecs are `wire`'s; here they meet the kinds of a catalog. Objects stay JSON in the store. What a record is in
protobuf is made when first asked for and kept with the record's facts, so that a list is made once.

`wire` is imported by the first function that needs it: clients that speak JSON only do not wait for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import orjson

from tiphys.api.catalog import Resource, api_version
from tiphys.api.encoding import to_version
from tiphys.api.facts import record_facts
from tiphys.base.document import Document
from tiphys.base.status import not_acceptable
from tiphys.schema.decode import IGNORE, Decoder, refused, unrecognized
from tiphys.schema.definitions import Definitions, GroupVersionKind
from tiphys.store.contract import Record

if TYPE_CHECKING:
    from tiphys.wire.envelope import Unknown
    from tiphys.wire.message import Message

META = "io.k8s.apimachinery.pkg.apis.meta.v1"
_META_KINDS = (
    "PartialObjectMetadata",
    "PartialObjectMetadataList",
    "Status",
    "APIVersions",
    "APIGroup",
    "APIGroupList",
    "APIResourceList",
)
"""Of meta/v1, whatever version they are sent in."""
_ITEMS = 2
"""The number of `items` in every list."""


def decode(decoder: Decoder, body: bytes, group: str, version: str, kind: str) -> Document:
    """A body as `Decoder.decode` gives it. What it says it is counts, the request stands in for what it leaves out.

    There are no unknown or duplicate fields to tell of: upstream passes over them here whatever `fieldValidation` is.
    Raises StatusError 400.
    """
    from tiphys.wire.envelope import open_envelope, read_message
    from tiphys.wire.malformed import Malformed
    from tiphys.wire.messages import message_of

    try:
        unknown = open_envelope(body)
    except Malformed as error:
        raise unrecognized(kind, str(error), body) from error
    actual = _actual(unknown, (group, version, kind))
    definition = decoder.definitions.definition(*actual)
    message = message_of(definition) if definition else None
    document: Document = {"apiVersion": api_version(*actual[:2]), "kind": actual[2]}
    if message is not None:
        try:
            document.update(read_message(message, unknown.raw))
        except Malformed as error:
            raise refused(actual, (group, version, kind), str(error)) from error
    return decoder.check(document, group, version, kind, validation=IGNORE)[0]


def _actual(unknown: Unknown, asked: GroupVersionKind) -> GroupVersionKind:
    """runtime.Unknown.GroupVersionKind with the defaults of protobuf.copyKindDefaults."""
    group, _, version = unknown.api_version.rpartition("/")
    if not version or "/" in group:
        group, version = asked[:2]
    return group, version, unknown.kind or asked[2]


def encode(definitions: Definitions, document: Document) -> bytes:
    """A document in its envelope. Raises StatusError 406 for what has no protobuf form (a Table)."""
    from tiphys.wire.envelope import envelope

    said, kind = document.get("apiVersion", ""), document["kind"]
    group, _, version = said.rpartition("/")
    definition = f"{META}.{kind}" if kind in _META_KINDS else definitions.definition(group, version, kind)
    return envelope(said, kind, _message(definition or "", kind).write(document))


def encode_value(resource: Resource, value: bytes) -> bytes:
    """A stored value in the resource's version, in its envelope."""
    from tiphys.wire.envelope import envelope

    return envelope(resource.api_version, resource.kind.kind, _raw(resource, value))


def frame(kind: bytes, enveloped: bytes) -> bytes:
    """An event of a watch, given its type (`ADDED`) and its object in an envelope."""
    from tiphys.wire.envelope import watch_frame

    return watch_frame(kind, enveloped)


def encode_records(resource: Resource, records: Sequence[Record], list_metadata: Document) -> bytes:
    """A list of records."""
    from tiphys.wire.envelope import envelope

    kind = f"{resource.kind.kind}List"
    head = _message(f"{resource.definition}List", kind).write({"metadata": list_metadata})
    return envelope(resource.api_version, kind, head + b"".join(_items(resource, records)))


def _items(resource: Resource, records: Iterable[Record]) -> Iterable[bytes]:
    from tiphys.wire import protobuf

    definition, kind = resource.definition, resource.kind
    for record in records:
        facts = record_facts(kind, record)
        kept = facts.protobuf
        if kept is None or kept[0] != definition:
            item = protobuf.data(_ITEMS, _raw(resource, record.value))
            kept = facts.protobuf = definition, item
        yield kept[1]


def _raw(resource: Resource, value: bytes) -> bytes:
    document = to_version(resource, orjson.loads(value))
    return _message(resource.definition, resource.kind.kind).write(document)


def _message(definition: str, kind: str) -> Message:
    from tiphys.wire.messages import message_of

    found = message_of(definition)
    if found is None:
        raise not_acceptable(
            f"object *{kind} does not implement the protobuf marshalling interface and cannot be encoded to a "
            "protobuf message"
        )
    return found

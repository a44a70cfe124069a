"""Watch events as they are sent: `{"type":"ADDED","object":{…}}` and a newline, or the same in protobuf.

A frame is made once for an event and a form of it, and kept with the event for all other watchers (`Event.frames`).
"""

from __future__ import annotations

import orjson

from tiphys.api import protobuf, table
from tiphys.api.call import Call
from tiphys.api.encoding import in_version, to_version
from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.store.contract import Event, Record, stamp

ADDED, MODIFIED, DELETED, BOOKMARK = b"ADDED", b"MODIFIED", b"DELETED", b"BOOKMARK"
INITIAL_END = "k8s.io/initial-events-end"


def frame(kind: bytes, value: bytes) -> bytes:
    """`value` is the object's JSON."""
    return b'{"type":"%b","object":%b}\n' % (kind, value)


class Framer:
    """Makes the frames of one watch. Only its first Table carries the column definitions."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._resource = call.resource
        form = call.shape.form
        self._plain = not form.kind
        self._headers = True
        self._protobuf = call.shape.protobuf
        self._frame = protobuf.frame if self._protobuf else frame
        self._key = (call.resource.version, form.kind, form.version, call.shape.include, self._protobuf)

    def event(self, event: Event) -> bytes:
        """The change as it is."""
        if event.record is None:
            return self._shared(event, DELETED, _last(event))
        return self._shared(event, MODIFIED if event.previous else ADDED, event.record.value)

    def entered(self, event: Event) -> bytes:
        """A change that brought the object into a selection."""
        assert event.record is not None
        return self._shared(event, ADDED, event.record.value)

    def left(self, event: Event) -> bytes:
        """A change that took the object out of a selection: told with the state before, at the change's version."""
        assert event.previous is not None
        return self._shared(event, DELETED, stamp(event.previous.value, event.revision))

    def added(self, record: Record) -> bytes:
        """An object that was there before the watch."""
        return self._frame(ADDED, self._object(record.value))

    def bookmark(self, revision: int, *, initial_end: bool = False) -> bytes:
        """How far the watch has come. `initial_end`: the state at the start has been told."""
        metadata: Document = {"resourceVersion": str(revision), "creationTimestamp": None}
        if initial_end:
            metadata["annotations"] = {INITIAL_END: "true"}
        resource = self._resource
        document = {"kind": resource.kind.kind, "apiVersion": resource.api_version, "metadata": metadata}
        return self._frame(BOOKMARK, self._dump(self._formed_bookmark(document)))

    def error(self, error: StatusError) -> bytes:
        return self._frame(b"ERROR", self._dump(error.document()))

    def _shared(self, event: Event, kind: bytes, value: bytes) -> bytes:
        if not self._plain and self._headers:
            return self._frame(kind, self._object(value))
        key = (kind, self._key)
        found = event.frames.get(key)
        if found is None:
            found = event.frames[key] = self._frame(kind, self._object(value))
        return found

    def _object(self, value: bytes) -> bytes:
        if self._plain:
            encode = protobuf.encode_value if self._protobuf else in_version
            return encode(self._resource, value)
        return self._dump(self._formed(to_version(self._resource, orjson.loads(value))))

    def _dump(self, document: Document) -> bytes:
        """A document that is no stored object."""
        if self._protobuf:
            return protobuf.encode(self._call.api.catalog.definitions, document)
        return orjson.dumps(document)

    def _formed(self, document: Document) -> Document:
        call, form = self._call, self._call.shape.form
        if form.kind != "Table":
            return table.partial_metadata(document, form.version)
        headers, self._headers = self._headers, False
        metadata = {"resourceVersion": document["metadata"]["resourceVersion"]}
        now, include = call.api.clock.now(), call.shape.include
        return table.render(call.resource, [document], metadata, now, include, form.version, headers=headers)

    def _formed_bookmark(self, document: Document) -> Document:
        """A bookmark's object has metadata only, so its row in a Table has no cells."""
        form = self._call.shape.form
        if self._plain:
            return document
        partial = table.partial_metadata(document, form.version)
        if form.kind != "Table":
            return partial
        made = table.render(self._resource, [], document["metadata"], 0.0, "", form.version, headers=self._headers)
        self._headers = False
        return {**made, "rows": [{"cells": [], "object": partial}]}


def _last(event: Event) -> bytes:
    """The final state, at the deletion's version."""
    last = event.last or event.previous
    assert last is not None
    return last.value

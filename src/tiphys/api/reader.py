"""Decoded reads and bare writes of the store, for admission plugins (`api/admission.py` Reader and Writer)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import orjson

from tiphys.api.catalog import Catalog, Resource
from tiphys.api.encoding import encode
from tiphys.api.facts import facts_of
from tiphys.base.document import Document
from tiphys.base.status import MODIFIED, StatusError, conflict, not_found, qualified
from tiphys.store.contract import KeyMissing, Record, RevisionMismatch, Store

_KEPT = 8192


class DocumentReader:
    """Decodes a record once a revision; the most recently read documents are kept, `kept` of them at most."""

    def __init__(self, store: Store, catalog: Catalog, kept: int = _KEPT) -> None:
        self._store = store
        self._catalog = catalog
        self._kept = kept
        self._documents: OrderedDict[str, tuple[int, Document]] = OrderedDict()

    async def get(self, group: str, plural: str, namespace: str, name: str) -> Document | None:
        resource = self._catalog.stored(group, plural)
        record = await self._store.get(resource.key(namespace, name)) if resource else None
        return self.document(record) if record else None

    async def list(self, group: str, plural: str, namespace: str = "") -> Sequence[Document]:
        resource = self._catalog.stored(group, plural)
        if resource is None:
            return ()
        below = f"{resource.prefix}{namespace}/" if namespace and resource.kind.namespaced else resource.prefix
        page = await self._store.list(below)
        return [self.document(record) for record in page.records]

    def document(self, record: Record) -> Document:
        """The record's document, shared: never change it."""
        kept = self._documents.get(record.key)
        if kept and kept[0] == record.revision:
            self._documents.move_to_end(record.key)
            return kept[1]
        document: Document = orjson.loads(record.value)
        self._documents[record.key] = record.revision, document
        self._documents.move_to_end(record.key)
        if len(self._documents) > self._kept:
            self._documents.popitem(last=False)
        return document


class DocumentWriter:
    """Writes that pass by admission and validation."""

    def __init__(self, store: Store, catalog: Catalog) -> None:
        self._store = store
        self._catalog = catalog

    async def replace_status(self, group: str, plural: str, document: Document) -> Document:
        metadata = document["metadata"]
        named = qualified(group, plural), metadata["name"]
        resource = self._catalog.stored(group, plural)
        key = resource.key(metadata.get("namespace", ""), metadata["name"]) if resource else ""
        record = await self._store.get(key) if resource else None
        if resource is None or record is None:
            raise not_found(*named)
        if metadata.get("resourceVersion") != str(record.revision):
            raise conflict(*named, MODIFIED)
        return await self._write(resource, record, document.get("status"), conflict(*named, MODIFIED))

    async def _write(self, resource: Resource, record: Record, status: object, lost: StatusError) -> Document:
        changed: Document = {**orjson.loads(record.value), "status": status}
        try:
            written = await self._store.update(
                record.key, encode(changed), facts_of(resource.kind, changed), expected=record.revision
            )
        except (KeyMissing, RevisionMismatch):
            raise lost from None
        changed["metadata"]["resourceVersion"] = str(written.revision)
        return changed

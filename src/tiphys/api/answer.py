"""Stored bytes and documents to Responses, in the shape the request accepts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import orjson
import yaml

from tiphys.api import protobuf, table
from tiphys.api.call import Call
from tiphys.api.catalog import Resource
from tiphys.api.encoding import in_version, list_items, to_version
from tiphys.api.shape import Shape
from tiphys.api.warning import warning_headers
from tiphys.base.document import Document
from tiphys.base.http import JSON, Response
from tiphys.base.status import StatusError, not_acceptable
from tiphys.schema.definitions import Definitions
from tiphys.store.contract import Record

Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def one(call: Call, code: int, value: bytes) -> Response:
    """One object, given as its stored bytes."""
    shape = call.shape
    if shape.is_plain:
        return Response(code, in_version(call.resource, value), JSON, warning_headers(call.warnings))
    if shape.protobuf and not shape.form.kind:
        body = protobuf.encode_value(call.resource, value)
    else:
        body = dump(call, transform(call, to_version(call.resource, orjson.loads(value))))
    return Response(code, body, shape.form.media_type, warning_headers(call.warnings))


def plain_document(call: Call, code: int, document: Document) -> Response:
    """A document that is not of the resource's kind (a Status, a Scale): never made a Table of."""
    return Response(code, dump(call, document), call.shape.form.media_type, warning_headers(call.warnings))


def many(call: Call, records: Sequence[Record], list_metadata: Document) -> Response:
    """A list of records."""
    shape = call.shape
    if shape.is_plain:
        body = join(call.resource, (record.value for record in records), list_metadata)
        return Response(200, body, JSON, warning_headers(call.warnings))
    if shape.protobuf and not shape.form.kind:
        body = protobuf.encode_records(call.resource, records, list_metadata)
    else:
        documents = (to_version(call.resource, orjson.loads(record.value)) for record in records)
        body = dump(call, transform_list(call, documents, list_metadata))
    return Response(200, body, shape.form.media_type, warning_headers(call.warnings))


def join(resource: Resource, values: Iterable[bytes], list_metadata: Document) -> bytes:
    """A list's bytes out of its items' stored bytes."""
    start = {"kind": f"{resource.kind.kind}List", "apiVersion": resource.api_version, "metadata": list_metadata}
    items = b",".join(list_items(resource, values))
    return b'%b,"items":[%b]}' % (orjson.dumps(start)[:-1], items)


def transform(call: Call, document: Document) -> Document:
    """One document, in the resource's version, in the form asked for. Raises StatusError 406."""
    form = call.shape.form
    if form.kind == "Table":
        now, include = call.api.clock.now(), call.shape.include
        metadata = {"resourceVersion": document["metadata"].get("resourceVersion", "")}
        return table.render(call.resource, [document], metadata, now, include, form.version)
    if form.kind == "PartialObjectMetadata":
        return table.partial_metadata(document, form.version)
    if form.kind:
        raise _wrong_form("PartialObjectMetadataList", "is not a list", call.resource)
    return document


def transform_list(call: Call, documents: Iterable[Document], list_metadata: Document) -> Document:
    form, kind = call.shape.form, call.resource.kind
    if form.kind == "Table":
        now, include = call.api.clock.now(), call.shape.include
        return table.render(call.resource, documents, list_metadata, now, include, form.version)
    if form.kind == "PartialObjectMetadataList":
        return table.partial_metadata_list(documents, list_metadata, form.version)
    if form.kind:
        raise _wrong_form("PartialObjectMetadata", "is a list", call.resource)
    start = {"kind": f"{kind.kind}List", "apiVersion": call.resource.api_version, "metadata": list_metadata}
    return {**start, "items": [_without_head(document) for document in documents]}


def _without_head(document: Document) -> Document:
    return {key: value for key, value in document.items() if key not in ("apiVersion", "kind")}


def _wrong_form(form: str, why: str, resource: Resource) -> StatusError:
    return not_acceptable(f"you requested {form}, but the requested object {why} ({resource.kind.kind})")


def dump(call: Call, document: Document) -> bytes:
    return _dump(call.shape, call.api.catalog.definitions, document)


def _dump(shape: Shape, definitions: Definitions, document: Document) -> bytes:
    if shape.protobuf:
        return protobuf.encode(definitions, document)
    if shape.yaml:
        return as_yaml(document)
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 if shape.pretty else 0)


def as_yaml(document: Document) -> bytes:
    text: bytes = yaml.dump(document, Dumper=Dumper, encoding="utf-8", allow_unicode=True, default_flow_style=False)
    return text


def refusal(error: StatusError, warnings: Sequence[str], shape: Shape, definitions: Definitions) -> Response:
    """A refusal, in the media type that was accepted."""
    headers = [*error.headers, *warning_headers(warnings)]
    return Response(error.code, _dump(shape, definitions, error.document()), shape.form.media_type, headers)


def success(details: Document) -> Document:
    """metav1.Status of a thing done."""
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}

"""Request bodies to documents: media type, then the schema's decoder, then the kind's defaults."""

from __future__ import annotations

from tiphys.api import protobuf
from tiphys.api.call import Call
from tiphys.api.encoding import to_stored
from tiphys.api.media_type import OFFERED as ACCEPTED
from tiphys.api.options import WriteOptions
from tiphys.base.document import Document
from tiphys.base.http import JSON, PROTOBUF
from tiphys.base.status import StatusError, unsupported_media_type


async def decode_object(call: Call, options: WriteOptions) -> Document:
    """The body as an object of the request's resource, defaulted, in its storage version.

    `metadata` is always there. Raises StatusError 400 and 415 in upstream's words.
    """
    return await call.aside(lambda: _read_object(call, options))


def _read_object(call: Call, options: WriteOptions) -> Document:
    resource = call.resource
    document = _read_kind(call, options, resource.kind.group, resource.version, resource.kind.kind)
    return defaulted(call, options, to_stored(resource, document))


def defaulted(call: Call, options: WriteOptions, document: Document) -> Document:
    if call.kind.default:
        call.kind.default(document, call.context(options))
    return document


async def decode_kind(call: Call, options: WriteOptions, group: str, version: str, kind: str) -> Document:
    """The body as a document of this kind, which need not be the resource's (a Binding, a Scale)."""
    return await call.aside(lambda: _read_kind(call, options, group, version, kind))


def _read_kind(call: Call, options: WriteOptions, group: str, version: str, kind: str) -> Document:
    request, decoder = call.request, call.api.decoder
    media_type = _media_type(request.headers.get("content-type", ""))
    warnings: list[str] = []
    if media_type == PROTOBUF:
        document = protobuf.decode(decoder, request.body, group, version, kind)
    else:
        decode = decoder.decode if media_type == JSON else decoder.decode_yaml
        document, warnings = decode(request.body, group, version, kind, validation=options.field_validation)
    call.warnings += [line for text in warnings for line in _lines(text)]
    if not document.get("metadata"):
        document["metadata"] = {}
    return document


def _media_type(content_type: str) -> str:
    """Raises StatusError 415 (NegotiateInputSerializer)."""
    found = content_type.partition(";")[0].strip().lower() or JSON
    if found not in ACCEPTED:
        raise unsupported_body(ACCEPTED)
    return found


def unsupported_body(accepted: tuple[str, ...]) -> StatusError:
    return unsupported_media_type(
        f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    )


def _lines(text: str) -> list[str]:
    """YAML's complaints come as one text of several lines (handlers.parseYAMLWarnings)."""
    frame = "yaml: unmarshal errors:\n"
    return [line.strip() for line in text.removeprefix(frame).split("\n")] if text.startswith(frame) else [text]

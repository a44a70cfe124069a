"""update: PUT of an object or of its status (apiserver `handlers/update.go`)."""

from __future__ import annotations

import orjson

from tiphys.api import answer, object_meta
from tiphys.api.call import Call
from tiphys.api.change import Change, apply, dedup_owner_references
from tiphys.api.decode import decode_object
from tiphys.api.options import write_options
from tiphys.api.strategy import BeforeUpdate, before_part_update, before_status_update, before_update
from tiphys.base.document import Document
from tiphys.base.http import Response


async def handle(call: Call) -> Response:
    return await _update(call, before_update)


async def handle_status(call: Call) -> Response:
    return await _update(call, before_status_update)


async def handle_part(call: Call) -> Response:
    return await _update(call, before_part_update(call.subresource))


async def _update(call: Call, before: BeforeUpdate) -> Response:
    options = write_options(call.query, "UpdateOptions")
    document = await decode_object(call, options)
    metadata = document["metadata"]
    object_meta.match_namespace(metadata, call.namespace)
    object_meta.match_name(metadata, call.info.name)
    dedup_owner_references(call, metadata)
    pristine = orjson.dumps(document)

    def produce(_: Document) -> Document:
        found: Document = orjson.loads(pristine)
        return found

    change = Change(produce, options, before, metadata.get("uid") or "")
    return answer.one(call, 200, await apply(call, change))

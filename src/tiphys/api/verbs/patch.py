"""patch: JSON patch, merge patch and strategic merge patch (apiserver `handlers/patch.go`)."""

from __future__ import annotations

from tiphys.api import answer, object_meta
from tiphys.api.call import Call
from tiphys.api.change import Change, apply
from tiphys.api.decode import defaulted
from tiphys.api.encoding import to_stored, to_version
from tiphys.api.options import WriteOptions, write_options
from tiphys.api.patching import Patch, patch_type, read_patch
from tiphys.api.strategy import BeforeUpdate, before_part_update, before_status_update, before_update
from tiphys.base.document import Document
from tiphys.base.http import Response


async def handle(call: Call) -> Response:
    return await _patch(call, before_update)


async def handle_status(call: Call) -> Response:
    return await _patch(call, before_status_update)


async def handle_part(call: Call) -> Response:
    return await _patch(call, before_part_update(call.subresource))


async def _patch(call: Call, before: BeforeUpdate) -> Response:
    media_type = patch_type(call)
    options = write_options(call.query, "PatchOptions")
    patch = await call.aside(lambda: read_patch(call, media_type))

    def produce(current: Document) -> Document:
        return _patched(call, options, patch, current)

    return answer.one(call, 200, await apply(call, Change(produce, options, before)))


def _patched(call: Call, options: WriteOptions, patch: Patch, current: Document) -> Document:
    """The patch is of the request's version, and so is what it is applied to."""
    resource = call.resource
    gvk = (resource.kind.group, resource.version, resource.kind.kind)
    document = patch.apply(call, options, to_version(resource, current), gvk, resource.definition)
    object_meta.match_namespace(document["metadata"], call.namespace)
    object_meta.match_name(document["metadata"], call.info.name)
    return defaulted(call, options, to_stored(resource, document))

"""delete: DELETE of one object (apiserver `handlers/delete.go`)."""

from __future__ import annotations

from tiphys.api import answer
from tiphys.api.call import Call
from tiphys.api.delete_options import read_delete_options
from tiphys.api.deletion import Deletion, delete_object
from tiphys.base.document import Document
from tiphys.base.http import Response


async def handle(call: Call) -> Response:
    options = await read_delete_options(call)
    done = await delete_object(call, call.key, options)
    code = 202 if not done.finished and options.orphan_dependents is False else 200
    if done.whole or call.kind.returns_object_on_delete:
        return answer.one(call, code, done.value)
    return answer.plain_document(call, code, answer.success(_details(call, done)))


def _details(call: Call, done: Deletion) -> Document:
    """Store.finalizeDelete: `kind` is the resource."""
    metadata = call.api.loads(done.value)["metadata"]
    details = {"name": metadata["name"], "group": call.kind.group, "kind": call.kind.plural, "uid": metadata["uid"]}
    return {key: value for key, value in details.items() if value}

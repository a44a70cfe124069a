"""get: one object, as its stored bytes (apiserver `handlers/get.go`)."""

from __future__ import annotations

from tiphys.api import answer, resource_version
from tiphys.api.call import Call
from tiphys.base.http import Response
from tiphys.base.status import bad_request, not_found


async def handle(call: Call) -> Response:
    if call.query:
        _check_options(call)
    record = await call.api.store.get(call.key)
    if record is None:
        raise not_found(call.kind.resource, call.info.name)
    return answer.one(call, 200, record.value)


def _check_options(call: Call) -> None:
    """`resourceVersion` asks for at least that version: the latest is, unless it lies in the future."""
    if call.query.boolean("export"):
        raise bad_request("the export parameter, deprecated since v1.14, is no longer supported")
    asked = call.query.text("resourceVersion")
    if asked:
        resource_version.at_least(resource_version.parse(asked), call.api.store.revision)

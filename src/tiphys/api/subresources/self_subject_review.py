"""SelfSubjectReview: who the server takes the asker for (k/k `pkg/registry/authentication/selfsubjectreview`)."""

from __future__ import annotations

from tiphys.api import answer
from tiphys.api.call import Call
from tiphys.api.decode import decode_object
from tiphys.api.encoding import to_version
from tiphys.api.options import write_options
from tiphys.base.clock import rfc3339
from tiphys.base.document import Document
from tiphys.base.http import Response


async def handle(call: Call) -> Response:
    review = await decode_object(call, write_options(call.query, "CreateOptions"))
    user = call.user
    info: Document = {"username": user.name}
    if user.uid:
        info["uid"] = user.uid
    if user.groups:
        info["groups"] = list(user.groups)
    if user.extra:
        info["extra"] = {key: list(user.extra[key]) for key in sorted(user.extra)}
    review["metadata"]["creationTimestamp"] = rfc3339(call.api.clock.now())
    review["status"] = {"userInfo": info}
    return answer.plain_document(call, 201, to_version(call.resource, review))


SPECIAL = {("selfsubjectreviews.authentication.k8s.io", ""): handle}

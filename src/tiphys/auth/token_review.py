"""TokenReview: whose token is this, and is it meant for me? (k/k `pkg/registry/authentication/tokenreview`)"""

from __future__ import annotations

from dataclasses import dataclass

from tiphys.api import answer
from tiphys.api.call import Call
from tiphys.api.decode import decode_object
from tiphys.api.object_meta import match_namespace, wipe_system_fields
from tiphys.api.options import WriteOptions, write_options
from tiphys.auth.bearer_token import BearerToken
from tiphys.auth.token import Authenticated, TokenRefused
from tiphys.base.document import Document
from tiphys.base.http import Response
from tiphys.base.status import bad_request
from tiphys.base.user import User


@dataclass(frozen=True, slots=True)
class TokenReview:
    """The handler of the kind. What it answers is a 201, whatever it finds."""

    tokens: BearerToken

    async def handle(self, call: Call) -> Response:
        options = write_options(call.query, "CreateOptions")
        review = await decode_object(call, options)
        wipe_system_fields(review["metadata"])
        match_namespace(review["metadata"], "")
        await _admit(call, options, review)
        spec = review.get("spec") or {}
        if not spec.get("token"):
            raise bad_request("token is required for TokenReview in authentication")
        await _validate(call, options, review)
        review["status"] = await self._status(spec["token"], spec.get("audiences") or ())
        return answer.plain_document(call, 201, review)

    async def _status(self, token: str, audiences: list[str] | tuple[str, ...]) -> Document:
        try:
            found = await self.tokens.authenticate_token(token, audiences)
        except TokenRefused as refused:
            return {"user": {}, "error": str(refused)}
        return _told(found)


def _told(found: Authenticated) -> Document:
    return {"authenticated": True, "user": user_info(found.user), "audiences": list(found.audiences)}


def user_info(user: User) -> Document:
    """authentication.k8s.io UserInfo, as reviews tell it."""
    told: Document = {"username": user.name}
    if user.uid:
        told["uid"] = user.uid
    if user.groups:
        told["groups"] = list(user.groups)
    if user.extra:
        told["extra"] = {key: list(user.extra[key]) for key in sorted(user.extra)}
    return told


async def _admit(call: Call, options: WriteOptions, review: Document) -> None:
    if call.api.admission is not None:
        await call.api.admission.admit(call.attributes("CREATE", options, review, None))


async def _validate(call: Call, options: WriteOptions, review: Document) -> None:
    if call.api.admission is not None:
        await call.api.admission.validate(call.attributes("CREATE", options, review, None))

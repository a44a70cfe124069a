"""Tokens in the Authorization header, asked of everyone who knows a kind of token (apiserver `request/bearertoken`,
`token/union`).

Whatever is wrong with a token, the client hears the same words; the log hears why, and never the token.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from tiphys.auth.token import Authenticated, TokenAuthenticator, TokenRefused
from tiphys.base.http import Request
from tiphys.base.status import unauthorized
from tiphys.base.user import User
from tiphys.pki.service_account_token import ISSUER

log = logging.getLogger(__name__)

_INVALID = "invalid bearer token"
API_AUDIENCES = (ISSUER,)
"""Whom a token must be meant for to be good here; upstream's default is the issuer of its own tokens."""


class BearerToken:
    """The first of `tokens` that knows whose a token is."""

    def __init__(self, tokens: Sequence[TokenAuthenticator], api_audiences: Sequence[str] = API_AUDIENCES) -> None:
        self._tokens = tuple(tokens)
        self.api_audiences = api_audiences

    async def authenticate(self, request: Request) -> User | None:
        """Raises StatusError 401 for a bearer token nobody vouches for."""
        token = bearer_token(request.headers.get("authorization", ""))
        if not token:
            return None
        try:
            found = await self.authenticate_token(token)
        except TokenRefused as refused:
            log.info("unable to authenticate the request: %s", refused)
            raise unauthorized() from None
        return found.user

    async def authenticate_token(self, token: str, audiences: Sequence[str] = ()) -> Authenticated:
        """Who the token stands for, if it is meant for one of `audiences`, by default the API server's own.

        Raises TokenRefused with every reason, worded as upstream's TokenReview words them.
        """
        reasons = [_INVALID]
        for each in self._tokens:
            try:
                found = await each.authenticate_token(token, audiences or self.api_audiences)
            except TokenRefused as refused:
                reasons.append(str(refused))
                continue
            if found is not None:
                return found
        raise TokenRefused(_INVALID if len(reasons) == 1 else f"[{', '.join(reasons)}]")


def bearer_token(authorization: str) -> str:
    """The token of an Authorization header, empty when it has none."""
    parts = authorization.strip().split(" ", 2)
    return parts[1] if len(parts) > 1 and parts[0].lower() == "bearer" else ""

"""Bootstrap tokens, with which nodes join: `id.secret`, kept in Secrets of kube-system (k/k
`plugin/pkg/auth/authenticator/token/bootstrap`, `cluster-bootstrap/util/secrets`)."""

from __future__ import annotations

import hmac
import logging
import re
from collections.abc import Sequence

from tiphys.api.admission import Reader
from tiphys.auth.bearer_token import API_AUDIENCES
from tiphys.auth.contract import with_authenticated_group
from tiphys.auth.token import Authenticated, for_the_api
from tiphys.base.clock import Clock
from tiphys.base.document import Document
from tiphys.base.user import User
from tiphys.pki.bootstrap_token import NAMESPACE, SECRET_TYPE, contents, seconds_left

log = logging.getLogger(__name__)

_TOKEN = re.compile(r"([a-z0-9]{6})\.([a-z0-9]{16})")
_GROUP = re.compile(r"system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]")
_DEFAULT_GROUP = "system:bootstrappers"


class BootstrapToken:
    """Tokens are looked up each time: they are few, and seldom used."""

    def __init__(self, reader: Reader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock

    async def authenticate_token(self, token: str, audiences: Sequence[str]) -> Authenticated | None:
        """None for a token there is no such secret of, or whose secret does not let it in: the log says why."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            return None
        name = f"bootstrap-token-{match[1]}"
        secret = await self._reader.get("", "secrets", NAMESPACE, name)
        if secret is None:
            return None
        data = contents(secret)
        complaint = _complaint(secret, data, match[1], match[2], self._clock.now())
        if complaint:
            log.info("bootstrap secret %s/%s matching bearer token %s", NAMESPACE, name, complaint)
            return None
        user = User(f"system:bootstrap:{match[1]}", tuple(_groups(data)))
        return for_the_api(with_authenticated_group(user), audiences, API_AUDIENCES)


def _complaint(secret: Document, data: dict[str, str], token_id: str, token_secret: str, now: float) -> str:
    """Why the secret does not let the token in; empty if it does. Says nothing of the token's secret half."""
    if secret["metadata"].get("deletionTimestamp"):
        return "is deleted and awaiting removal"
    if secret.get("type") != SECRET_TYPE:
        return f"has invalid type, expected {SECRET_TYPE}"
    if not hmac.compare_digest(data.get("token-secret", "").encode(), token_secret.encode()):
        return "has invalid value for key token-secret"
    if data.get("token-id") != token_id:
        return f"has invalid value for key token-id, expected {token_id}"
    if seconds_left(data, now) == 0:
        return "has expired"
    if data.get("usage-bootstrap-authentication") != "true":
        return "is not marked usage-bootstrap-authentication=true"
    if any(not _GROUP.fullmatch(group) for group in _extra_groups(data)):
        return "has invalid value for key auth-extra-groups"
    return ""


def _groups(data: dict[str, str]) -> list[str]:
    return sorted({_DEFAULT_GROUP, *_extra_groups(data)})


def _extra_groups(data: dict[str, str]) -> list[str]:
    text = data.get("auth-extra-groups", "")
    return text.split(",") if text else []

"""Static bearer tokens from a CSV file, `token,user,uid,"group1,group2"` (apiserver `token/tokenfile`)."""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

from tiphys.auth.contract import with_authenticated_group
from tiphys.base.http import Request
from tiphys.base.status import unauthorized
from tiphys.base.user import User

log = logging.getLogger(__name__)


class TokenFile:
    """Knows users by token. Only digests are kept and compared, so that timing tells nothing of the tokens."""

    def __init__(self, tokens: Mapping[str, User]) -> None:
        self._users = {_digest(token): with_authenticated_group(user) for token, user in tokens.items()}

    @classmethod
    def read(cls, path: Path) -> TokenFile:
        """Raises OSError when the file cannot be read, ValueError when it is no such file."""
        with path.open(newline="", encoding="utf-8") as file:
            try:
                return cls(_parse(csv.reader(file, strict=True), str(path)))
            except csv.Error as error:
                raise ValueError(f"token file '{path}': {error}") from error

    async def authenticate(self, request: Request) -> User | None:
        """Raises StatusError 401 for a bearer token nobody has."""
        token = bearer_token(request.headers.get("authorization", ""))
        if not token:
            return None
        user = self._users.get(_digest(token))
        if user is None:
            raise unauthorized()
        return user


def bearer_token(authorization: str) -> str:
    """The token of an Authorization header, empty when it has none (apiserver `request/bearertoken`)."""
    parts = authorization.strip().split(" ", 2)
    return parts[1] if len(parts) > 1 and parts[0].lower() == "bearer" else ""


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def _parse(records: Iterable[list[str]], path: str) -> dict[str, User]:
    tokens: dict[str, User] = {}
    for number, record in enumerate((record for record in records if record), 1):
        if len(record) < 3:
            raise ValueError(
                f"token file '{path}' must have at least 3 columns (token, user name, user uid), found {len(record)}"
            )
        token, name, uid = record[:3]
        if not token:
            log.warning("empty token has been found in token file '%s', record number '%d'", path, number)
            continue
        if token in tokens:
            log.warning("duplicate token has been found in token file '%s', record number '%d'", path, number)
        groups = tuple(record[3].split(",")) if len(record) > 3 else ()
        tokens[token] = User(name, groups, uid)
    return tokens

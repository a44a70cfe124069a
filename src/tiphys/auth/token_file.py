"""Static bearer tokens from a CSV file, `token,user,uid,"group1,group2"` (apiserver `token/tokenfile`)."""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from tiphys.auth.bearer_token import API_AUDIENCES
from tiphys.auth.contract import with_authenticated_group
from tiphys.auth.token import Authenticated, for_the_api
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

    async def authenticate_token(self, token: str, audiences: Sequence[str]) -> Authenticated | None:
        user = self._users.get(_digest(token))
        return for_the_api(user, audiences, API_AUDIENCES) if user else None


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

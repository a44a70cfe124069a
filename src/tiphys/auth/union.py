"""Several ways to say who asks, tried in order (apiserver `authentication/request/union`)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.auth.contract import Authenticator
from tiphys.base.http import Request
from tiphys.base.status import StatusError
from tiphys.base.user import User


class Union:
    """The first authenticator that knows the user. Bad credentials of one kind do not stop the next from trying."""

    def __init__(self, authenticators: Sequence[Authenticator]) -> None:
        self._authenticators = tuple(authenticators)

    async def authenticate(self, request: Request) -> User | None:
        """Raises the first refusal when none knows the user and one refused."""
        refused: StatusError | None = None
        for authenticator in self._authenticators:
            try:
                user = await authenticator.authenticate(request)
            except StatusError as error:
                refused = refused or error
                continue
            if user is not None:
                return user
        if refused is not None:
            raise refused
        return None

"""Who asks, and may they: the two contracts the pipeline holds, whatever stands behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from tiphys.api.authorization import Authorizer, Decision, UserRules
from tiphys.api.request_info import RequestInfo
from tiphys.base.http import Request
from tiphys.base.user import AUTHENTICATED, User

__all__ = ["ANONYMOUS", "UNAUTHENTICATED", "AnyOf", "Authenticator", "Authorizer", "Decision", "UserRules"]

UNAUTHENTICATED = "system:unauthenticated"
ANONYMOUS = User("system:anonymous", (UNAUTHENTICATED,))
"""Who asks when nobody says (authentication/user)."""


class Authenticator(Protocol):
    """Reads one kind of credentials off a request."""

    async def authenticate(self, request: Request) -> User | None:
        """The user, or None when the request has no credentials of this kind. Raises StatusError 401 for bad ones."""
        ...


def with_authenticated_group(user: User) -> User:
    """The user in system:authenticated, as everyone who showed credentials is (group.AuthenticatedGroupAdder)."""
    if AUTHENTICATED in user.groups or UNAUTHENTICATED in user.groups:
        return user
    return replace(user, groups=(*user.groups, AUTHENTICATED))


class AnyOf:
    """The first authorizer that allows; else every reason there was (authorization/union)."""

    def __init__(self, authorizers: Sequence[Authorizer]) -> None:
        self._authorizers = tuple(authorizers)

    async def decide(self, user: User, info: RequestInfo) -> Decision:
        reasons = []
        for authorizer in self._authorizers:
            decision = await authorizer.decide(user, info)
            if decision.allowed:
                return decision
            reasons.append(decision.reason)
        return Decision(False, "\n".join(reason for reason in reasons if reason))

    async def rules(self, user: User, namespace: str) -> UserRules:
        """Everyone's rules together, and everyone's reasons why these are not all."""
        found = [await authorizer.rules(user, namespace) for authorizer in self._authorizers]
        return UserRules(
            [rule for each in found for rule in each.rules],
            any(each.incomplete for each in found),
            [error for each in found for error in each.errors],
        )

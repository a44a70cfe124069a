"""Who a token stands for: the contract of those who know one kind of token, as `Authenticator` is for requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tiphys.base.user import User


@dataclass(frozen=True, slots=True)
class Authenticated:
    """The user, and for whom of those asked about the token is meant."""

    user: User
    audiences: tuple[str, ...]


class TokenRefused(Exception):
    """A token of a known kind that is no good. Its words are for the log and TokenReview, never for who showed it."""


class TokenAuthenticator(Protocol):
    async def authenticate_token(self, token: str, audiences: Sequence[str]) -> Authenticated | None:
        """Who the token stands for, None if it is not of this kind. `audiences`, one of whom it must be meant for,
        are never empty. Raises TokenRefused."""
        ...


def for_the_api(user: User, audiences: Sequence[str], api_audiences: Sequence[str]) -> Authenticated | None:
    """The answer for a token that names no audience and so is meant for the API server alone
    (apiserver `authenticator/audagnostic.go`)."""
    if audiences is api_audiences:
        return Authenticated(user, tuple(api_audiences))
    shared = tuple(audience for audience in api_audiences if audience in audiences)
    return Authenticated(user, shared) if shared else None

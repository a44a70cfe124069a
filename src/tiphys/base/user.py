"""Who a request is made for (authentication/user.Info)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"
NODES = "system:nodes"
_NODE = "system:node:"


@dataclass(frozen=True, slots=True)
class User:
    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def service_account_user(namespace: str, name: str) -> User:
    """The identity of a service account (serviceaccount.UserInfo)."""
    return User(
        f"system:serviceaccount:{namespace}:{name}",
        ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED),
    )


def node_of(user: User) -> str | None:
    """The name of the node a user is, None for anyone else (k/k `pkg/auth/nodeidentifier`); it may be empty."""
    if not user.name.startswith(_NODE) or NODES not in user.groups:
        return None
    return user.name.removeprefix(_NODE)

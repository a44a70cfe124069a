"""Whether a user may do something: the contract between those who ask (pipeline, verbs, admission) and `auth/`.

What is asked is a RequestInfo, also where no request has it: of an access review, or of a check within a verb.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tiphys.api.request_info import RequestInfo
from tiphys.base.document import Document
from tiphys.base.user import User


@dataclass(frozen=True, slots=True)
class Decision:
    """`reason` is told to the user after a refusal, where there is one, and to who asks in a review."""

    allowed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class UserRules:
    """What a user may do in a namespace, as far as it can be told: PolicyRules, in the order they are found.

    `incomplete`: there is more that cannot be listed; `errors` say why.
    """

    rules: Sequence[Document] = ()
    incomplete: bool = False
    errors: Sequence[str] = ()


class Authorizer(Protocol):
    """Says whether a user may do what a request asks, and what they may do at all."""

    async def decide(self, user: User, info: RequestInfo) -> Decision: ...

    async def rules(self, user: User, namespace: str) -> UserRules: ...

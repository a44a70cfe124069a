"""The RBAC authorizer (kubernetes `plugin/pkg/auth/authorizer/rbac`, `pkg/registry/rbac/validation/rule.go`).

What a user's rules say of a kind of request (this verb on that resource in such a namespace) is found once and kept
until any role or binding changes; after that a decision is a dict lookup and a look at the name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tiphys.api.request_info import RequestInfo
from tiphys.auth.contract import Decision, UserRules
from tiphys.auth.rbac.grant import Grant, grants_of
from tiphys.auth.rbac.policy_index import PolicyIndex
from tiphys.auth.rbac.rule import Rule
from tiphys.base.document import Document
from tiphys.base.user import User
from tiphys.store.contract import Store

_KEPT = 16_384
"""Kinds of requests remembered at most; a URL is one, so a client can make up many."""
_LONGEST = 512
"""Characters of a question that is remembered: a client can make them long, too."""

_Question = tuple[str, tuple[str, ...], str, bool, str, str, str, str]


@dataclass(slots=True)
class _Answer:
    """The rules about a kind of request with the decision each leads to, and the decision if none of them does."""

    grants: list[tuple[Rule, Decision]]
    otherwise: Decision


class RBAC:
    """Decides by the roles and bindings of the store."""

    def __init__(self, store: Store) -> None:
        self.index = PolicyIndex(store)
        self._answers: dict[_Question, _Answer] = {}
        self._version = 0

    async def decide(self, user: User, info: RequestInfo) -> Decision:
        """An allowing decision says by which binding; a refusing one, which roles of bindings are not there."""
        if not self.index.fresh:
            await self.index.refresh()
        if self._version != self.index.version:
            self._answers.clear()
            self._version = self.index.version
        what = info.resource if info.is_resource else info.path
        question = (
            user.name, user.groups, info.namespace, info.is_resource, info.verb, info.group, what, info.subresource,
        )  # fmt: skip
        answer = self._answers.get(question) or self._find(question, user, info)
        for rule, decision in answer.grants:
            if rule.allows_name(info.name):
                return decision
        return answer.otherwise

    async def rules(self, user: User, namespace: str) -> UserRules:
        """Every rule in force for a user, and which roles of bindings are not there."""
        await self.index.refresh()
        grants, errors = grants_of(self.index.policy, user, namespace)
        return UserRules([grant.rule.document for grant in grants], False, errors)

    async def rules_of_role(self, kind: str, name: str, namespace: str) -> list[Document] | None:
        """The rules a binding in `namespace` (empty for a cluster role binding) would grant; None: no such role."""
        await self.index.refresh()
        rules = self.index.policy.role((namespace if kind == "Role" else "", name))
        return None if rules is None else [rule.document for rule in rules]

    def _find(self, question: _Question, user: User, info: RequestInfo) -> _Answer:
        grants, errors = grants_of(self.index.policy, user, info.namespace)
        found = [(grant.rule, _allowed(grant, user)) for grant in _until_sure(grants, info)]
        what = info.resource if info.is_resource else info.path
        answer = _Answer(found, Decision(False, f"RBAC: {_aggregate(errors)}" if errors else ""))
        if sum(map(len, (info.verb, info.group, info.namespace, info.subresource, what))) <= _LONGEST:
            if len(self._answers) >= _KEPT:
                self._answers.clear()
            self._answers[question] = answer
        return answer


def _until_sure(grants: list[Grant], info: RequestInfo) -> Iterator[Grant]:
    """Those about such requests, up to the first that allows any name."""
    for grant in grants:
        if grant.rule.covers(info):
            yield grant
            if not info.is_resource or not grant.rule.names:
                return


def _allowed(grant: Grant, user: User) -> Decision:
    return Decision(True, f"RBAC: allowed by {grant.described(user)}")


def _aggregate(errors: list[str]) -> str:
    """apimachinery's Aggregate: one error is itself, several different ones are listed."""
    unique = list(dict.fromkeys(errors))
    return unique[0] if len(unique) == 1 else f"[{', '.join(unique)}]"

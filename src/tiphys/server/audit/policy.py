"""What is audited how much: the first rule that matches a request says (apiserver `audit/policy/checker.go`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tiphys.api.request_info import RequestInfo
from tiphys.base.user import User

NONE, METADATA, REQUEST, REQUEST_RESPONSE = LEVELS = ("None", "Metadata", "Request", "RequestResponse")
RECEIVED, STARTED, COMPLETE, PANIC = STAGES = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")


@dataclass(frozen=True, slots=True)
class GroupResources:
    """Resources of one API group, or with `*` of all. Without resources all of the group, without names any."""

    group: str = ""
    resources: Sequence[str] = ()
    names: Sequence[str] = ()

    def matches(self, info: RequestInfo) -> bool:
        if self.group not in (info.group, "*"):
            return False
        if not self.resources:
            return True
        if self.names and info.name not in self.names:
            return False
        return any(_resource_matches(pattern, info) for pattern in self.resources)


def _resource_matches(pattern: str, info: RequestInfo) -> bool:
    """`pods`, `pods/log`, `pods/*`, `*/scale` or `*`."""
    if pattern in (f"{info.resource}/{info.subresource}" if info.subresource else info.resource, "*"):
        return True
    if info.subresource and pattern == f"*/{info.subresource}":
        return True
    return pattern == f"{info.resource}/*"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: every field that is not empty must match."""

    level: str
    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    verbs: frozenset[str] = frozenset()
    resources: Sequence[GroupResources] = ()
    namespaces: frozenset[str] = frozenset()
    urls: Sequence[str] = ()
    omit_stages: frozenset[str] = frozenset()
    omit_managed_fields: bool = False

    def matches(self, user: User | None, info: RequestInfo) -> bool:
        """`user` is None where nobody could be made out."""
        if self.users and (user is None or user.name not in self.users):
            return False
        if self.groups and (user is None or self.groups.isdisjoint(user.groups)):
            return False
        if self.verbs and info.verb not in self.verbs:
            return False
        if self.namespaces or self.resources:
            return self._matches_resource(info)
        if self.urls:
            return not info.is_resource and any(_url_matches(pattern, info.path) for pattern in self.urls)
        return True

    def _matches_resource(self, info: RequestInfo) -> bool:
        if not info.is_resource or (self.namespaces and info.namespace not in self.namespaces):
            return False
        return not self.resources or any(each.matches(info) for each in self.resources)


def _url_matches(pattern: str, path: str) -> bool:
    if pattern in ("*", path):
        return True
    return pattern.endswith("*") and path.startswith(pattern.rstrip("*"))


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules in their order; stages omitted by the policy are omitted by each of its rules already."""

    rules: Sequence[Rule]

    def rule_for(self, user: User | None, info: RequestInfo) -> Rule | None:
        """The rule that says how a request is audited; None when it is not."""
        for rule in self.rules:
            if rule.matches(user, info):
                return None if rule.level == NONE else rule
        return None

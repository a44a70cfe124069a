"""One policy rule and what it allows (kubernetes `pkg/apis/rbac/v1/evaluation_helpers.go`)."""

from __future__ import annotations

from dataclasses import dataclass

from tiphys.api.request_info import RequestInfo
from tiphys.base.document import Document

ALL = "*"


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A PolicyRule, ready to be asked. `document` is what it was made of."""

    document: Document
    verbs: frozenset[str]
    groups: frozenset[str]
    resources: frozenset[str]
    names: frozenset[str]
    urls: tuple[str, ...]

    def allows(self, info: RequestInfo) -> bool:
        """Whether it allows the request (RuleAllows)."""
        return self.covers(info) and (not info.is_resource or self.allows_name(info.name))

    def covers(self, info: RequestInfo) -> bool:
        """Whether it is about such requests, whatever object they name."""
        if ALL not in self.verbs and info.verb not in self.verbs:
            return False
        if not info.is_resource:
            return any(url_covers(url, info.path) for url in self.urls)
        return (ALL in self.groups or info.group in self.groups) and self._has_resource(info)

    def allows_name(self, name: str) -> bool:
        """A rule with names allows only these; a create, which names nothing yet, it never allows."""
        return not self.names or name in self.names

    def _has_resource(self, info: RequestInfo) -> bool:
        """`pods/log` and `*/scale` name subresources, `*` everything; `pods/*` is no pattern."""
        resources, subresource = self.resources, info.subresource
        if not subresource:
            return ALL in resources or info.resource in resources
        return ALL in resources or f"{info.resource}/{subresource}" in resources or f"*/{subresource}" in resources


def compiled(document: Document) -> Rule:
    """The Rule of a PolicyRule as stored, whose lists may be absent or null."""

    def values(name: str) -> list[str]:
        return document.get(name) or []

    return Rule(
        document,
        frozenset(values("verbs")),
        frozenset(values("apiGroups")),
        frozenset(values("resources")),
        frozenset(values("resourceNames")),
        tuple(values("nonResourceURLs")),
    )


def url_covers(owner: str, path: str) -> bool:
    """Whether a rule's URL is the path, or ends in `*` and begins it; several stars count as one, as upstream."""
    return owner == path or (owner.endswith(ALL) and path.startswith(owner.rstrip(ALL)))

"""Whether some rules allow all that others do (component-helpers `auth/rbac/validation/policy_comparator.go`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tiphys.auth.rbac.rule import ALL, Rule, compiled, url_covers
from tiphys.base.document import Document
from tiphys.base.field_error import quoted

_SHOWN = (
    ("APIGroups", "apiGroups"),
    ("Resources", "resources"),
    ("NonResourceURLs", "nonResourceURLs"),
    ("ResourceNames", "resourceNames"),
    ("Verbs", "verbs"),
)


def missing(held: Sequence[Document], wanted: Iterable[Document]) -> list[Document]:
    """The smallest rules of `wanted` that no one rule of `held` covers (Covers)."""
    owners = [compiled(rule) for rule in held]
    parts = (part for rule in wanted for part in _broken_down(rule))
    return [part for part in parts if not any(_covers(owner, part) for owner in owners)]


def _broken_down(rule: Document) -> list[Document]:
    """One verb of one resource, by one name if it has names, or of one URL (BreakdownRule)."""
    verbs, names = rule.get("verbs") or (), rule.get("resourceNames") or ()
    parts: list[Document] = []
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            for verb in verbs:
                part: Document = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
                parts += [{**part, "resourceNames": [name]} for name in names] or [part]
    parts += [{"nonResourceURLs": [u], "verbs": [v]} for u in rule.get("nonResourceURLs") or () for v in verbs]
    return parts


def _covers(owner: Rule, part: Document) -> bool:
    if ALL not in owner.verbs and part["verbs"][0] not in owner.verbs:
        return False
    if "nonResourceURLs" in part:
        return not owner.names and any(url_covers(url, part["nonResourceURLs"][0]) for url in owner.urls)
    if ALL not in owner.groups and part["apiGroups"][0] not in owner.groups:
        return False
    if not _covers_resource(owner, part["resources"][0]):
        return False
    names = part.get("resourceNames")
    return not owner.names or (names is not None and names[0] in owner.names)


def _covers_resource(owner: Rule, resource: str) -> bool:
    if ALL in owner.resources or resource in owner.resources:
        return True
    _, slash, subresource = resource.partition("/")
    return bool(slash) and f"*/{subresource}" in owner.resources


def compacted(parts: Iterable[Document]) -> list[Document]:
    """Parts of one resource and name made one rule with all their verbs (CompactRules)."""
    simple: dict[tuple[str, str, str | None], Document] = {}
    others: list[Document] = []
    for part in parts:
        if "nonResourceURLs" in part:
            others.append(part)
            continue
        names = part.get("resourceNames")
        key = part["apiGroups"][0], part["resources"][0], names[0] if names else None
        if key in simple:
            simple[key]["verbs"] = [*simple[key]["verbs"], *part["verbs"]]
        else:
            simple[key] = dict(part)
    return others + list(simple.values())


def described(rule: Document) -> str:
    """`{APIGroups:[""], Resources:["pods"], Verbs:["get"]}` (CompactString)."""
    shown = (f"{name}:{quoted_list(rule[key])}" for name, key in _SHOWN if rule.get(key))
    return "{" + ", ".join(shown) + "}"


def quoted_list(values: Iterable[str]) -> str:
    """`["a" "b"]`, Go's %q of a slice."""
    return "[" + " ".join(quoted(value) for value in values) + "]"

"""Why someone may do something, or what is missing: the policy asked once more, and around it. Ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tiphys.api.request_info import RequestInfo
from tiphys.auth.rbac.grant import Grant, grants_of
from tiphys.auth.rbac.known_policy import KnownPolicy, RoleKey
from tiphys.auth.rbac.rule import ALL, Rule
from tiphys.base.user import User

_SHOWN = 5
_WIDE = 1000
"""How much `*` counts for when roles are sorted by how much they allow."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """`deciding` are the grants that allow it. If there are none, the rest says what comes near.

    `verbs`: grants about the same objects, but for other verbs. `names`: about the verb and the resource, but only
    objects of other names. `elsewhere`: grants that would allow it in other namespaces. `roles`: those that would do
    so if they were bound, the narrowest first. `missing`: roles of the user's bindings that are not there.
    """

    deciding: tuple[Grant, ...]
    verbs: tuple[Grant, ...] = ()
    names: tuple[Grant, ...] = ()
    elsewhere: tuple[Grant, ...] = ()
    roles: tuple[RoleKey, ...] = ()
    missing: tuple[str, ...] = ()


def explain(policy: KnownPolicy, user: User, info: RequestInfo) -> Explanation:
    grants, missing = grants_of(policy, user, info.namespace)
    deciding = tuple(grant for grant in grants if grant.rule.allows(info))
    if deciding:
        return Explanation(deciding)
    return Explanation(
        (),
        tuple(grant for grant in grants if _but_for_the_verb(grant.rule, info)),
        tuple(grant for grant in grants if info.is_resource and grant.rule.covers(info)),
        tuple(_elsewhere(policy, user, info)),
        tuple(_roles(policy, info))[:_SHOWN],
        tuple(missing),
    )


def _but_for_the_verb(rule: Rule, info: RequestInfo) -> bool:
    return any(rule.allows(replace(info, verb=verb)) for verb in sorted(rule.verbs))


def _elsewhere(policy: KnownPolicy, user: User, info: RequestInfo) -> Iterator[Grant]:
    for namespace in policy.namespaces_of(user):
        if namespace != info.namespace and info.is_resource:
            there = replace(info, namespace=namespace)
            for grant in grants_of(policy, user, namespace)[0]:
                if grant.binding.namespace and grant.rule.allows(there):
                    yield grant


def _roles(policy: KnownPolicy, info: RequestInfo) -> list[RoleKey]:
    """Cluster roles, and roles of the namespace. What only the system's parts are bound to comes last."""
    found = []
    for key, rules in policy.roles():
        if key[0] in ("", info.namespace) and any(rule.allows(info) for rule in rules):
            found.append((key[1].startswith("system:"), sum(map(_breadth, rules)), key))
    return [key for *_, key in sorted(found)]


def _breadth(rule: Rule) -> int:
    """How many permissions a rule is, about."""
    sizes = (_size(rule.verbs), _size(rule.groups | set(rule.urls)), _size(rule.resources) if rule.resources else 1)
    return sizes[0] * sizes[1] * sizes[2]


def _size(values: frozenset[str]) -> int:
    return sum(_WIDE if ALL in value else 1 for value in values)

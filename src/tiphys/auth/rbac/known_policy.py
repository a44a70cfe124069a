"""Roles and bindings, found by role and by subject: what of a policy is known, wherever it was read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tiphys.auth.rbac.rule import Rule, compiled
from tiphys.base.document import Document
from tiphys.base.user import User

GROUP = "rbac.authorization.k8s.io"
ROLES, BINDINGS = ("roles", "clusterroles"), ("rolebindings", "clusterrolebindings")

SubjectKey = tuple[str, str]
"""(User or Group, name); a service account is the user it acts as."""
RoleKey = tuple[str, str]
"""(namespace, name); a cluster role has no namespace."""


@dataclass(frozen=True, slots=True, eq=False)
class Binding:
    """A RoleBinding, or without a namespace a ClusterRoleBinding. Subjects are in the binding's order."""

    name: str
    namespace: str
    role_kind: str
    role_name: str
    subjects: tuple[tuple[SubjectKey, str], ...]
    """Whom it binds, and how upstream describes them."""

    @property
    def role_key(self) -> RoleKey:
        return (self.namespace if self.role_kind == "Role" else "", self.role_name)

    def subject_of(self, user: User) -> str:
        """The first subject that the user is, as upstream describes it."""
        keys = subject_keys(user)
        return next(text for key, text in self.subjects if key in keys)

    def described(self, subject: str) -> str:
        """`RoleBinding "readers/erp" of Role "reader" to User "jane"` (roleBindingDescriber)."""
        role = f'{self.role_kind} "{self.role_name}" to {subject}'
        if self.namespace:
            return f'RoleBinding "{self.name}/{self.namespace}" of {role}'
        return f'ClusterRoleBinding "{self.name}" of {role}'


def subject_keys(user: User) -> set[SubjectKey]:
    return {("User", user.name), *(("Group", group) for group in user.groups)}


class KnownPolicy:
    """Kept by plural, namespace (empty for what is the cluster's) and name."""

    def __init__(self) -> None:
        self._roles: dict[RoleKey, tuple[Rule, ...]] = {}
        self._bindings: dict[RoleKey, Binding] = {}
        self._bound: dict[SubjectKey, dict[str, dict[str, Binding]]] = {}
        """By subject, namespace and the binding's name."""

    def put(self, plural: str, document: Document) -> None:
        """A role or a binding, new or changed; other kinds are nothing to it."""
        metadata = document["metadata"]
        key = metadata.get("namespace") or "", metadata["name"]
        if plural in ROLES:
            self._roles[key] = tuple(compiled(rule) for rule in document.get("rules") or ())
        elif plural in BINDINGS:
            self._unbind(key)
            self._bind(key, _binding(document))

    def drop(self, plural: str, namespace: str, name: str) -> None:
        if plural in ROLES:
            self._roles.pop((namespace, name), None)
        elif plural in BINDINGS:
            self._unbind((namespace, name))

    def role(self, key: RoleKey) -> tuple[Rule, ...] | None:
        return self._roles.get(key)

    def roles(self) -> Iterator[tuple[RoleKey, tuple[Rule, ...]]]:
        return iter(sorted(self._roles.items(), key=lambda item: item[0]))

    def bindings_of(self, user: User, namespace: str) -> list[Binding]:
        """Those in force for a user in a namespace: cluster-wide ones first, then the namespace's, by name."""
        found: list[Binding] = []
        subjects = [bound for key in subject_keys(user) if (bound := self._bound.get(key))]
        for place in ("", namespace) if namespace else ("",):
            bindings: dict[str, Binding] = {}
            for by_place in subjects:
                bindings.update(by_place.get(place, ()))
            found += [bindings[name] for name in sorted(bindings)]
        return found

    def namespaces_of(self, user: User) -> list[str]:
        """Where the user is bound to anything by a binding of that namespace."""
        subjects = (self._bound.get(key, {}) for key in subject_keys(user))
        return sorted({place for by_place in subjects for place, bindings in by_place.items() if place and bindings})

    def _bind(self, key: RoleKey, binding: Binding) -> None:
        self._bindings[key] = binding
        for subject, _ in binding.subjects:
            self._bound.setdefault(subject, {}).setdefault(binding.namespace, {})[binding.name] = binding

    def _unbind(self, key: RoleKey) -> None:
        binding = self._bindings.pop(key, None)
        for subject, _ in binding.subjects if binding else ():
            self._bound.get(subject, {}).get(key[0], {}).pop(key[1], None)


def _binding(document: Document) -> Binding:
    metadata, role = document["metadata"], document.get("roleRef") or {}
    namespace = metadata.get("namespace") or ""
    subjects = tuple(found for s in document.get("subjects") or () if (found := _subject(s, namespace)))
    return Binding(metadata["name"], namespace, role.get("kind") or "", role.get("name") or "", subjects)


def _subject(subject: Document, namespace: str) -> tuple[SubjectKey, str] | None:
    """A service account without a namespace is one of the binding's (appliesToUser)."""
    kind, name = subject.get("kind") or "", subject.get("name") or ""
    if kind == "ServiceAccount":
        home = subject.get("namespace") or namespace
        return (("User", f"system:serviceaccount:{home}:{name}"), f'{kind} "{name}/{home}"') if home else None
    return ((kind, name), f'{kind} "{name}"') if kind in ("User", "Group") else None

"""Roles and bindings as they stand in the store, found by role and by subject.

Fed by one watch of the whole group. The store hands a change to its watches before it answers the writer; the index
takes in what has been handed to it before it answers. So a decision right after a role was written knows it, which
upstream's informers do not promise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson

from tiphys.auth.rbac.rule import Rule, compiled
from tiphys.base.document import Document
from tiphys.base.user import User
from tiphys.store.contract import Event, Record, Store, Watch, WatchOverflow

GROUP = "rbac.authorization.k8s.io"
_PREFIX = f"/registry/{GROUP}/"

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


@dataclass(slots=True)
class _Contents:
    roles: dict[RoleKey, tuple[Rule, ...]] = field(default_factory=dict)
    bindings: dict[str, Binding] = field(default_factory=dict)
    """By the store's key."""
    bound: dict[SubjectKey, dict[str, dict[str, Binding]]] = field(default_factory=dict)
    """By subject, namespace and the store's key."""


class PolicyIndex:
    """`version` grows with every change that `refresh` takes in."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._watch: Watch | None = None
        self._contents = _Contents()
        self.version = 0

    @property
    def fresh(self) -> bool:
        """Whether all that is durable has been taken in."""
        return self._watch is not None and self._watch.position >= self._store.revision

    async def refresh(self) -> None:
        """Take in every change there has been. Does not wait for others: a watch that is behind has them queued."""
        try:
            if self._watch is None:
                await self._read_all()
            while self._watch is not None and self._watch.position < self._store.revision:
                self._take(await anext(aiter(self._watch)))
        except WatchOverflow:
            self._watch = None
            await self.refresh()
        except StopAsyncIteration:
            """The store is closed: what was known last is what there is."""

    def role(self, key: RoleKey) -> tuple[Rule, ...] | None:
        return self._contents.roles.get(key)

    def roles(self) -> Iterator[tuple[RoleKey, tuple[Rule, ...]]]:
        return iter(sorted(self._contents.roles.items()))

    def bindings_of(self, user: User, namespace: str) -> list[Binding]:
        """Those in force for a user in a namespace, cluster-wide ones first, each sort by name."""
        found: list[Binding] = []
        places = ("", namespace) if namespace else ("",)
        subjects = [self._contents.bound.get(key) for key in subject_keys(user)]
        for place in places:
            bindings: dict[str, Binding] = {}
            for by_place in subjects:
                if by_place:
                    bindings.update(by_place.get(place, ()))
            found += [bindings[key] for key in sorted(bindings)]
        return found

    async def _read_all(self) -> None:
        page = await self._store.list(_PREFIX)
        self._contents = _Contents()
        for record in page.records:
            self._put(record)
        self._watch = self._store.watch(_PREFIX, after=page.revision)
        self.version += 1

    def _take(self, events: list[Event]) -> None:
        for event in events:
            if event.record is not None:
                self._put(event.record)
            else:
                self._drop(event.key)
        self.version += 1

    def _put(self, record: Record) -> None:
        plural = record.key[len(_PREFIX) :].partition("/")[0]
        document = orjson.loads(record.value)
        if plural in ("roles", "clusterroles"):
            rules = tuple(compiled(rule) for rule in document.get("rules") or ())
            self._contents.roles[_role_key(record.key)] = rules
        elif plural in ("rolebindings", "clusterrolebindings"):
            self._unbind(record.key)
            self._bind(record.key, _binding(document))

    def _drop(self, key: str) -> None:
        plural = key[len(_PREFIX) :].partition("/")[0]
        if plural in ("roles", "clusterroles"):
            self._contents.roles.pop(_role_key(key), None)
        else:
            self._unbind(key)

    def _bind(self, key: str, binding: Binding) -> None:
        self._contents.bindings[key] = binding
        for subject, _ in binding.subjects:
            self._contents.bound.setdefault(subject, {}).setdefault(binding.namespace, {})[key] = binding

    def _unbind(self, key: str) -> None:
        binding = self._contents.bindings.pop(key, None)
        for subject, _ in binding.subjects if binding else ():
            by_place = self._contents.bound.get(subject, {})
            by_place.get(binding.namespace if binding else "", {}).pop(key, None)


def _role_key(key: str) -> RoleKey:
    """Of the store's key `…/roles/<namespace>/<name>` or `…/clusterroles/<name>`."""
    plural, _, rest = key[len(_PREFIX) :].partition("/")
    if plural == "clusterroles":
        return "", rest
    namespace, _, name = rest.partition("/")
    return namespace, name


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

"""Who owns whom. Kept from informer events; what there is to do about a change is told to `wake`.

Links are kept by the owner's uid whether or not the owner was ever seen, so an owner that shows up late finds
its dependents there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tiphys.base.document import Document
from tiphys.client.informer import Informer

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
DELETE = "delete"


@dataclass(slots=True, eq=False)
class Node:
    """One object: where to find its latest state, and what of it the graph was built from."""

    uid: str
    key: str
    kind: str
    api_version: str
    monitor: Informer
    owners: tuple[Document, ...] = ()
    deleting: bool = False
    waits: bool = False
    """Deleted in the foreground: waits for its dependents to go first."""

    @property
    def document(self) -> Document | None:
        """The latest state, None once it is gone."""
        found = self.monitor.items.get(self.key)
        return found if found is not None and found["metadata"]["uid"] == self.uid else None

    @property
    def name(self) -> str:
        return self.key.rpartition("/")[2]

    @property
    def namespace(self) -> str:
        return self.key.rpartition("/")[0]

    def is_meant_by(self, reference: Document, namespace: str) -> bool:
        """Whether a reference in an object of that namespace has this object's coordinates, not just its uid."""
        same = reference.get("kind") == self.kind and reference.get("apiVersion") == self.api_version
        return same and reference.get("name") == self.name and self.namespace in ("", namespace)


Wake = Callable[[str, str], None]
"""(DELETE or ORPHAN, uid): see to this object."""


class Graph:
    def __init__(self, wake: Wake) -> None:
        self.nodes: dict[str, Node] = {}
        self._dependents: dict[str, dict[str, Node]] = {}
        self._wake = wake

    def dependents(self, uid: str) -> Iterable[Node]:
        return self._dependents.get(uid, {}).values()

    def blocking(self, uid: str) -> list[Node]:
        """The dependents that an owner deleted in the foreground has to wait for."""
        return [
            each
            for each in self.dependents(uid)
            if any(owner.get("uid") == uid and owner.get("blockOwnerDeletion") for owner in each.owners)
        ]

    def observe(self, monitor: Informer, key: str, kind: str, document: Document, old: Document | None) -> None:
        """An object was added or changed."""
        meta = document["metadata"]
        owners = tuple(meta.get("ownerReferences") or ())
        node = self.nodes.get(meta["uid"])
        if node is None:
            node = Node(meta["uid"], key, kind, monitor.api_version, monitor)
            self.nodes[node.uid] = node
            self._check_dependents(node)
        if owners != node.owners:
            self._relink(node, owners)
        if meta.get("deletionTimestamp"):
            node.deleting = True
            self._deleting(node, meta.get("finalizers") or (), old)

    def forget(self, uid: str) -> Node | None:
        """An object is gone: its dependents may have to follow, owners that waited for it may go."""
        node = self.nodes.pop(uid, None)
        if node is None:
            return None
        for each in list(self.dependents(uid)):
            self._wake(DELETE, each.uid)
        self._unlink(node, node.owners)
        for reference in node.owners:
            owner = self.nodes.get(reference.get("uid") or "")
            if owner is not None and owner.waits:
                self._wake(DELETE, owner.uid)
        return node

    def forget_all(self, monitor: Informer) -> None:
        """The resource is no longer served. Its objects were not deleted, so nothing follows from it."""
        for node in [each for each in self.nodes.values() if each.monitor is monitor]:
            del self.nodes[node.uid]
            self._unlink(node, node.owners)

    def _check_dependents(self, node: Node) -> None:
        """Now that the owner is seen: dependents that mean another object by its uid need a look."""
        for each in list(self.dependents(node.uid)):
            references = [owner for owner in each.owners if owner.get("uid") == node.uid]
            if not all(node.is_meant_by(reference, each.namespace) for reference in references):
                self._wake(DELETE, each.uid)

    def _relink(self, node: Node, owners: tuple[Document, ...]) -> None:
        before, node.owners = node.owners, owners
        uids = {owner.get("uid") for owner in owners}
        self._unlink(node, [owner for owner in before if owner.get("uid") not in uids])
        self._wake_unblocked(before, owners)
        unsure = False
        for owner in owners:
            uid = owner.get("uid") or ""
            self._dependents.setdefault(uid, {})[node.uid] = node
            known = self.nodes.get(uid)
            unsure = unsure or known is None or known.waits or not known.is_meant_by(owner, node.namespace)
        if unsure:
            self._wake(DELETE, node.uid)

    def _wake_unblocked(self, before: Iterable[Document], now: Iterable[Document]) -> None:
        """Owners that a reference no longer blocks."""
        blocking = {owner.get("uid") for owner in now if owner.get("blockOwnerDeletion")}
        for owner in before:
            uid = owner.get("uid") or ""
            if owner.get("blockOwnerDeletion") and uid not in blocking and uid in self.nodes:
                self._wake(DELETE, uid)

    def _unlink(self, node: Node, owners: Iterable[Document]) -> None:
        for owner in owners:
            uid = owner.get("uid") or ""
            dependents = self._dependents.get(uid)
            if dependents is not None:
                dependents.pop(node.uid, None)
                if not dependents:
                    del self._dependents[uid]

    def _deleting(self, node: Node, finalizers: Iterable[str], old: Document | None) -> None:
        """It has begun to wait for its dependents to be orphaned, or deleted."""
        before = old["metadata"] if old is not None else {}
        had = before.get("finalizers") or () if before.get("deletionTimestamp") else ()
        if ORPHAN in finalizers:
            if ORPHAN not in had:
                self._wake(ORPHAN, node.uid)
        elif FOREGROUND in finalizers and FOREGROUND not in had:
            node.waits = True
            for each in list(self.dependents(node.uid)):
                self._wake(DELETE, each.uid)
            self._wake(DELETE, node.uid)

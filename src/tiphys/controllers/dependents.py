"""What an owner hears of the objects it controls, and of orphans it could adopt (addPod, updatePod, deletePod
of every workload controller)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tiphys.base import label_selector
from tiphys.base.document import Document, owner_reference
from tiphys.base.label_selector import Selector
from tiphys.client.informer import Informer
from tiphys.controllers.controller_reference import ResourceKind, index_by_controller, resolve

Heard = Callable[[Document, Document], object]
"""Called with the owner and the dependent."""


def selector_of(owner: Document) -> Selector:
    """Raises ValueError for a selector the API would not have admitted."""
    return label_selector.from_document(owner["spec"].get("selector"))


@dataclass(frozen=True, slots=True)
class Dependents:
    """One kind of dependent of one kind of owner. `listen`, and `wake` is called with every owner concerned.

    `made` and `gone` are called before it, for who counts creations and deletions; a dependent that begins to be
    deleted is gone, for that is when its owner may want another.
    """

    informer: Informer
    owners: Informer
    kind: ResourceKind
    wake: Callable[[Document], object]
    made: Heard | None = None
    gone: Heard | None = None
    selector: Callable[[Document], Selector] = selector_of

    def listen(self) -> None:
        index_by_controller(self.informer)
        self.informer.add_handlers(self._added, self._updated, self._deleted)

    def _owner(self, dependent: Document) -> Document | None:
        namespace = dependent["metadata"]["namespace"]
        return resolve(owner_reference(dependent), namespace, self.kind, self.owners)

    def _added(self, dependent: Document) -> None:
        if dependent["metadata"].get("deletionTimestamp"):
            self._deleted(dependent)
        elif owner_reference(dependent) is None:
            self._wake_matching(dependent)
        elif (owner := self._owner(dependent)) is not None:
            if self.made is not None:
                self.made(owner, dependent)
            self.wake(owner)

    def _updated(self, old: Document, new: Document) -> None:
        if new["metadata"].get("deletionTimestamp"):
            self._deleted(new)
            return
        before, now = owner_reference(old), owner_reference(new)
        moved = before != now
        if moved and (owner := self._owner(old)) is not None:
            self.wake(owner)
        if now is not None:
            if (owner := self._owner(new)) is not None:
                self.wake(owner)
        elif moved or old["metadata"].get("labels") != new["metadata"].get("labels"):
            self._wake_matching(new)

    def _deleted(self, dependent: Document) -> None:
        owner = self._owner(dependent)
        if owner is None:
            return
        if self.gone is not None:
            self.gone(owner, dependent)
        self.wake(owner)

    def _wake_matching(self, orphan: Document) -> None:
        """Owners are looked through, which is why only for orphans."""
        namespace, labels = orphan["metadata"]["namespace"], orphan["metadata"].get("labels")
        if not labels:
            return
        for owner in self.owners.items.values():
            if owner["metadata"]["namespace"] != namespace:
                continue
            try:
                selector = self.selector(owner)
            except ValueError:
                continue
            if not selector.empty and selector.matches(labels):
                self.wake(owner)

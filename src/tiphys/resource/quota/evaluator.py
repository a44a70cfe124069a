"""The contract of an evaluator: what quota needs to know of one resource (apiserver `pkg/quota/v1/interfaces.go`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from tiphys.base.document import Document
from tiphys.base.status import qualified
from tiphys.resource.resource_list import ResourceList

CREATE = "CREATE"
UPDATE = "UPDATE"


class Evaluator(Protocol):
    """How objects of one resource count. Documents are in the storage version and type-checked."""

    @property
    def group(self) -> str: ...

    @property
    def plural(self) -> str: ...

    def handles(self, operation: str, subresource: str, new: Document | None, old: Document | None) -> bool:
        """Whether such a request can change what is used."""
        ...

    def matching(self, names: Iterable[str]) -> list[str]:
        """Those of a quota's resource names that objects of this resource count for, sorted."""
        ...

    def in_scope(self, requirement: Document, document: Document) -> bool:
        """Whether the object is in the scope of a ScopedResourceSelectorRequirement."""
        ...

    def missing(self, required: Iterable[str], document: Document) -> str:
        """What the object must say and does not, as `must specify limits.cpu for: c1`; empty if nothing."""
        ...

    def usage(self, document: Document, now: float) -> ResourceList:
        """What the object counts for, under every name it counts for. Raises QuantityError."""
        ...


def object_count_name(group: str, plural: str) -> str:
    """`count/pods`, `count/deployments.apps` (ObjectCountQuotaResourceNameFor)."""
    return f"count/{qualified(group, plural)}"

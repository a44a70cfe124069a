"""What an admission plugin is: the contract between the verbs, which call the chain, and `admission/`.

Each plugin is one file in `admission/` that exports `PLUGIN`, a class built with one `Environment`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tiphys.api.authorization import Authorizer
from tiphys.base.clock import Clock
from tiphys.base.document import Document
from tiphys.base.names import Ids
from tiphys.base.user import User


@dataclass(slots=True)
class Attributes:
    """One operation on one object (admission.Attributes). `object` may be changed in place by mutating plugins.

    Documents are in the kind's storage version. `object` is None on DELETE, `old` None on CREATE and CONNECT.
    """

    operation: str
    """CREATE, UPDATE, DELETE or CONNECT."""
    group: str
    version: str
    resource: str
    """The plural: `pods`."""
    kind: str
    subresource: str
    namespace: str
    name: str
    """Empty on a create with generateName before the name is made."""
    object: Document | None
    old: Document | None
    user: User
    dry_run: bool = False
    options: Document = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


class Reader(Protocol):
    """Reads the latest stored documents, decoded once per revision and shared: never change what it returns."""

    async def get(self, group: str, plural: str, namespace: str, name: str) -> Document | None: ...

    async def list(self, group: str, plural: str, namespace: str = "") -> Sequence[Document]:
        """All objects of a kind, in one namespace or (empty) in all, in the kind's storage version."""
        ...


class Writer(Protocol):
    """Writes past admission, for what a plugin keeps itself, as quota's used amounts."""

    async def replace_status(self, group: str, plural: str, document: Document) -> Document:
        """Store the document's status if its resourceVersion is current. Raises StatusError 404, 409."""
        ...


@dataclass(frozen=True, slots=True)
class Environment:
    """What plugins are built with."""

    reader: Reader
    writer: Writer
    clock: Clock
    ids: Ids
    minor: int
    options: Mapping[str, object] = field(default_factory=dict)
    authorizer: Authorizer | None = None
    """For plugins that ask whether the user may do more than the request says; None allows nothing more."""


class Plugin(Protocol):
    """A plugin has a NAME (upstream's) and either or both of the two phases; it raises StatusError to refuse.

    `admit` may change `attributes.object`; `validate` must not. A plugin without a phase returns at once.
    """

    NAME: str

    async def admit(self, attributes: Attributes) -> None: ...

    async def validate(self, attributes: Attributes) -> None: ...


class Admission(Protocol):
    """The chain, as the verbs see it."""

    async def admit(self, attributes: Attributes) -> None:
        """The mutating phase, in upstream's order."""
        ...

    async def validate(self, attributes: Attributes) -> None:
        """The validating phase; ResourceQuota is last."""
        ...

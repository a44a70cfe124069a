"""One resource request under way: what every verb needs of it, gathered once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from tiphys.api.admission import Attributes
from tiphys.api.catalog import Resource
from tiphys.api.kind import Context, Kind, Subresource
from tiphys.api.large_body import LARGE
from tiphys.api.options import WriteOptions
from tiphys.api.query import Query
from tiphys.api.request_info import RequestInfo
from tiphys.api.shape import Shape
from tiphys.base.document import Document
from tiphys.base.http import Request
from tiphys.base.user import User

if TYPE_CHECKING:
    from tiphys.api.service import Api

T = TypeVar("T")


@dataclass(slots=True)
class Call:
    """A request, its target and how to answer it. `warnings` fills up on the way."""

    api: Api
    request: Request
    info: RequestInfo
    resource: Resource
    user: User
    query: Query
    shape: Shape
    warnings: list[str] = field(default_factory=list)

    @property
    def kind(self) -> Kind:
        return self.resource.kind

    @property
    def namespace(self) -> str:
        """The namespace objects of this request are in; empty for a cluster-scoped kind."""
        return self.info.namespace if self.resource.kind.namespaced else ""

    @property
    def key(self) -> str:
        """The store's key of the object the path names."""
        return self.resource.key(self.info.namespace, self.info.name)

    @property
    def subresource(self) -> Subresource:
        """The one the path names; only for a call that was found to have one."""
        return next(each for each in self.resource.kind.subresources if each.name == self.info.subresource)

    async def aside(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises; beside the loop if the body, and so its cost, is large."""
        if len(self.request.body) <= LARGE:
            return work()
        return await self.api.large_bodies.run(work)

    def context(self, options: WriteOptions) -> Context:
        api = self.api
        return Context(api.clock, api.ids, self.user, api.minor, self.namespace, options.dry_run, api.options)

    def attributes(
        self,
        operation: str,
        options: WriteOptions,
        new: Document | None,
        old: Document | None,
        name: str | None = None,
    ) -> Attributes:
        """The admission attributes of this request. `name` is the path's unless given."""
        kind, info = self.resource.kind, self.info
        return Attributes(
            operation=operation,
            group=kind.group,
            version=self.resource.stored,
            resource=kind.plural,
            kind=kind.kind,
            subresource=info.subresource,
            namespace=info.namespace,
            name=info.name if name is None else name,
            object=new,
            old=old,
            user=self.user,
            dry_run=options.dry_run,
            options=options.document,
            warnings=self.warnings,
        )

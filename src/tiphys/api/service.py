"""The API of every kind: a resource request in, an answer out. Which verb, which subresource, which refusal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import orjson

from tiphys.api import answer, reader, subresources
from tiphys.api.admission import Admission
from tiphys.api.allocation import Allocation
from tiphys.api.authorization import Authorizer
from tiphys.api.call import Call
from tiphys.api.catalog import Catalog, Resource
from tiphys.api.large_body import LargeBodies
from tiphys.api.query import Query
from tiphys.api.request_info import RequestInfo
from tiphys.api.shape import AS_IS, read_shape
from tiphys.api.verbs import create, delete, deletecollection, get, patch, update, watch
from tiphys.api.verbs import list as list_verb
from tiphys.base.clock import Clock
from tiphys.base.discovery import discover
from tiphys.base.document import Document
from tiphys.base.http import Request, Response
from tiphys.base.names import Ids
from tiphys.base.status import StatusError, internal_error, method_not_allowed, not_implemented, path_not_found
from tiphys.base.user import User
from tiphys.schema.decode import Decoder
from tiphys.store.contract import Store, StoreFailure

Verb = Callable[[Call], Awaitable[Response]]

_VERBS: dict[str, Verb] = {
    "create": create.handle,
    "get": get.handle,
    "list": list_verb.handle,
    "update": update.handle,
    "patch": patch.handle,
    "delete": delete.handle,
    "deletecollection": deletecollection.handle,
    "watch": watch.handle,
}
_OF_COLLECTIONS = {"create", "list", "watch", "deletecollection"}
_ACROSS_NAMESPACES = {"list", "watch"}
_STORED = {"get", "list"}
_PART: dict[str, Verb] = {"get": get.handle, "update": update.handle_part, "patch": patch.handle_part}
_STATUS: dict[str, Verb] = {"get": get.handle, "update": update.handle_status, "patch": patch.handle_status}
_ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


class Api:
    """The generic verbs over a store and the kinds of a catalog.

    `admission` may be set after construction, since its plugins are built with `reader` and `writer`; so may
    `authorizer`, which answers access reviews. `special`
    holds the handlers of subresources that are more than reads and writes, by resource (`deployments.apps`, or `*`)
    and name, and under the empty name those of kinds that are not stored, as SubjectAccessReview; where none is
    found the answer is 501.
    """

    def __init__(
        self,
        store: Store,
        catalog: Catalog,
        admission: Admission | None,
        clock: Clock,
        ids: Ids,
        options: Mapping[str, object] | None = None,
    ) -> None:
        self.store = store
        self.catalog = catalog
        self.admission = admission
        self.authorizer: Authorizer | None = None
        self.clock = clock
        self.ids = ids
        self.options = options or {}
        self.allocation = Allocation()
        self.large_bodies = LargeBodies()
        self.minor = catalog.definitions.minor
        self.decoder = Decoder(catalog.definitions)
        self.reader = reader.DocumentReader(store, catalog)
        self.writer = reader.DocumentWriter(store, catalog)
        self.special: dict[tuple[str, str], Verb] = {}
        for handlers in discover(subresources.__name__, "SPECIAL"):
            self.special.update(handlers)

    async def handle(self, request: Request, info: RequestInfo) -> Response:
        """The answer to a resource request; refusals are answers too, nothing is raised."""
        warnings: list[str] = []
        shape = AS_IS
        try:
            resource = self._resource(info)
            verb = self._verb(resource, info, request.method)
            query = Query(request.query)
            shape = read_shape(request, query, stream=info.verb == "watch")
            call = Call(self, request, info, resource, request.user or _ANONYMOUS, query, shape, warnings)
            return await verb(call)
        except StatusError as error:
            return answer.refusal(error, warnings, shape, self.catalog.definitions)
        except StoreFailure as error:
            return answer.refusal(internal_error(str(error)), warnings, shape, self.catalog.definitions)

    @staticmethod
    def loads(value: bytes) -> Document:
        """A stored value, decoded anew: the caller may change it."""
        document: Document = orjson.loads(value)
        return document

    def _resource(self, info: RequestInfo) -> Resource:
        if not info.group and info.path.lstrip("/")[:5] == "apis/":
            raise path_not_found()  # the core group is below /api only; `/apis//v1` is no other way to it
        resource = self.catalog.find(info.group, info.version, info.resource)
        if resource is None or (info.namespace and not resource.kind.namespaced and info.resource != "namespaces"):
            raise path_not_found()
        return resource

    def _verb(self, resource: Resource, info: RequestInfo, method: str) -> Verb:
        """Raises StatusError 404 for a path there is not, 405 for a verb it lacks."""
        if resource.kind.namespaced and not info.namespace:
            if info.name and info.verb not in _ACROSS_NAMESPACES:
                raise path_not_found()
            if info.verb not in _ACROSS_NAMESPACES:
                raise method_not_allowed()
        if info.verb == "watch" and method not in ("GET", "HEAD"):
            raise method_not_allowed()
        if info.subresource:
            return self._of_subresource(resource, info)
        if not _STORED & set(resource.kind.verbs):
            return self._of_unstored(resource, info)
        found = _VERBS.get(info.verb)
        if found is None or info.verb not in resource.kind.verbs:
            raise method_not_allowed()
        if bool(info.name) == (info.verb in _OF_COLLECTIONS) and info.verb not in _ACROSS_NAMESPACES:
            raise method_not_allowed()
        return found

    def _of_unstored(self, resource: Resource, info: RequestInfo) -> Verb:
        """A kind that can only be posted is a question, not an object: its handler is the one named ``."""
        if info.verb not in resource.kind.verbs or info.name:
            raise method_not_allowed()
        found = self.special.get((resource.kind.resource, ""))
        if found is None:
            raise not_implemented(f"{resource.kind.resource} is not supported yet")
        return found

    def _of_subresource(self, resource: Resource, info: RequestInfo) -> Verb:
        subresource = next((each for each in resource.kind.subresources if each.name == info.subresource), None)
        if subresource is None or (info.rest and subresource.name != "proxy"):
            raise path_not_found()
        if info.verb not in subresource.verbs:
            raise method_not_allowed()
        special = self.special.get((resource.kind.resource, info.subresource)) or self.special.get(
            ("*", info.subresource)
        )
        generic = _STATUS if info.subresource == "status" else _PART if subresource.prepare else {}
        found = special or generic.get(info.verb)
        if found is None:
            raise not_implemented(f"{resource.kind.resource}/{info.subresource} is not supported yet")
        return found

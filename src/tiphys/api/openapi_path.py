"""The paths of a resource and what may be done at each, apart from the OpenAPI version they are told in.

From a resource and its subresources come `PathItem`s; `openapi_v2` and `openapi_v3` write them down (apiserver
`endpoints/installer.go` registers the same routes).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tiphys.api.catalog import Catalog, Resource
from tiphys.api.kind import Subresource

META = "io.k8s.apimachinery.pkg.apis.meta.v1"
PATCH_TYPES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """`place` is `query` or `path`."""

    name: str
    place: str
    type: str
    description: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One method at one path. `body` and `answer` are definition names; an empty answer means plain text."""

    method: str
    action: str
    id: str
    description: str
    group_version_kind: tuple[str, str, str]
    parameters: tuple[Parameter, ...]
    body: str = ""
    answer: str = ""
    codes: tuple[int, ...] = (200,)


@dataclass(frozen=True, slots=True)
class PathItem:
    path: str
    parameters: tuple[Parameter, ...]
    operations: tuple[Operation, ...]


def _query(type_: str, **descriptions: str) -> tuple[Parameter, ...]:
    return tuple(Parameter(name, "query", type_, text) for name, text in descriptions.items())


PRETTY = _query("string", pretty="If 'true', the output is indented for people to read.")
NAMESPACE = Parameter("namespace", "path", "string", "The namespace of the object.")
_DRY_RUN = _query("string", dryRun="`All`: go through every stage, but store nothing.")
_WRITE = (
    *_DRY_RUN,
    *_query("string", fieldManager="The name of the actor that makes the change, at most 128 printable characters."),
    *_query("string", fieldValidation="What to do with unknown or duplicate fields: `Ignore`, `Warn` or `Strict`."),
)
_FORCE = _query("boolean", force="Apply only: take over fields that others manage.")
_DELETE = (
    *_DRY_RUN,
    *_query("integer", gracePeriodSeconds="Seconds before the object goes; zero means at once."),
    *_query("string", propagationPolicy="What becomes of dependents: `Orphan`, `Background` or `Foreground`."),
)
_SELECT = (
    *_query("string", **{"continue": "Where an earlier, limited list left off."}),
    *_query("string", fieldSelector="Only objects whose fields match."),
    *_query("string", labelSelector="Only objects whose labels match."),
    *_query("integer", limit="At most so many objects; the list says how to get on."),
    *_query("string", resourceVersion="The version, or the oldest version, to answer from."),
    *_query("string", resourceVersionMatch="How resourceVersion is meant: `Exact` or `NotOlderThan`."),
    *_query("boolean", sendInitialEvents="Watches only: begin with the objects that are there, then a bookmark."),
    *_query("integer", timeoutSeconds="End the call after so many seconds."),
)
_LIST = (
    *_query("boolean", allowWatchBookmarks="Watches only: say now and then how far the watch has come."),
    *_SELECT,
    *_query("boolean", watch="Stream what changes instead of a list."),
)


@dataclass(frozen=True, slots=True)
class _Verb:
    method: str
    action: str
    word: str
    parameters: tuple[Parameter, ...] = ()
    codes: tuple[int, ...] = (200,)


_COLLECTION = {
    "create": _Verb("post", "post", "create", _WRITE, (200, 201, 202)),
    "deletecollection": _Verb("delete", "deletecollection", "deleteCollection", (*_DELETE, *_SELECT)),
    "list": _Verb("get", "list", "list", _LIST),
}
_ITEM = {
    "delete": _Verb("delete", "delete", "delete", _DELETE, (200, 202)),
    "get": _Verb("get", "get", "read"),
    "patch": _Verb("patch", "patch", "patch", (*_WRITE, *_FORCE), (200, 201)),
    "update": _Verb("put", "put", "replace", _WRITE, (200, 201)),
}
_BELOW_ITEM = {**_ITEM, "create": _COLLECTION["create"]}


class PathItems:
    """Makes the path items of one catalog's resources."""

    def __init__(self, catalog: Catalog) -> None:
        self._definitions = catalog.definitions

    def of(self, resource: Resource) -> Iterator[PathItem]:
        """Every path of the resource and its subresources."""
        kind = resource.kind
        root = base_path(resource.kind.group, resource.version)
        scope = (NAMESPACE,) if kind.namespaced else ()
        collection = f"{root}/namespaces/{{namespace}}/{kind.plural}" if kind.namespaced else f"{root}/{kind.plural}"
        item = f"{collection}/{{name}}"
        name = Parameter("name", "path", "string", f"The name of the {kind.kind}.")
        yield from self._item(resource, collection, scope, _COLLECTION)
        yield from self._item(resource, item, (name, *scope), _ITEM)
        for subresource in sorted(kind.subresources, key=lambda subresource: subresource.name):
            yield from self._subresource(resource, subresource, f"{item}/{subresource.name}", (name, *scope))
        if kind.namespaced and "list" in kind.verbs:
            everywhere = self._operation(resource, _COLLECTION["list"], "ForAllNamespaces", list_=True)
            yield PathItem(f"{root}/{kind.plural}", PRETTY, (everywhere,))

    def _item(
        self, resource: Resource, path: str, parameters: tuple[Parameter, ...], verbs: dict[str, _Verb]
    ) -> Iterator[PathItem]:
        allowed = [name for name in sorted(verbs) if name in resource.kind.verbs]
        operations = tuple(self._operation(resource, verbs[name], "", list_=name == "list") for name in allowed)
        if operations:
            yield PathItem(path, (*parameters, *PRETTY), operations)

    def _operation(self, resource: Resource, verb: _Verb, suffix: str, *, list_: bool) -> Operation:
        kind = resource.kind
        scope = "Namespaced" if kind.namespaced and not suffix else ""
        answer = self._list(resource) if list_ else resource.definition
        if verb.method == "delete":
            answer = (
                resource.definition if kind.returns_object_on_delete and verb.action == "delete" else META + ".Status"
            )
        return Operation(
            verb.method,
            verb.action,
            f"{verb.word}{_camel(kind.group)}{_capital(resource.version)}{scope}{kind.kind}{suffix}",
            f"{verb.word} {kind.kind}",
            (kind.group, resource.version, kind.kind),
            verb.parameters,
            _body(verb, resource.definition),
            answer,
            verb.codes,
        )

    def _list(self, resource: Resource) -> str:
        kind = resource.kind
        return self._definitions.definition(kind.group, resource.version, f"{kind.kind}List") or resource.definition

    def _subresource(
        self, resource: Resource, subresource: Subresource, path: str, parameters: tuple[Parameter, ...]
    ) -> Iterator[PathItem]:
        own = (resource.kind.group, resource.version, resource.kind.kind)
        gvk = subresource.kind or own
        definition = self._definitions.definition(*gvk) or ""
        scope = "Namespaced" if resource.kind.namespaced else ""
        name = f"{_camel(own[0])}{_capital(own[1])}{scope}{own[2]}{_capital(subresource.name)}"
        verbs = [_BELOW_ITEM[verb] for verb in sorted(subresource.verbs) if verb in _BELOW_ITEM]
        operations = tuple(
            Operation(
                verb.method,
                verb.action,
                f"{verb.word}{name}",
                f"{verb.word} {subresource.name} of {own[2]}",
                gvk,
                verb.parameters,
                _body(verb, definition),
                definition,
                verb.codes,
            )
            for verb in verbs
        )
        if operations:
            yield PathItem(path, (*parameters, *PRETTY), operations)


def _body(verb: _Verb, definition: str) -> str:
    if verb.action == "patch":
        return f"{META}.Patch"
    if verb.method == "delete":
        return f"{META}.DeleteOptions"
    return definition if verb.method in ("post", "put") else ""


def base_path(group: str, version: str) -> str:
    return f"/apis/{group}/{version}" if group else f"/api/{version}"


def tag(group: str, version: str) -> str:
    """`core_v1`, `apps_v1`, `rbacAuthorization_v1`: clients' code generators name classes by it."""
    name = _camel(group)
    return f"{name[:1].lower()}{name[1:]}_{version}"


def _camel(group: str) -> str:
    """`Core`, `Apps`, `RbacAuthorization`."""
    parts = (group or "core").removesuffix(".k8s.io").split(".")
    return "".join(_capital(part) for part in parts)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

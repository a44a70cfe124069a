"""/openapi/v3: an index of documents, one a group version, each at a URL that carries its hash.

So a client fetches a document once and keeps it for as long as the hash stands (kube-openapi `handler3`). A document
is made when the index or it is first asked for, in a thread, and kept as bytes.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from urllib.parse import parse_qs

import orjson

from tiphys.api.cached_document import CachedDocument, cached_document, only_get
from tiphys.api.catalog import Catalog, Resource
from tiphys.api.media_type import parse_accept
from tiphys.api.openapi_path import META, PATCH_TYPES, Operation, Parameter, PathItem, PathItems, base_path, tag
from tiphys.api.openapi_schema import V3_REF, reachable, v3_schema
from tiphys.base.document import Document
from tiphys.base.http import JSON, Request, Response
from tiphys.base.status import not_acceptable

ROOT = "/openapi/v3"
_VARY = (("vary", "Accept"),)
_IMMUTABLE = (("cache-control", "public, immutable"),)
_WORDS = {200: "OK", 201: "Created", 202: "Accepted"}


class OpenApiV3:
    """Serves the index and the documents of one catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._made: dict[str, CachedDocument] = {}
        self._making = asyncio.Lock()

    def paths(self) -> list[str]:
        return ["/openapi/v3"]

    async def respond(self, request: Request) -> Response | None:
        """None for another path, and for group versions that are not served. Raises StatusError 405, 406."""
        if not request.path.startswith(ROOT):
            return None
        name = request.path[len(ROOT) :].strip("/")
        if name and not request.path.startswith(f"{ROOT}/"):
            return None
        only_get(request)
        _check_acceptable(request.headers.get("accept", ""))
        async with self._making:
            if not self._made:
                self._made = await asyncio.to_thread(self._make)
        return self._document(name, request) if name else self._index(request)

    def _index(self, request: Request) -> Response:
        paths = {name: {"serverRelativeURL": _url(name, made)} for name, made in sorted(self._made.items())}
        return cached_document(orjson.dumps({"paths": paths}), JSON, _VARY).answer(request)

    def _document(self, name: str, request: Request) -> Response | None:
        made = self._made.get(name)
        if made is None:
            return None
        asked = parse_qs(request.query).get("hash", [""])[0]
        if asked and asked != made.etag:
            return Response(301, b"", "", [("location", _url(name, made))])
        return made.answer(request, *(_IMMUTABLE if asked else ()))

    def _make(self) -> dict[str, CachedDocument]:
        found: dict[tuple[str, str], list[Resource]] = defaultdict(list)
        for resource in self._catalog.resources():
            found[resource.kind.group, resource.version].append(resource)
        return {
            base_path(*key).strip("/"): cached_document(orjson.dumps(self._openapi(resources)), JSON, _VARY)
            for key, resources in sorted(found.items())
        }

    def _openapi(self, resources: list[Resource]) -> Document:
        definitions = self._catalog.definitions
        items = PathItems(self._catalog)
        paths = [item for resource in resources for item in items.of(resource)]
        named = {
            name for item in paths for operation in item.operations for name in (operation.body, operation.answer)
        }
        wanted = reachable({*named, f"{META}.WatchEvent", f"{META}.APIResourceList"}, definitions.raw)
        return {
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes", "version": definitions.git_version},
            "paths": {item.path: _path_item(item) for item in sorted(paths, key=lambda item: item.path)},
            "components": {"schemas": {name: v3_schema(name, definitions.raw[name]) for name in wanted}},
        }


def _url(name: str, made: CachedDocument) -> str:
    return f"{ROOT}/{name}?hash={made.etag}"


def _check_acceptable(accept: str) -> None:
    clauses = parse_accept(accept or "*/*")
    if not any(clause.media_type in (JSON, "application/*", "*/*") for clause in clauses):
        raise not_acceptable(f"only the following media types are accepted: {JSON}")


def _path_item(item: PathItem) -> Document:
    operations = {operation.method: _operation(operation) for operation in item.operations}
    return {**operations, "parameters": [_parameter(parameter) for parameter in item.parameters]}


def _operation(operation: Operation) -> Document:
    group, version, kind = operation.group_version_kind
    document: Document = {
        "description": operation.description,
        "operationId": operation.id,
        "tags": [tag(group, version)],
        "parameters": [_parameter(parameter) for parameter in operation.parameters],
        "responses": {**{str(code): _response(operation, code) for code in operation.codes}, **_UNAUTHORIZED},
        "x-kubernetes-action": operation.action,
        "x-kubernetes-group-version-kind": {"group": group, "version": version, "kind": kind},
    }
    if operation.body:
        types = PATCH_TYPES if operation.action == "patch" else ("*/*",)
        schema = {"schema": {"$ref": V3_REF + operation.body}}
        document["requestBody"] = {"content": dict.fromkeys(types, schema)}
        if operation.method != "delete":
            document["requestBody"]["required"] = True
    return document


_UNAUTHORIZED = {"401": {"description": "Unauthorized"}}


def _response(operation: Operation, code: int) -> Document:
    schema: Document = {"$ref": V3_REF + operation.answer} if operation.answer else {"type": "string"}
    return {"description": _WORDS[code], "content": {JSON: {"schema": schema}}}


def _parameter(parameter: Parameter) -> Document:
    document: Document = {"name": parameter.name, "in": parameter.place, "description": parameter.description}
    if parameter.place == "path":
        document["required"] = True
    return {**document, "schema": {"type": parameter.type, "uniqueItems": True}}

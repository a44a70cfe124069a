"""/openapi/v2: everything in one document, as JSON and as the protobuf that kubectl before 1.27 validates with.

Made when first asked for, in a thread, and kept as bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson

from tiphys.api.cached_document import CachedDocument, cached_document, only_get
from tiphys.api.catalog import Catalog
from tiphys.api.media_type import parse_accept
from tiphys.api.openapi_path import PATCH_TYPES, Operation, Parameter, PathItem, PathItems, tag
from tiphys.api.openapi_schema import V2_REF, v2_schema
from tiphys.base.document import Document
from tiphys.base.http import JSON, Request, Response
from tiphys.base.status import not_acceptable
from tiphys.wire import openapi_protobuf

PATH = "/openapi/v2"
_OLD_PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
_VARY = (("vary", "Accept"),)
_WORDS = {200: "OK", 201: "Created", 202: "Accepted"}
_BEARER = {
    "description": "Bearer Token authentication",
    "in": "header",
    "name": "authorization",
    "type": "apiKey",
}


class OpenApiV2:
    """Serves the document of one catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._made: dict[str, CachedDocument] = {}
        self._making = asyncio.Lock()

    def paths(self) -> list[str]:
        return ["/openapi/v2"]

    async def respond(self, request: Request) -> Response | None:
        """None for another path. Raises StatusError 405, 406."""
        if request.path != PATH:
            return None
        only_get(request)
        content_type = _chosen(request.headers.get("accept", ""))
        async with self._making:
            if content_type not in self._made:
                self._made[content_type] = await asyncio.to_thread(self._make, content_type)
        return self._made[content_type].answer(request)

    def _make(self, content_type: str) -> CachedDocument:
        encode: Callable[[Any], bytes] = orjson.dumps if content_type == JSON else openapi_protobuf.document
        return cached_document(encode(swagger(self._catalog)), content_type, _VARY)


def _chosen(accept: str) -> str:
    for clause in parse_accept(accept or "*/*"):
        if clause.media_type in (JSON, "application/*", "*/*"):
            return JSON
        if clause.media_type in (openapi_protobuf.CONTENT_TYPE, _OLD_PROTOBUF):
            return openapi_protobuf.CONTENT_TYPE
    raise not_acceptable(f"only the following media types are accepted: {JSON}, {openapi_protobuf.CONTENT_TYPE}")


def swagger(catalog: Catalog) -> Document:
    """The whole Swagger 2.0 document."""
    definitions = catalog.definitions
    items = PathItems(catalog)
    paths = {item.path: _path_item(item) for resource in catalog.resources() for item in items.of(resource)}
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": definitions.git_version},
        "paths": dict(sorted(paths.items())),
        "definitions": {name: v2_schema(name, definitions.raw[name]) for name in sorted(definitions.raw)},
        "securityDefinitions": {"BearerToken": _BEARER},
        "security": [{"BearerToken": []}],
    }


def _path_item(item: PathItem) -> Document:
    operations = {operation.method: _operation(operation) for operation in item.operations}
    return {**operations, "parameters": [_parameter(parameter) for parameter in item.parameters]}


def _operation(operation: Operation) -> Document:
    group, version, kind = operation.group_version_kind
    body: list[Document] = []
    if operation.body:
        schema = {"$ref": V2_REF + operation.body}
        body = [{"name": "body", "in": "body", "required": operation.method != "delete", "schema": schema}]
    answer: Document = {"$ref": V2_REF + operation.answer} if operation.answer else {"type": "string"}
    responses = {str(code): {"description": _WORDS[code], "schema": answer} for code in operation.codes}
    return {
        "description": operation.description,
        "operationId": operation.id,
        "tags": [tag(group, version)],
        "consumes": list(PATCH_TYPES) if operation.action == "patch" else ["*/*"],
        "produces": [JSON, *([f"{JSON};stream=watch"] if operation.action == "list" else [])],
        "schemes": ["https"],
        "parameters": body + [_parameter(parameter) for parameter in operation.parameters],
        "responses": {**responses, "401": {"description": "Unauthorized"}},
        "x-kubernetes-action": operation.action,
        "x-kubernetes-group-version-kind": {"group": group, "version": version, "kind": kind},
    }


def _parameter(parameter: Parameter) -> Document:
    document: Document = {"name": parameter.name, "in": parameter.place, "type": parameter.type}
    if parameter.place == "path":
        document["required"] = True
    return {**document, "description": parameter.description, "uniqueItems": True}

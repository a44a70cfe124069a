"""The client: Kubernetes' verbs over any Transport, on plain documents.

A resource is named by its apiVersion and plural, as in `("apps/v1", "deployments")`. Every verb raises
StatusError for an answer that is an error, and OSError when the API cannot be reached at all.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import orjson

from tiphys.base.document import Document
from tiphys.base.status import StatusError, from_document
from tiphys.client.transport import Reply, Transport

PATCH_TYPES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
}
JSON = "application/json"


def resource_path(api_version: str, plural: str, namespace: str = "", name: str = "", subresource: str = "") -> str:
    """The URL path of a collection or, with a name, of one object or its subresource."""
    parts = [f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"]
    if namespace:
        parts += ["namespaces", namespace]
    parts += [part for part in (plural, name, subresource) if part]
    return "/".join(parts)


def error_of(reply: Reply) -> StatusError:
    """The StatusError an answer of 400 and above stands for, even if its body is no Status."""
    try:
        body = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        body = None
    if isinstance(body, dict) and body.get("kind") == "Status":
        return from_document(body)
    text = reply.body[:1024].decode(errors="replace").strip()
    return StatusError(reply.status, "", text or f"the server answered {reply.status}")


class Client:
    """One identity's access to one cluster. Documents returned are the caller's own."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    async def get(
        self, api_version: str, plural: str, name: str, namespace: str = "", *, subresource: str = ""
    ) -> Document:
        return await self._call("GET", resource_path(api_version, plural, namespace, name, subresource), {})

    async def list(
        self,
        api_version: str,
        plural: str,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = 0,
        continue_: str = "",
        resource_version: str = "",
    ) -> Document:
        """The List object; its items are given the apiVersion and kind that lists may leave out."""
        query = _selection(label_selector, field_selector)
        if limit:
            query["limit"] = str(limit)
        if continue_:
            query["continue"] = continue_
        if resource_version:
            query["resourceVersion"] = resource_version
        found = await self._call("GET", resource_path(api_version, plural, namespace), query)
        _name_items(found, api_version)
        return found

    async def list_all(
        self,
        api_version: str,
        plural: str,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        page: int = 500,
    ) -> Document:
        """A whole list, fetched in pages that are consistent to one version. Raises StatusError 410 if that
        version is compacted meanwhile."""
        items: list[Document] = []
        token = ""
        while True:
            found = await self.list(
                api_version,
                plural,
                namespace,
                label_selector=label_selector,
                field_selector=field_selector,
                limit=page,
                continue_=token,
            )
            items += found.get("items") or ()
            token = found["metadata"].get("continue") or ""
            if not token:
                return {**found, "items": items}

    async def create(
        self,
        api_version: str,
        plural: str,
        document: Document,
        namespace: str = "",
        *,
        name: str = "",
        subresource: str = "",
    ) -> Document:
        """POST; with `name` and `subresource` to a subresource, as `pods/x/binding` or `pods/x/eviction`."""
        path = resource_path(api_version, plural, namespace, name, subresource)
        return await self._call("POST", path, {}, orjson.dumps(document), JSON)

    async def update(
        self, api_version: str, plural: str, document: Document, namespace: str = "", *, subresource: str = ""
    ) -> Document:
        """PUT of the whole document to the name in it."""
        path = resource_path(api_version, plural, namespace, document["metadata"]["name"], subresource)
        return await self._call("PUT", path, {}, orjson.dumps(document), JSON)

    async def update_status(self, api_version: str, plural: str, document: Document, namespace: str = "") -> Document:
        return await self.update(api_version, plural, document, namespace, subresource="status")

    async def patch(
        self,
        api_version: str,
        plural: str,
        name: str,
        patch: Any,
        namespace: str = "",
        *,
        kind: str = "merge",
        subresource: str = "",
    ) -> Document:
        """`kind` is merge, strategic or json (a list of operations)."""
        path = resource_path(api_version, plural, namespace, name, subresource)
        return await self._call("PATCH", path, {}, orjson.dumps(patch), PATCH_TYPES[kind])

    async def delete(
        self,
        api_version: str,
        plural: str,
        name: str,
        namespace: str = "",
        *,
        propagation: str = "",
        grace_period: int | None = None,
        uid: str = "",
        resource_version: str = "",
    ) -> Document:
        """`propagation` is Background, Foreground or Orphan; `uid` and `resource_version` are preconditions."""
        options = _delete_options(propagation, grace_period, uid, resource_version)
        body = orjson.dumps(options) if options else b""
        path = resource_path(api_version, plural, namespace, name)
        return await self._call("DELETE", path, {}, body, JSON if body else "")

    async def delete_collection(
        self,
        api_version: str,
        plural: str,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        propagation: str = "",
        grace_period: int | None = None,
    ) -> Document:
        options = _delete_options(propagation, grace_period, "", "")
        body = orjson.dumps(options) if options else b""
        query = _selection(label_selector, field_selector)
        return await self._call(
            "DELETE", resource_path(api_version, plural, namespace), query, body, JSON if body else ""
        )

    async def watch(
        self,
        api_version: str,
        plural: str,
        namespace: str = "",
        *,
        resource_version: str = "",
        label_selector: str = "",
        field_selector: str = "",
        bookmarks: bool = True,
        timeout: int = 0,
    ) -> AsyncGenerator[tuple[str, Document], None]:
        """`(type, object)` of each change after `resource_version`; type ADDED, MODIFIED, DELETED or BOOKMARK.

        Ends when the server ends it (after `timeout` seconds if given). An ERROR event is raised as StatusError;
        410 means that history no longer reaches back. Close the iterator (`aclose`) to end it early.
        """
        query = {"watch": "1", **_selection(label_selector, field_selector)}
        if resource_version:
            query["resourceVersion"] = resource_version
        if bookmarks:
            query["allowWatchBookmarks"] = "true"
        if timeout:
            query["timeoutSeconds"] = str(timeout)
        path = resource_path(api_version, plural, namespace)
        async with aclosing(self.transport.stream(path, query)) as lines:
            async for line in lines:
                if not line:
                    continue
                event = orjson.loads(line)
                if event["type"] == "ERROR":
                    raise from_document(event["object"])
                yield event["type"], event["object"]

    async def read(self, path: str, query: Mapping[str, str] | None = None) -> Document:
        """GET of any path that answers JSON, as `/version` or `/apis`."""
        return await self._call("GET", path, query or {})

    async def close(self) -> None:
        await self.transport.close()

    async def _call(
        self, method: str, path: str, query: Mapping[str, str], body: bytes = b"", content_type: str = ""
    ) -> Document:
        reply = await self.transport.request(method, path, query, body, content_type)
        if reply.status >= 400:
            raise error_of(reply)
        try:
            found: Document = orjson.loads(reply.body)
        except orjson.JSONDecodeError as error:
            raise StatusError(500, "InternalError", f"{method} {path} answered no JSON: {error}") from error
        return found


def _selection(label_selector: str, field_selector: str) -> dict[str, str]:
    query = {}
    if label_selector:
        query["labelSelector"] = label_selector
    if field_selector:
        query["fieldSelector"] = field_selector
    return query


def _delete_options(propagation: str, grace_period: int | None, uid: str, resource_version: str) -> Document:
    options: Document = {}
    if propagation:
        options["propagationPolicy"] = propagation
    if grace_period is not None:
        options["gracePeriodSeconds"] = grace_period
    preconditions = {"uid": uid, "resourceVersion": resource_version}
    if present := {key: value for key, value in preconditions.items() if value}:
        options["preconditions"] = present
    return {"kind": "DeleteOptions", "apiVersion": "v1", **options} if options else {}


def _name_items(found: Document, api_version: str) -> None:
    kind = str(found.get("kind", "")).removesuffix("List")
    for item in found.get("items") or ():
        item.setdefault("apiVersion", api_version)
        item.setdefault("kind", kind)

"""What this cluster serves: /api, /apis and what is below them, as documents (apiserver `endpoints/discovery`).

Clients ask for one document a group version, or, since 1.27, for everything at once in the aggregated form.
Documents are made when first asked for and kept as bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import orjson

from tiphys.api import protobuf
from tiphys.api.answer import as_yaml
from tiphys.api.cached_document import CachedDocument, cached_document, only_get
from tiphys.api.catalog import Catalog, Resource, api_version
from tiphys.api.group_order import sorted_groups, sorted_versions
from tiphys.api.media_type import Clause, negotiate, parse_accept
from tiphys.api.resource_list import api_resources, version_discovery
from tiphys.base.document import Document
from tiphys.base.http import PROTOBUF, YAML, Request, Response

AGGREGATED_GROUP = "apidiscovery.k8s.io"
_AGGREGATED_SINCE = {"v2beta1": 27, "v2": 30}
_CREATION_TIMESTAMP_UNTIL = 34
_AGGREGATED_HEADERS = (("vary", "Accept"), ("cache-control", "public"))


class Discovery:
    """Serves the discovery documents of a catalog. `address` is this server's, host and port, as clients reach it."""

    def __init__(self, catalog: Catalog, address: str = "") -> None:
        self.catalog = catalog
        self._address = address
        self._minor = catalog.definitions.minor
        self._served: dict[str, dict[str, list[Resource]]] = {}
        self._known: frozenset[str] = frozenset()
        self._documents: dict[tuple[str, str], bytes] = {}
        self._aggregated: dict[tuple[str, str], CachedDocument] = {}

    def refresh(self) -> None:
        """Forget every document: the catalog changed."""
        self._served.clear()
        self._known = frozenset()
        self._documents.clear()
        self._aggregated.clear()

    async def respond(self, request: Request) -> Response | None:
        """None for paths that are not discovery's. Raises StatusError 405, 406."""
        path = request.path.rstrip("/")
        if path not in ("/api", "/apis") and not path.startswith(("/api/", "/apis/")):
            return None
        accept = request.headers.get("accept", "")
        if path in ("/api", "/apis"):
            version = self._aggregated_version(accept)
            if version is not None:
                only_get(request)
                return self._aggregate(path, version).answer(request)
        if not self._known:
            self._known = frozenset(self.paths())
        if path not in self._known:
            return None
        only_get(request)
        media_type = negotiate(accept).media_type
        return Response(200, self._document(path, media_type), media_type)

    def _groups(self) -> dict[str, dict[str, list[Resource]]]:
        """Group to version to resources, all in the order told to clients."""
        if not self._served:
            found: dict[str, dict[str, list[Resource]]] = defaultdict(lambda: defaultdict(list))
            for resource in self.catalog.resources():
                found[resource.kind.group][resource.version].append(resource)
            self._served = {
                group: {version: found[group][version] for version in sorted_versions(found[group])}
                for group in sorted_groups(found)
            }
        return self._served

    def paths(self) -> list[str]:
        """Every path documents are served at, sorted."""
        found = ["/api", "/apis"]
        for group, versions in self._groups().items():
            found += [f"/apis/{group}"] if group else []
            found += [f"/apis/{group}/{version}" if group else f"/api/{version}" for version in versions]
        return sorted(found)

    # One document a path.

    def _document(self, path: str, media_type: str) -> bytes:
        key = path, media_type
        if key not in self._documents:
            self._documents[key] = self._encode(self._make(path), media_type)
        return self._documents[key]

    def _encode(self, document: Document, media_type: str) -> bytes:
        if media_type == PROTOBUF:
            return protobuf.encode(self.catalog.definitions, document)
        return as_yaml(document) if media_type == YAML else orjson.dumps(document) + b"\n"

    def _make(self, path: str) -> Document:
        parts = path.strip("/").split("/")
        if path == "/api":
            return self._core_versions()
        if path == "/apis":
            groups = [self._group(group) for group in self._groups() if group]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        if parts[0] == "apis" and len(parts) == 2:
            return {"kind": "APIGroup", "apiVersion": "v1", **self._group(parts[1])}
        return self._resources(*(parts[1:] if parts[0] == "apis" else ("", parts[1])))

    def _core_versions(self) -> Document:
        addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": self._address}]
        versions = list(self._groups().get("", ()))
        return {"kind": "APIVersions", "versions": versions, "serverAddressByClientCIDRs": addresses}

    def _group(self, group: str) -> Document:
        versions = [{"groupVersion": api_version(group, v), "version": v} for v in self._groups()[group]]
        return {"name": group, "versions": versions, "preferredVersion": versions[0]}

    def _resources(self, group: str, version: str) -> Document:
        resources = api_resources(self._groups()[group][version], self._minor)
        head = {"kind": "APIResourceList"} | ({"apiVersion": "v1"} if group else {})
        return head | {"groupVersion": api_version(group, version), "resources": resources}

    # All at once.

    def _aggregated_version(self, accept: str) -> str | None:
        """The version of APIGroupDiscoveryList the client would rather have than the plain form."""
        for clause in parse_accept(accept) if accept else ():
            if clause.media_type in ("application/json", "application/*", "*/*"):
                version = self._allowed(clause)
                if version is not None:
                    return version
        return None

    def _allowed(self, clause: Clause) -> str | None:
        parameters = clause.parameters
        version = parameters.get("v", "")
        asked = parameters.get("g") == AGGREGATED_GROUP and parameters.get("as") == "APIGroupDiscoveryList"
        return version if asked and self._minor >= _AGGREGATED_SINCE.get(version, self._minor + 1) else None

    def _aggregate(self, path: str, version: str) -> CachedDocument:
        key = path, version
        if key not in self._aggregated:
            wanted: Callable[[str], bool] = bool if path == "/apis" else (lambda group: not group)
            items = [self._group_discovery(group) for group in self._groups() if wanted(group)]
            document = {
                "kind": "APIGroupDiscoveryList",
                "apiVersion": f"{AGGREGATED_GROUP}/{version}",
                "metadata": {},
                "items": items,
            }
            content_type = f"application/json;g={AGGREGATED_GROUP};v={version};as=APIGroupDiscoveryList"
            body = orjson.dumps(document) + b"\n"
            self._aggregated[key] = cached_document(body, content_type, _AGGREGATED_HEADERS)
        return self._aggregated[key]

    def _group_discovery(self, group: str) -> Document:
        metadata: Document = {"name": group} if group else {}
        if self._minor < _CREATION_TIMESTAMP_UNTIL:
            metadata["creationTimestamp"] = None
        versions = [version_discovery(version, resources) for version, resources in self._groups()[group].items()]
        return {"metadata": metadata, "versions": versions}

"""What a group version serves, as the two forms of discovery tell it: APIResourceList and APIVersionDiscovery."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from hashlib import sha256

from tiphys.api.catalog import Resource
from tiphys.api.kind import Subresource
from tiphys.base.document import Document

_SINGULAR_SINCE = 27


def api_resources(resources: Iterable[Resource], minor: int) -> list[Document]:
    """The resources of one group version and their subresources, by name (metav1.APIResource)."""
    found = [document for resource in resources for document in _with_subresources(resource, minor)]
    return sorted(found, key=lambda document: str(document["name"]))


def _with_subresources(resource: Resource, minor: int) -> Iterator[Document]:
    kind = resource.kind
    document: Document = {
        "name": kind.plural,
        "singularName": singular(resource) if minor >= _SINGULAR_SINCE else "",
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": sorted(kind.verbs),
    }
    if kind.short_names:
        document["shortNames"] = list(kind.short_names)
    if kind.categories:
        document["categories"] = list(kind.categories)
    if "get" in kind.verbs:
        document["storageVersionHash"] = storage_version_hash(kind.group, resource.stored, kind.kind)
    yield document
    for subresource in kind.subresources:
        yield _subresource(resource, subresource)


def _subresource(resource: Resource, subresource: Subresource) -> Document:
    document: Document = {
        "name": f"{resource.kind.plural}/{subresource.name}",
        "singularName": "",
        "namespaced": resource.kind.namespaced,
    }
    group, version, kind = _foreign_kind(resource, subresource)
    if version:
        document |= {"group": group, "version": version} if group else {"version": version}
    return document | {"kind": kind, "verbs": sorted(subresource.verbs)}


def _foreign_kind(resource: Resource, subresource: Subresource) -> tuple[str, str, str]:
    """Group and version are told only where they are not the resource's own."""
    group, version, kind = subresource.kind or (resource.kind.group, resource.version, resource.kind.kind)
    return ("", "", kind) if (group, version) == (resource.kind.group, resource.version) else (group, version, kind)


def version_discovery(version: str, resources: Iterable[Resource]) -> Document:
    """apidiscovery.k8s.io APIVersionDiscovery of one group version."""
    ordered = sorted(resources, key=lambda resource: resource.kind.plural)
    return {"version": version, "resources": [_discovery(resource) for resource in ordered], "freshness": "Current"}


def _discovery(resource: Resource) -> Document:
    kind = resource.kind
    document: Document = {
        "resource": kind.plural,
        "responseKind": {"group": "", "version": "", "kind": kind.kind},
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": singular(resource),
        "verbs": sorted(kind.verbs),
    }
    if kind.short_names:
        document["shortNames"] = list(kind.short_names)
    if kind.categories:
        document["categories"] = list(kind.categories)
    if kind.subresources:
        ordered = sorted(kind.subresources, key=lambda subresource: subresource.name)
        document["subresources"] = [_subresource_discovery(resource, subresource) for subresource in ordered]
    return document


def _subresource_discovery(resource: Resource, subresource: Subresource) -> Document:
    group, version, kind = _foreign_kind(resource, subresource)
    return {
        "subresource": subresource.name,
        "responseKind": {"group": group, "version": version, "kind": kind},
        "verbs": sorted(subresource.verbs),
    }


def singular(resource: Resource) -> str:
    return resource.kind.singular or resource.kind.kind.lower()


def storage_version_hash(group: str, version: str, kind: str) -> str:
    """discovery.StorageVersionHash: tells clients when the stored version changed."""
    return b64encode(sha256(f"{group}/{version}/{kind}".encode()).digest()[:8]).decode()

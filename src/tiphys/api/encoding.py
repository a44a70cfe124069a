"""Documents to bytes and between served versions: encoded once, then only cut and joined.

The head of every stored document is known byte for byte, apiVersion and kind and then metadata with the stamp
first (`store/contract.py`). So a list drops the head of its items, as upstream's typed lists do, and a version of the
same shape swaps it, with no decoding.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import orjson

from tiphys.api.catalog import Resource, api_version
from tiphys.base.document import Document
from tiphys.base.status import request_too_large

MAX_OBJECT = 3 * 1024 * 1024
"""Bytes of an object with all its defaults. Ours: what is larger could not be sent back, as no body may be so large.
Upstream stops at etcd's 1.5 MiB, of protobuf, with a 500."""


def encode(document: Document) -> bytes:
    """The stored form. The resource version is the document's own, or empty for the store to fill in."""
    metadata = document.get("metadata") or {}
    ordered = {
        "apiVersion": document["apiVersion"],
        "kind": document["kind"],
        "metadata": {"resourceVersion": metadata.get("resourceVersion") or "", **metadata},
    }
    ordered.update((key, value) for key, value in document.items() if key not in _HEAD)
    return orjson.dumps(ordered)


def to_store(document: Document) -> bytes:
    """`encode`, for an object that a client writes. Raises StatusError 413 for one beyond MAX_OBJECT."""
    value = encode(document)
    if len(value) > MAX_OBJECT:
        raise request_too_large(
            f"Request entity too large: the object is of {len(value)} bytes, limit is {MAX_OBJECT}"
        )
    return value


_HEAD = ("apiVersion", "kind", "metadata")


@lru_cache(maxsize=1024)
def head(group: str, version: str, kind: str) -> bytes:
    """`{"apiVersion":"apps/v1","kind":"Deployment",`"""
    return orjson.dumps({"apiVersion": api_version(group, version), "kind": kind})[:-1] + b","


def stored_head(resource: Resource) -> bytes:
    """The head of the stored bytes; of another group where the kind is a view of another's storage."""
    return head(resource.stored_group, resource.stored, resource.kind.kind)


def _own_head(resource: Resource) -> bytes:
    return head(resource.kind.group, resource.version, resource.kind.kind)


def in_version(resource: Resource, value: bytes) -> bytes:
    """A stored value in the resource's version."""
    if resource.is_stored:
        return value
    if resource.converter:
        return encode(to_version(resource, orjson.loads(value)))
    return _own_head(resource) + value[len(stored_head(resource)) :]


def list_items(resource: Resource, values: Iterable[bytes]) -> list[bytes]:
    """Stored values as items of a list in the resource's version: without apiVersion and kind."""
    if resource.converter:
        start = len(_own_head(resource))
        return [b"{" + in_version(resource, value)[start:] for value in values]
    start = len(stored_head(resource))
    return [b"{" + value[start:] for value in values]


def to_version(resource: Resource, document: Document) -> Document:
    """A decoded stored document in the resource's version; may be the same one."""
    if resource.converter:
        document = resource.converter[0](document)
    document["apiVersion"] = resource.api_version
    return document


def to_stored(resource: Resource, document: Document) -> Document:
    """A document of the resource's version in the version it is stored in; may be the same one."""
    if resource.converter:
        document = resource.converter[1](document)
    document["apiVersion"] = resource.stored_api_version
    return document

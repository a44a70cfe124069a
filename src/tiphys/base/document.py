"""The wire-shape document: a dict with camelCase keys is the model; there is no class per kind."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]
"""A decoded API object or part of one, exactly as it stands on the wire."""


def metadata(document: Document) -> Document:
    """The document's metadata, made if absent, so that callers may write to it."""
    found = document.get("metadata")
    if not isinstance(found, dict):
        found = document["metadata"] = {}
    return found


def namespaced_name(document: Document) -> str:
    """`namespace/name`, or `name` for an object without namespace: the key informers and queues use."""
    meta = document["metadata"]
    namespace = meta.get("namespace")
    return f"{namespace}/{meta['name']}" if namespace else str(meta["name"])


def split_key(key: str) -> tuple[str, str]:
    """`(namespace, name)` of a key made by `namespaced_name`; the namespace is empty for cluster objects."""
    namespace, _, name = key.rpartition("/")
    return namespace, name


def owner_reference(document: Document) -> Document | None:
    """The owner reference whose `controller` is true, if any (metav1.GetControllerOf)."""
    for reference in document["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            found: Document = reference
            return found
    return None

"""Putting a finalizer on an object and taking it off again."""

from __future__ import annotations

from tiphys.base.document import Document
from tiphys.client.client import Client


def has_finalizer(document: Document, finalizer: str) -> bool:
    return finalizer in (document["metadata"].get("finalizers") or ())


async def change_finalizer(
    client: Client, resource: tuple[str, str], document: Document, finalizer: str, *, present: bool
) -> None:
    """Update the object with or without the finalizer; `resource` is its apiVersion and plural.

    Raises StatusError 409 if the object was changed meanwhile: its next version asks again.
    """
    meta = document["metadata"]
    others = [each for each in meta.get("finalizers") or () if each != finalizer]
    changed = {**document, "metadata": {**meta, "finalizers": [*others, finalizer] if present else others}}
    await client.update(*resource, changed, meta.get("namespace", ""))

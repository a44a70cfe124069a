"""The pod-template-hash: what tells the replica sets of one deployment apart (controller.ComputeHash).

Upstream hashes Go's dump of the template struct, which nothing but Go can reproduce; ours is the same function
over the template's sorted JSON, so the same template gives the same hash, in the same shape and alphabet.
"""

from __future__ import annotations

from typing import Any

import orjson

from tiphys.base.document import Document
from tiphys.base.names import safe_encode

LABEL = "pod-template-hash"
_OFFSET = 2166136261
_PRIME = 16777619


def template_hash(template: Document, collisions: int | None) -> str:
    """8 to 10 characters. `collisions` is status.collisionCount: another hash for the same template."""
    data = orjson.dumps(without_empty(template), option=orjson.OPT_SORT_KEYS)
    if collisions is not None:
        data += collisions.to_bytes(4, "little") + bytes(4)
    return safe_encode(str(fnv32a(data)))


def fnv32a(data: bytes) -> int:
    """The 32-bit FNV-1a hash."""
    found = _OFFSET
    for byte in data:
        found = (found ^ byte) * _PRIME & 0xFFFFFFFF
    return found


def same_template(one: Document, other: Document) -> bool:
    """Equal but for the hash label; what is empty is as good as absent (deploymentutil.EqualIgnoreHash)."""
    first, second = without_hash(one), without_hash(other)
    return first == second or without_empty(first) == without_empty(second)


def without_hash(template: Document) -> Document:
    meta = template.get("metadata") or {}
    labels = meta.get("labels") or {}
    if LABEL not in labels:
        return template
    kept = {key: value for key, value in labels.items() if key != LABEL}
    return {**template, "metadata": {**meta, "labels": kept}}


def without_empty(value: Any) -> Any:
    """A document without nulls, empty objects and empty lists that are fields of objects."""
    if isinstance(value, dict):
        kept = {key: without_empty(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item is not None and item != {} and item != []}
    return [without_empty(item) for item in value] if isinstance(value, list) else value

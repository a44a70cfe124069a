"""The bodies of patches: read, and refused in the words of apiserver `handlers/patch.go`.

Every reader gives the patch and the strict findings in it (fields given twice, unknown fields of an operation), which
`Decoder.check_patched` takes as `found` and tells or refuses together with those of the patched object.
"""

from __future__ import annotations

from typing import Any

import orjson

from tiphys.base.document import Document
from tiphys.base.status import bad_request
from tiphys.schema import json_syntax
from tiphys.schema.decode import too_many_parts
from tiphys.schema.leaf import plain
from tiphys.schema.walk import Pairs, Walk, json_kind

_OPERATION = {"op", "path", "from", "value"}
_MAP = "map[string]interface {}"


def json_patch(body: bytes) -> tuple[list[Any], list[str]]:
    """The operations of a JSON patch. Raises StatusError 400."""
    _parse(body)
    operations, walk = json_syntax.read(body), Walk()
    if type(operations) is not list and operations is not None:
        raise bad_request(f"error decoding patch: {walk.type_error(json_kind(operations), '[]handlers.jsonPatchOp')}")
    for index, operation in enumerate(operations or []):
        walk.enter_index(index)
        _operation(operation, walk)
        walk.leave_item()
    if walk.saved:
        raise bad_request(f"error decoding patch: {walk.saved}")
    return plain(operations or []), [f"json patch {text}" for text in walk.strict]


def _operation(operation: Any, walk: Walk) -> None:
    if operation is not None and type(operation) is not Pairs:
        walk.mismatch(operation, "handlers.jsonPatchOp")
        return
    seen: set[str] = set()
    for key, value in operation or []:
        if key not in _OPERATION:
            walk.unknown(key)
            continue
        if key in seen:
            walk.duplicate(key)
        seen.add(key)
        walk.enter("jsonPatchOp", key)
        if key == "value":
            _find_duplicates(value, walk)
        elif value is not None and type(value) is not str:
            walk.mismatch(value, "string")
        walk.leave("")


def merge_patch(body: bytes) -> tuple[Document, list[str]]:
    """A JSON merge patch. Raises StatusError 400 if it is no object."""
    ordinary = _ordinary(body)
    if ordinary is not None:
        return ordinary, []
    patch, walk = json_syntax.read(body), Walk()
    if patch is None:
        raise bad_request("Invalid JSON Patch")
    if type(patch) is not Pairs:
        raise bad_request(f"error decoding patch: {walk.type_error(json_kind(patch), _MAP)}")
    return _untyped(patch, walk)


def strategic_merge_patch(body: bytes) -> tuple[Document, list[str]]:
    """A strategic merge patch; null counts as one that changes nothing. Raises StatusError 400 if it is no object."""
    ordinary = _ordinary(body)
    if ordinary is not None:
        return ordinary, []
    patch, walk = json_syntax.read(body), Walk()
    if type(patch) is not Pairs and patch is not None:
        raise bad_request(walk.type_error(json_kind(patch), _MAP))
    return _untyped(patch or Pairs(), walk)


def _untyped(patch: Pairs, walk: Walk) -> tuple[Document, list[str]]:
    _find_duplicates(patch, walk)
    document: Document = plain(patch)
    return document, walk.strict


def _ordinary(body: bytes) -> Document | None:
    """A body that is an object with no key given twice: nothing to tell of it, so no need to read it with care."""
    document = _parse(body)
    return document if type(document) is dict and not json_syntax.has_duplicates(document, body) else None


def _parse(body: bytes) -> Any:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad_request("invalid JSON patch") from error
    if json_syntax.too_deep(document, body):
        raise bad_request(f"error decoding patch: {json_syntax.TOO_DEEP}")
    if json_syntax.too_many_parts(document, body):
        raise too_many_parts()
    return document


def _find_duplicates(value: Any, walk: Walk) -> None:
    """Note keys given twice anywhere in untyped JSON, in the order of the text."""
    if type(value) is Pairs:
        seen: set[str] = set()
        for key, item in value:
            if key in seen:
                walk.duplicate(key)
            seen.add(key)
            walk.enter_key(key)
            _find_duplicates(item, walk)
            walk.leave_item()
    elif isinstance(value, list):
        for index, item in enumerate(value):
            walk.enter_index(index)
            _find_duplicates(item, walk)
            walk.leave_item()

"""JSON merge patch (RFC 7386), as evanphx/json-patch version 4 does it."""

from __future__ import annotations

from typing import Any

from tiphys.base.document import Document
from tiphys.base.status import bad_request


def apply(document: Document, patch: Document) -> Document:
    """`document` with `patch` merged in: objects key by key, null removes, anything else replaces.

    The result may share parts with both, which are not changed. Raises StatusError 400 if the patch is no object.
    """
    if type(patch) is not dict:
        raise bad_request("Invalid JSON Patch")
    return _merged(document, patch)


def _merged(document: Document, patch: Document) -> Document:
    result = dict(document)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif type(value) is dict and type(result.get(key)) is dict:
            result[key] = _merged(result[key], value)
        else:
            result[key] = _without_nulls(value) if isinstance(value, (dict, list)) else value
    return result


def _without_nulls(value: Any) -> Any:
    """A value that replaces: nulls in objects mean nothing to remove, so they go; those in lists stay."""
    if type(value) is dict:
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if type(value) is list else value

"""The directives a strategic merge patch may hold, and what is left of a value without them."""

from __future__ import annotations

from typing import Any

from tiphys.base.status import bad_request

DIRECTIVE = "$patch"
DELETE = "delete"
REPLACE = "replace"
MERGE = "merge"
RETAIN_KEYS = "$retainKeys"
DELETE_FROM_LIST = "$deleteFromPrimitiveList"
ELEMENT_ORDER = "$setElementOrder"

BAD_RETAIN_KEYS = "invalid patch format of retainKeys"
BAD_ELEMENT_ORDER = "invalid patch format of setElementOrder list"
BAD_PRIMITIVE_LIST = "invalid patch format of primitive list"


def field_of(directive: str, prefix: str) -> str:
    """`finalizers` of `$deleteFromPrimitiveList/finalizers`. Raises StatusError 400."""
    found, slash, field = directive.partition("/")
    if not slash or found != prefix:
        raise bad_request(BAD_ELEMENT_ORDER if prefix == ELEMENT_ORDER else BAD_PRIMITIVE_LIST)
    return field


def without_nulls(value: Any) -> Any:
    """A value without the nulls in its objects (discardNullValuesFromPatch)."""
    if type(value) is dict:
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if type(value) is list else value


def without_directives(value: Any) -> Any:
    """A value without the objects in it that are `$patch` directives (removeDirectives)."""
    if type(value) is dict:
        return {key: without_directives(item) for key, item in value.items() if not is_directive(item)}
    if type(value) is list:
        return [without_directives(item) for item in value if not is_directive(item)]
    return value


def is_directive(value: Any) -> bool:
    return type(value) is dict and DIRECTIVE in value

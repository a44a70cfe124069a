"""Strategic merge patch: lists of objects merged by a key, and directives in the patch (`$patch` and its kin).

Follows apimachinery `pkg/util/strategicpatch/patch.go` for the server's half: applying a patch to an object. Lists
are in `strategic_list`. Errors have upstream's words; where upstream answers some of them 500, we answer 400.
"""

from __future__ import annotations

from typing import Any

from tiphys.base.document import Document
from tiphys.base.status import bad_request
from tiphys.schema import strategic_list
from tiphys.schema.definitions import Definitions
from tiphys.schema.go_value import printed, type_name
from tiphys.schema.json_syntax import TOO_DEEP
from tiphys.schema.patch_meta import Level, PatchMeta
from tiphys.schema.strategic_directive import (
    BAD_RETAIN_KEYS,
    DELETE,
    DELETE_FROM_LIST,
    DIRECTIVE,
    ELEMENT_ORDER,
    MERGE,
    REPLACE,
    RETAIN_KEYS,
    field_of,
    without_directives,
    without_nulls,
)


def apply(definitions: Definitions, definition_name: str, document: Document, patch: Document) -> Document:
    """`document` (of the named definition) with `patch` merged in.

    The result may share parts with both, which are not changed. Raises StatusError 400 or 422 for a bad patch.
    """
    if type(patch) is not dict:
        raise bad_request(
            f"json: cannot unmarshal {type_name(patch)} into Go value of type map[string]interface {{}}"
        )
    root = Level(definitions, definitions.raw[definition_name], definition_name.rsplit(".", 1)[1])
    try:
        return merge_map(document, patch, root)
    except RecursionError as error:
        raise bad_request(TOO_DEEP) from error


def merge_map(original: Document, patch: Document, level: Level) -> Document:
    """One object: directives first, then lists with an order, then field by field."""
    if DIRECTIVE in patch:
        return _directed(patch)
    original, patch = dict(original), dict(patch)
    _retain_keys(original, patch)
    _merge_ordered_lists(original, patch, level)
    for key in sorted(patch):
        _merge_field(original, key, patch[key], level)
    return original


def _directed(patch: Document) -> Document:
    directive = patch[DIRECTIVE]
    if directive == REPLACE:
        return {key: value for key, value in patch.items() if key != DIRECTIVE}
    if directive == DELETE:
        return {}
    raise bad_request(f"unknown patch type: {printed(directive)} in map: {printed(patch)}")


def _retain_keys(original: Document, patch: Document) -> None:
    """`$retainKeys` lists what may stay of the object; the patch may set nothing else."""
    if RETAIN_KEYS not in patch:
        return
    keys = patch.pop(RETAIN_KEYS)
    if type(keys) is not list:
        raise bad_request(BAD_RETAIN_KEYS)
    kept = {key for key in keys if isinstance(key, str)}
    for key, value in patch.items():
        if value is not None and not key.startswith((DELETE_FROM_LIST, ELEMENT_ORDER)) and key not in kept:
            raise bad_request(BAD_RETAIN_KEYS)
    for key in [key for key in original if key not in kept]:
        del original[key]


def _merge_ordered_lists(original: Document, patch: Document, level: Level) -> None:
    for directive in sorted(key for key in patch if key.startswith(ELEMENT_ORDER)):
        order = _as_list(patch.pop(directive))
        key = field_of(directive, ELEMENT_ORDER)
        meta = _slice_meta(level, key, original, patch)
        theirs = _as_list(patch[key]) if key in patch else []
        mine = _as_list(original[key]) if key in original else []
        strategic_list.check_order(theirs, order, meta.merge_key)
        if key not in patch and key not in original:
            continue
        if key not in patch:
            merged = mine
        elif key not in original:
            merged = without_directives(theirs)
        else:
            merged = _merge_list(mine, theirs, meta)
            if meta.strategy == MERGE:
                mine = strategic_list.server_order(mine, theirs, meta.merge_key)
        original[key] = strategic_list.ordered_by(merged, order, mine, theirs, meta.merge_key)
        patch.pop(key, None)


def _slice_meta(level: Level, key: str, original: Document, patch: Document) -> PatchMeta:
    for found in (original.get(key, []), patch.get(key, [])):
        _as_list(found)
    return level.slice(key)


def _as_list(value: Any) -> list[Any]:
    if type(value) is not list:
        raise bad_request(f"expected a []interface {{}}, but received a {type_name(value)}")
    return value


def _merge_field(original: Document, key: str, value: Any, level: Level) -> None:
    deletion = key.startswith(DELETE_FROM_LIST)
    key = field_of(key, DELETE_FROM_LIST) if deletion else key
    if value is None:
        original.pop(key, None)
        return
    current = original.get(key)
    if type(current) is dict and type(value) is dict:
        meta = level.struct(key)
        original[key] = value if meta.strategy == REPLACE else merge_map(current, value, meta.below)
    elif type(current) is list and type(value) is list:
        meta = level.slice(key)
        original[key] = (
            strategic_list.delete_from(current, value, meta) if deletion else _merge_list(current, value, meta)
        )
    elif not deletion:
        _take(original, key, value)


def _take(original: Document, key: str, value: Any) -> None:
    """Nothing to merge with: the patch's value, without its directives; one that is a directive itself is nothing."""
    if type(value) is dict and DIRECTIVE in value:
        original.pop(key, None)
    else:
        original[key] = without_directives(without_nulls(value))


def _merge_list(original: list[Any], patch: list[Any], meta: PatchMeta) -> list[Any]:
    if meta.strategy != MERGE:
        return patch
    return strategic_list.merge(original, patch, meta, merge_map)

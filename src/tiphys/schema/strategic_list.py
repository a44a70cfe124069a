"""Merging lists in a strategic merge patch: by value, or by a merge key, and in which order the result stands.

The order (upstream's preserve-order design): what the patch names stands in the patch's order, what only the server
has in the server's; the two are woven so that server items come as early as their old neighbours allow.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import orjson

from tiphys.base.document import Document
from tiphys.base.status import StatusError, bad_request
from tiphys.schema.go_value import printed, type_name
from tiphys.schema.json_patch import rejected
from tiphys.schema.patch_meta import Level, PatchMeta
from tiphys.schema.strategic_directive import DELETE, DIRECTIVE, MERGE, REPLACE, is_directive

MergeMap = Callable[[Document, Document, Level], Document]


def merge(original: list[Any], patch: list[Any], meta: PatchMeta, merge_map: MergeMap) -> list[Any]:
    """Two lists of a field that merges. Raises StatusError for elements that cannot."""
    if not original and not patch:
        return original
    if not of_maps(original, patch):
        merged = list({_identity(item): item for item in [*original, *patch]}.values())
        return _woven(_split(merged, patch, ""), patch, original, "")
    if not meta.merge_key:
        raise bad_request(f"cannot merge lists without merge key for {meta.below.kind()}")
    original, patch = _obey(original, patch, meta.merge_key)
    merged = _merge_by_key(original, patch, meta, merge_map)
    return _woven(_split(merged, patch, meta.merge_key), patch, original, meta.merge_key)


def delete_from(original: list[Any], unwanted: list[Any], meta: PatchMeta) -> list[Any]:
    """`$deleteFromPrimitiveList`: the original without the values named."""
    if not original and not unwanted:
        return original
    if of_maps(original, unwanted):
        raise bad_request(f"cannot merge lists without merge key for {meta.below.kind()}")
    gone = {_identity(item) for item in unwanted}
    return [item for item in original if _identity(item) not in gone]


def server_order(original: list[Any], patch: list[Any], merge_key: str) -> list[Any]:
    """The order `$setElementOrder` weaves by when the patch deletes: new items take the places of deleted ones.

    Upstream deletes and appends in the one array that it then takes the old order from; kubectl's users see it when
    they replace a container by another.
    """
    if not merge_key or not patch or not of_maps(original, patch):
        return original
    gone = {_of(item, merge_key) for item in patch if item.get(DIRECTIVE) == DELETE}
    kept = [item for item in original if merge_key not in item or _of(item, merge_key) not in gone]
    known = _places(kept, merge_key, strict=False)
    added = [item for item in patch if not is_directive(item) and _of(item, merge_key) not in known]
    return kept + added[: len(original) - len(kept)]


def ordered_by(merged: list[Any], order: list[Any], server: list[Any], patch: list[Any], merge_key: str) -> list[Any]:
    """`$setElementOrder`: the merged list with `order` for what it names and the server's order for the rest."""
    parts = _split(merged, order, merge_key)
    of_maps(server, patch)
    return _woven(parts, order, server, merge_key)


def check_order(patch: list[Any], order: list[Any], merge_key: str) -> None:
    """Refuse a patch whose items do not stand in the order its own `$setElementOrder` gives."""
    if not order or not patch:
        return
    wanted = [_of(item, merge_key) for item in patch if not is_directive(item)]
    at = 0
    for position in order:
        if at < len(wanted) and wanted[at] == _of(position, merge_key):
            at += 1
    if at < len(wanted):
        raise bad_request(
            f"The order in patch list:\n{printed(patch)}\n doesn't match $setElementOrder list:\n{printed(order)}\n"
        )


def of_maps(*lists: list[Any]) -> bool:
    """Whether the elements are objects. Raises StatusError unless all are of one type and none is a list."""
    kinds = {type_name(item) for items in lists for item in items}
    if "[]interface {}" in kinds:
        raise rejected()
    if not kinds:
        raise bad_request("no elements in any of the given slices")
    if len(kinds) > 1:
        raise bad_request(f"list element types are not identical: {printed(list(lists))}")
    return kinds == {"map[string]interface {}"}


def _obey(original: list[Any], patch: list[Any], merge_key: str) -> tuple[list[Any], list[Any]]:
    """Carry out the `$patch` elements; gives what is left of both lists."""
    plain, replace = [], False
    gone: set[Hashable] = set()
    for item in patch:
        directive = item.get(DIRECTIVE)
        if DIRECTIVE not in item:
            plain.append(item)
        elif directive == DELETE:
            gone.add(_of(item, merge_key))
        elif directive == REPLACE:
            replace = True
        elif directive == MERGE:
            raise bad_request("merging lists cannot yet be specified in the patch")
        else:
            raise bad_request(f"unknown patch type: {printed(directive)} in map: {printed(item)}")
    if replace:
        return plain, []
    return [item for item in original if merge_key not in item or _of(item, merge_key) not in gone], plain


def _merge_by_key(original: list[Any], patch: list[Any], meta: PatchMeta, merge_map: MergeMap) -> list[Any]:
    merged = list(original)
    places = _places(merged, meta.merge_key, strict=False)
    for item in patch:
        identity = _identity(_key(item, meta.merge_key))
        index = places.get(identity)
        if index is None:
            places[identity] = len(merged)
            merged.append(item)
        else:
            merged[index] = merge_map(merged[index], item, meta.below)
    return merged


def _key(item: Any, merge_key: str) -> Any:
    if type(item) is not dict:
        raise bad_request(f"expected a map[string]interface {{}}, but received a {type_name(item)}")
    if merge_key not in item:
        raise no_merge_key(item, merge_key)
    return item[merge_key]


def no_merge_key(item: Document, merge_key: str) -> StatusError:
    """mergepatch.ErrNoMergeKey; upstream answers it 500, we 400."""
    return bad_request(f"map: {printed(item)} does not contain declared merge key: {merge_key}")


def _identity(value: Any) -> Hashable:
    """What makes two JSON values one: type and value, so that true is not 1."""
    if isinstance(value, (dict, list)):
        return list, orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return type(value), value


def _of(item: Any, merge_key: str) -> Hashable:
    return _identity(_key(item, merge_key) if merge_key else item)


def _places(items: list[Any], merge_key: str, *, strict: bool = True) -> dict[Hashable, int]:
    """Where each value, or each value of the merge key, stands first. Unless strict, ones without it are skipped."""
    places: dict[Hashable, int] = {}
    for index, item in enumerate(items):
        if strict or merge_key in item:
            places.setdefault(_of(item, merge_key), index)
    return places


def _split(merged: list[Any], named: list[Any], merge_key: str) -> tuple[list[Any], list[Any]]:
    """(what `named` names, the rest)."""
    places = _places(named, merge_key)
    parts: tuple[list[Any], list[Any]] = ([], [])
    for item in merged:
        parts[_of(item, merge_key) not in places].append(item)
    return parts


def _woven(
    parts: tuple[list[Any], list[Any]], patch_order: list[Any], server_order: list[Any], merge_key: str
) -> list[Any]:
    """Patch items and server-only items, each in its order, as one list (mergeSortedSlice)."""
    places = _places(server_order, merge_key)
    patch, server = (
        _sorted(parts[0], _places(patch_order, merge_key), merge_key),
        _sorted(parts[1], places, merge_key),
    )
    result: list[Any] = []
    at = 0
    for item in server:
        mine = places.get(_of(item, merge_key))
        while at < len(patch) and not _before(mine, places.get(_of(patch[at], merge_key))):
            result.append(patch[at])
            at += 1
        result.append(item)
    return result + patch[at:]


def _before(left: int | None, right: int | None) -> bool:
    return left is not None and right is not None and left < right


def _sorted(items: list[Any], places: dict[Hashable, int], merge_key: str) -> list[Any]:
    return sorted(items, key=lambda item: places.get(_of(item, merge_key), len(places)))

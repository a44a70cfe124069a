"""JSON patch (RFC 6902), with the liberties of the library upstream uses (evanphx/json-patch, version 4).

A negative index counts from the end, replacing a key that is not there adds it, and testing for null passes where
there is nothing. That is why this is not left to a Python library.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tiphys.base.document import Document
from tiphys.base.status import StatusError, bad_request

MAX_OPERATIONS = 10000
"""apiserver handlers/patch.go maxJSONPatchOperations."""

MAX_COPIED = 3 * 1024 * 1024
"""Values that copy operations may add in one patch: ours, so that doubling copies end before the memory does."""

_INDEX = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_SCALARS = (str, int, float, bool, type(None))


class _Failed(Exception):
    """An operation does not apply. Upstream answers all of them alike."""


def apply(document: Document, operations: list[Any]) -> Document:
    """`document` after all operations, which may share parts with both; they are not changed.

    Raises StatusError: 422 when an operation does not apply or a test fails, 413 for too many of them, 400 when they
    are no patch or leave no object.
    """
    if type(operations) is not list:
        raise bad_request("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    if len(operations) > MAX_OPERATIONS:
        raise _too_many(len(operations))
    patched = _Patched(document)
    try:
        for operation in operations:
            patched.apply(operation if type(operation) is dict else {})
    except (_Failed, RecursionError) as failure:
        raise rejected() from failure
    if type(patched.root) is not dict:
        raise bad_request("the patch leaves no object")
    return patched.root


def rejected() -> StatusError:
    """422 as errors.NewGenericServerResponse words it: what exactly failed is not told."""
    return StatusError(422, "Invalid", "the server rejected our request due to an error in our request", {})


def _too_many(count: int) -> StatusError:
    message = f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {count}"
    return StatusError(413, "RequestEntityTooLarge", f"Request entity is too large: {message}")


class _Patched:
    """The document under change. Containers are copied once, on the way to the first change inside them."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self._own: set[int] = set()
        self._kept: list[Any] = []
        self._copied = 0

    def apply(self, operation: Document) -> None:
        kind = operation.get("op")
        method = _METHODS.get(kind) if isinstance(kind, str) else None
        if method is None:
            raise _Failed(f"Unexpected kind: {kind}")
        method(self, operation)

    def add(self, operation: Document) -> None:
        parent, key = self._parent(_text(operation, "path"))
        _insert(parent, key, operation.get("value"))

    def remove(self, operation: Document) -> None:
        parent, key = self._parent(_text(operation, "path"))
        _delete(parent, key)

    def replace(self, operation: Document) -> None:
        path = _text(operation, "path")
        if path == "":
            self.root = operation.get("value")
            if isinstance(self.root, _SCALARS):
                raise _Failed("replace operation value must be object or array")
            return
        parent, key = self._parent(path)
        _get(parent, key)
        _put(parent, key, operation.get("value"))

    def move(self, operation: Document) -> None:
        parent, key = self._parent(_text(operation, "from"))
        value = _get(parent, key)
        _delete(parent, key)
        parent, key = self._parent(_text(operation, "path"))
        _insert(parent, key, value)

    def copy(self, operation: Document) -> None:
        parent, key = self._parent(_text(operation, "from"))
        value = _get(parent, key)
        self._copied += _size(value, MAX_COPIED - self._copied)
        if self._copied >= MAX_COPIED:
            raise _Failed("copies exceed the size limit")
        self._disown(value)
        parent, key = self._parent(_text(operation, "path"))
        _insert(parent, key, value)

    def test(self, operation: Document) -> None:
        path = _text(operation, "path")
        value = operation.get("value")
        if path == "":
            found = self.root
        else:
            parent, key = self._parent(path)
            found = _get(parent, key)
        if not same(found, value):
            raise _Failed("test failed")

    def _parent(self, path: str) -> tuple[Any, str]:
        """The container that holds the last part of a path, ours to change, and that part."""
        _, *parts = path.split("/")
        if not parts:
            raise _Failed("doc is missing path")
        at = self.root = self._owned(self.root)
        for part in parts[:-1]:
            key = _unescaped(part)
            below = self._owned(_get(at, key))
            _put(at, key, below)
            at = below
        return at, _unescaped(parts[-1])

    def _owned(self, container: Any) -> Any:
        if isinstance(container, _SCALARS):
            raise _Failed("doc is missing path")
        if id(container) in self._own:
            return container
        fresh = container.copy()
        self._own.add(id(fresh))
        self._kept.append(fresh)  # alive, so that its id stays its own
        return fresh

    def _disown(self, value: Any) -> None:
        """Whatever is below `value` is now held twice: the next change inside copies again."""
        pending = [value]
        while pending:
            item = pending.pop()
            if not isinstance(item, _SCALARS):
                self._own.discard(id(item))
                pending.extend(item.values() if type(item) is dict else item)


_METHODS: dict[str, Callable[[_Patched, Document], None]] = {
    "add": _Patched.add,
    "remove": _Patched.remove,
    "replace": _Patched.replace,
    "move": _Patched.move,
    "copy": _Patched.copy,
    "test": _Patched.test,
}


def _text(operation: Document, field: str) -> str:
    found = operation.get(field)
    if not isinstance(found, str):
        raise _Failed(f"operation missing {field} field")
    return found


def _unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~") if "~" in part else part


def _index(key: str, length: int) -> int:
    """An index below `length`, negative ones from the end (strconv.Atoi, SupportNegativeIndices)."""
    if not _INDEX.fullmatch(key):
        raise _Failed(f"value was not a proper array index: '{key}'")
    index = int(key)
    if not -length <= index < length:
        raise _Failed(f"Unable to access invalid index: {index}")
    return index % length


def _get(container: Any, key: str) -> Any:
    if type(container) is dict:
        return container.get(key)
    return container[_index(key, len(container))]


def _put(container: Any, key: str, value: Any) -> None:
    if type(container) is dict:
        container[key] = value
    else:
        container[_index(key, len(container))] = value


def _insert(container: Any, key: str, value: Any) -> None:
    if type(container) is dict:
        container[key] = value
    elif key == "-":
        container.append(value)
    else:
        container.insert(_index(key, len(container) + 1), value)


def _delete(container: Any, key: str) -> None:
    if type(container) is dict:
        if key not in container:
            raise _Failed(f"Unable to remove nonexistent key: {key}")
        del container[key]
    else:
        del container[_index(key, len(container))]


def _size(value: Any, limit: int) -> int:
    """About how many bytes a value takes as JSON; counting ends at the limit."""
    size, pending = 0, [value]
    while pending and size < limit:
        item = pending.pop()
        size += len(item) + 2 if isinstance(item, str) else 4
        if type(item) is dict:
            size += sum(len(key) + 4 for key in item)
            pending.extend(item.values())
        elif type(item) is list:
            pending.extend(item)
    return size


def same(left: Any, right: Any) -> bool:
    """Equal as JSON: true is not 1, but 1 is 1.0 where their texts agree to Python."""
    if type(left) is dict and type(right) is dict:
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if type(left) is list and type(right) is list:
        return len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and bool(left == right)

"""What Go writes though nobody set it: structs held by value (`resources: {}`, `strategy: {}`, `status: {}`).

A body that the gate let pass is complete but for these. A filler is made once a definition and visits only the
branches where there is something to add: about a microsecond for a pod.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tiphys.base.document import Document
from tiphys.schema.leaf import Leaf
from tiphys.schema.shape import ListOf, MapOf, Shapes, Struct

Filler = Callable[[Any], None]


class Fillers:
    """The fillers of one version, made when first asked for."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._made: dict[str, Filler | None] = {}

    def named(self, definition: str) -> Filler | None:
        """The filler of a definition; None where there is nothing to add anywhere below it."""
        return self._of(self._shapes.named(definition))

    def _of(self, shape: Leaf) -> Filler | None:
        if isinstance(shape, Struct):
            if shape.definition not in self._made:
                self._made[shape.definition] = None  # met again inside itself: only JSONSchemaProps, which has none
                self._made[shape.definition] = self._struct(shape)
            return self._made[shape.definition]
        if isinstance(shape, ListOf):
            return _each(self._of(shape.item), list.__iter__)
        return _each(self._of(shape.item), dict.values) if isinstance(shape, MapOf) else None

    def _struct(self, shape: Struct) -> Filler | None:
        written = tuple((name, self._of(shape.fields[name].shape)) for name in shape.written)
        others = [(name, self._of(field.shape)) for name, field in shape.fields.items() if name not in shape.written]
        nested = tuple((name, filler) for name, filler in others if filler)
        if shape.unset_time:
            return _set_time_null
        return _struct_filler(written, nested) if written or nested else None


def _struct_filler(written: tuple[tuple[str, Filler | None], ...], nested: tuple[tuple[str, Filler], ...]) -> Filler:
    def fill(document: Document) -> None:
        for name, filler in written:
            found = document.get(name)
            if found is None:
                found = document[name] = {}
            if filler:
                filler(found)
        for name, inner in nested:
            found = document.get(name)
            if found:
                inner(found)

    return fill


def _each(filler: Filler | None, items: Callable[[Any], Any]) -> Filler | None:
    if filler is None:
        return None
    inner = filler

    def fill(container: Any) -> None:
        for item in items(container):
            inner(item)

    return fill


def _set_time_null(metadata: Document) -> None:
    metadata.setdefault("creationTimestamp", None)

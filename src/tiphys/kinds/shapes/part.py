"""A part of a document that is to be written to."""

from __future__ import annotations

from tiphys.base.document import Document


def part(holder: Document, name: str) -> Document:
    """`holder[name]`, made where it is missing or null, as Go has a struct there in any case."""
    found = holder.get(name)
    if found is None:
        found = holder[name] = {}
    written: Document = found
    return written

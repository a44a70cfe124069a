"""Parts of a document that are to be written to, or kept."""

from __future__ import annotations

from tiphys.base.document import Document


def part(holder: Document, name: str) -> Document:
    """`holder[name]`, made where it is missing or null, as Go has a struct there in any case."""
    found = holder.get(name)
    if found is None:
        found = holder[name] = {}
    written: Document = found
    return written


def keep_metadata(new: Document, old: Document, field: str) -> None:
    """A metadata field that this write does not change."""
    kept = old["metadata"].get(field)
    if kept is None:
        new["metadata"].pop(field, None)
    else:
        new["metadata"][field] = kept

"""Resource versions as requests give them: opaque to clients, revisions of the store to us."""

from __future__ import annotations

from tiphys.api.query import unsigned_complaint
from tiphys.base.field_error import invalid_value
from tiphys.base.status import bad_request, too_large_version


def parse(text: str) -> int:
    """0 for an empty one. Raises StatusError 400 (storage.ValidateListOptions; upstream's get answers 500 there)."""
    if text in ("", "0"):
        return 0
    complaint = unsigned_complaint(text)
    if complaint:
        raise bad_request(f"invalid resource version: {invalid_value('resourceVersion', text, complaint)}")
    return int(text)


def at_least(asked: int, current: int) -> None:
    """Raises StatusError 504 for a version that has not happened yet."""
    if asked > current:
        raise too_large_version(asked, current)

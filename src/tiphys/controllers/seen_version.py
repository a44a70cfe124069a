"""Whether a cached object is at least as new as a controller's own last write of it.

Acting on an older one would repeat what was done between the two: start a pod for work that is counted already.
"""

from __future__ import annotations

from tiphys.base.document import Document, namespaced_name


class SeenVersions:
    """Per key, the resource version of the last write; versions are numbers that grow."""

    def __init__(self) -> None:
        self._written: dict[str, int] = {}

    def wrote(self, document: Document) -> None:
        self._written[namespaced_name(document)] = _version(document)

    def is_behind(self, document: Document) -> bool:
        """Whether the write is still to be seen; its event will wake whoever waits for it."""
        return _version(document) < self._written.get(namespaced_name(document), 0)

    def forget(self, key: str) -> None:
        self._written.pop(key, None)


def _version(document: Document) -> int:
    text = str(document["metadata"].get("resourceVersion") or "")
    return int(text) if text.isdecimal() else 0

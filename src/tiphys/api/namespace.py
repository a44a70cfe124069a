"""What is special about deleting a Namespace: it empties first (k/k `registry/core/namespace/storage/storage.go`)."""

from __future__ import annotations

from tiphys.api.kind import Kind
from tiphys.base.document import Document


def is_namespace(kind: Kind) -> bool:
    return kind.group == "" and kind.plural == "namespaces"


def spec_finalizers(document: Document) -> list[str]:
    """What keeps the namespace beside its metadata's finalizers; the namespace controller's is `kubernetes`."""
    found: list[str] = (document.get("spec") or {}).get("finalizers") or []
    return found


def begin_termination(document: Document, now: str) -> None:
    """The first delete only marks: the controller deletes what is in the namespace and then finalizes it."""
    document["metadata"]["deletionTimestamp"] = now
    document["status"] = {**(document.get("status") or {}), "phase": "Terminating"}

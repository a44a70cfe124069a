"""The conditions of a namespace being deleted (`namespace/deletion/status_condition_utils.go`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tiphys.base.clock import rfc3339
from tiphys.base.document import Document

DISCOVERY_FAILURE = "NamespaceDeletionDiscoveryFailure"
PARSING_FAILURE = "NamespaceDeletionGroupVersionParsingFailure"
CONTENT_FAILURE = "NamespaceDeletionContentFailure"
CONTENT_REMAINING = "NamespaceContentRemaining"
FINALIZERS_REMAINING = "NamespaceFinalizersRemaining"

_FINE = {
    DISCOVERY_FAILURE: ("ResourcesDiscovered", "All resources successfully discovered"),
    PARSING_FAILURE: ("ParsedGroupVersions", "All legacy kube types successfully parsed"),
    CONTENT_FAILURE: ("ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
    CONTENT_REMAINING: ("ContentRemoved", "All content successfully removed"),
    FINALIZERS_REMAINING: ("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
}


@dataclass(slots=True)
class Findings:
    """What stood in the way of emptying a namespace."""

    discovery: str = ""
    failures: list[str] = field(default_factory=list)
    remaining: dict[str, int] = field(default_factory=dict)
    """Objects left by resource, `pods.`, `deployments.apps`."""
    finalizers: dict[str, int] = field(default_factory=dict)
    """Objects left by finalizer."""

    def told(self) -> dict[str, tuple[str, str]]:
        """Reason and message of every condition that is true."""
        found = {}
        if self.discovery:
            found[DISCOVERY_FAILURE] = ("DiscoveryFailed", self.discovery)
        if self.failures:
            texts = ", ".join(sorted(self.failures))
            message = f"Failed to delete all resource types, {len(self.failures)} remaining: {texts}"
            found[CONTENT_FAILURE] = ("ContentDeletionFailed", message)
        if self.remaining:
            texts = _counts(self.remaining, "has")
            found[CONTENT_REMAINING] = ("SomeResourcesRemain", f"Some resources are remaining: {texts}")
        if self.finalizers:
            texts = _counts(self.finalizers, "in")
            message = f"Some content in the namespace has finalizers remaining: {texts}"
            found[FINALIZERS_REMAINING] = ("SomeFinalizersRemain", message)
        return found


def _counts(counts: Mapping[str, int], word: str) -> str:
    return ", ".join(sorted(f"{name} {word} {count} resource instances" for name, count in counts.items()))


def updated(conditions: Sequence[Document], findings: Findings, now: float) -> list[Document]:
    """All five conditions; the time moves only where the status does. Others are kept."""
    told = findings.told()
    found = {each["type"]: each for each in conditions}
    for type_, fine in _FINE.items():
        reason, message = told.get(type_, fine)
        status = "True" if type_ in told else "False"
        old = found.get(type_, {})
        same = old.get("status") == status
        since = old.get("lastTransitionTime") if same else rfc3339(now)
        found[type_] = {
            "type": type_,
            "status": status,
            "lastTransitionTime": since,
            "reason": reason,
            "message": message,
        }
    return list(found.values())

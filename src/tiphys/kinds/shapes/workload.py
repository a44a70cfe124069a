"""What workload kinds share: counts in their status, warnings about their template, the columns of their pods."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.api.kind import Column, Context
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError
from tiphys.base.name_rules import dns1123_label
from tiphys.kinds.shapes.columns import at, integer
from tiphys.kinds.shapes.field_checks import Errors, all_nonnegative, not_above, not_decremented, same
from tiphys.kinds.shapes.pod_warnings import pod_warnings

ABOVE = "cannot be greater than status.replicas"
NAME_IN_PODS = (
    "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is "
    "recommended"
)

REPLICA_COLUMNS = (
    Column("Desired", integer("spec.replicas"), type="integer"),
    Column("Current", integer("status.replicas"), type="integer"),
    Column("Ready", integer("status.readyReplicas"), type="integer"),
)
"""How many pods there should be, are, and are ready: of ReplicaSets and their elder."""


def replica_fields(document: Document) -> dict[str, str]:
    """The selectable field of ReplicaSets and their elder."""
    return {"status.replicas": str((document.get("status") or {}).get("replicas") or 0)}


def template_warnings(new: Document, old: Document | None) -> Sequence[str]:
    """Of `spec.template` on create, and on an update that changes more than metadata and status."""
    if old is not None and same(new.get("spec"), old.get("spec")):
        return ()
    warnings = pod_warnings((new.get("spec") or {}).get("template") or {}, "spec.template.")
    return warnings if old is not None else [*name_warnings(new), *warnings]


def name_warnings(document: Document) -> list[str]:
    """The name becomes part of the pods' names and of their hostnames."""
    complaints = dns1123_label((document.get("metadata") or {}).get("name") or "")
    return [f"{NAME_IN_PODS}: [{' '.join(complaints)}]"] if complaints else []


def ready_of_desired(document: Document, now: float) -> str:
    """`1/3`: replicas ready of those wanted."""
    return f"{at(document, 'status.readyReplicas') or 0}/{at(document, 'spec.replicas') or 0}"


REPLICA_COUNTS = ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration")


def validate_replica_status(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    """ReplicaSets and ReplicationControllers (ValidateReplicaSetStatus)."""
    errors: Errors = []
    status = new.get("status") or {}
    all_nonnegative(status, REPLICA_COUNTS, "status", errors)
    not_above(status, REPLICA_COUNTS[1:4], "replicas", ABOVE, "status", errors)
    available_of_ready(status, "cannot be greater than readyReplicas", errors)
    return errors


def available_of_ready(status: Document, words: str, errors: Errors) -> None:
    """What is available is ready, too."""
    not_above(status, ("availableReplicas",), "readyReplicas", words, "status", errors)


def collisions_only_grow(new: Document, old: Document, errors: Errors) -> None:
    not_decremented(new.get("status") or {}, old.get("status") or {}, "collisionCount", "status", errors)

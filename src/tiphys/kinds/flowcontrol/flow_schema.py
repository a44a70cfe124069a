"""FlowSchema: which requests belong together in the API server's queues (upstream's `printFlowSchema`)."""

from __future__ import annotations

from tiphys.api.kind import STATUS, Column, Context, Kind
from tiphys.base.document import Document
from tiphys.kinds.shapes.columns import AGE, NONE, at, integer, text
from tiphys.kinds.shapes.part import part

DEFAULT_PRECEDENCE = 1000


def default(document: Document, context: Context) -> None:
    spec = part(document, "spec")
    spec["matchingPrecedence"] = spec.get("matchingPrecedence") or DEFAULT_PRECEDENCE
    part(document, "status")


def _dangling(document: Document, now: float) -> str:
    conditions = at(document, "status.conditions") or ()
    return next((str(c.get("status") or "") for c in conditions if c.get("type") == "Dangling"), "?")


KIND = Kind(
    group="flowcontrol.apiserver.k8s.io",
    kind="FlowSchema",
    plural="flowschemas",
    namespaced=False,
    versions=("v1", "v1beta3", "v1beta2", "v1beta1"),
    subresources=(STATUS,),
    columns=(
        Column("PriorityLevel", text("spec.priorityLevelConfiguration.name")),
        Column("MatchingPrecedence", integer("spec.matchingPrecedence")),
        Column("DistinguisherMethod", text("spec.distinguisherMethod.type", NONE)),
        AGE,
        Column("MissingPL", _dangling, description="references a broken or non-existent PriorityLevelConfiguration"),
    ),
    default=default,
)

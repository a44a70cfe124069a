"""ResourceClaim: devices that pods ask for and get (upstream's `printResourceClaim`)."""

from __future__ import annotations

from tiphys.api.kind import STATUS, Column, Kind
from tiphys.base.document import Document
from tiphys.kinds.resource.older_shape import OLDER, claims
from tiphys.kinds.shapes.columns import AGE, at


def _state(document: Document, now: float) -> str:
    deleted = bool(at(document, "metadata.deletionTimestamp"))
    words = ["deleted"] if deleted else []
    if at(document, "status.allocation") is None:
        return ",".join(words or ["pending"])
    words.append("allocated")
    if at(document, "status.reservedFor"):
        words.append("reserved")
    return ",".join(words)


KIND = Kind(
    group="resource.k8s.io",
    kind="ResourceClaim",
    plural="resourceclaims",
    versions=("v1", "v1beta2", "v1beta1", "v1alpha3", "v1alpha2", "v1alpha1"),
    convert=dict.fromkeys(OLDER, claims("spec")),
    subresources=(STATUS,),
    columns=(
        Column("State", _state, description="A summary of the current state (allocated, pending, reserved, etc.)."),
        AGE,
    ),
    has_generation=False,
)

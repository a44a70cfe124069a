"""PodScheduling: nodes that suit a pod and its claims; of 1.26 only."""

from __future__ import annotations

from tiphys.api.kind import STATUS, Kind
from tiphys.kinds.shapes.columns import CREATED_AT

KIND = Kind(
    group="resource.k8s.io",
    kind="PodScheduling",
    plural="podschedulings",
    versions=("v1alpha1",),
    storage_version="v1alpha1",
    subresources=(STATUS,),
    columns=(CREATED_AT,),
    has_generation=False,
)

"""PodSchedulingContext: nodes that suit a pod and its claims; gone since 1.32."""

from __future__ import annotations

from tiphys.api.kind import STATUS, Kind
from tiphys.kinds.shapes.columns import CREATED_AT

KIND = Kind(
    group="resource.k8s.io",
    kind="PodSchedulingContext",
    plural="podschedulingcontexts",
    versions=("v1alpha3", "v1alpha2"),
    storage_version="v1alpha3",
    subresources=(STATUS,),
    columns=(CREATED_AT,),
    has_generation=False,
)

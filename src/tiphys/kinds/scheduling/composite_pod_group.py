"""CompositePodGroup: a tree of pod groups."""

from __future__ import annotations

from tiphys.api.kind import STATUS, Kind
from tiphys.kinds.shapes.columns import CREATED_AT

KIND = Kind(
    group="scheduling.k8s.io",
    kind="CompositePodGroup",
    plural="compositepodgroups",
    versions=("v1alpha3",),
    storage_version="v1alpha3",
    subresources=(STATUS,),
    columns=(CREATED_AT,),
)

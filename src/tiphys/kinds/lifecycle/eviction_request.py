"""EvictionRequest: a wish to have a pod evicted gracefully."""

from __future__ import annotations

from tiphys.api.kind import STATUS, Kind
from tiphys.kinds.shapes.columns import CREATED_AT

KIND = Kind(
    group="lifecycle.k8s.io",
    kind="EvictionRequest",
    plural="evictionrequests",
    versions=("v1alpha1",),
    storage_version="v1alpha1",
    subresources=(STATUS,),
    columns=(CREATED_AT,),
)

"""Eviction: a pod that is to be evicted, and by whom; not the body of pods/eviction, which is of policy."""

from __future__ import annotations

from tiphys.api.kind import STATUS, Kind
from tiphys.kinds.shapes.columns import CREATED_AT

KIND = Kind(
    group="lifecycle.k8s.io",
    kind="Eviction",
    plural="evictions",
    versions=("v1alpha1",),
    storage_version="v1alpha1",
    subresources=(STATUS,),
    columns=(CREATED_AT,),
)

"""ClusterCIDR: a range that addresses of pods come from; gone since 1.29."""

from __future__ import annotations

from tiphys.api.kind import Kind
from tiphys.kinds.shapes.columns import CREATED_AT

KIND = Kind(
    group="networking.k8s.io",
    kind="ClusterCIDR",
    plural="clustercidrs",
    namespaced=False,
    versions=("v1alpha1",),
    storage_version="v1alpha1",
    columns=(CREATED_AT,),
)

"""PodGroup: pods of a workload that are placed together."""

from __future__ import annotations

from tiphys.api.kind import STATUS, Kind
from tiphys.kinds.shapes.columns import CREATED_AT

KIND = Kind(
    group="scheduling.k8s.io",
    kind="PodGroup",
    plural="podgroups",
    versions=("v1beta1", "v1alpha3", "v1alpha2"),
    storage_version="v1beta1",
    subresources=(STATUS,),
    columns=(CREATED_AT,),
)

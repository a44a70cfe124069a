"""Workload: pods that are scheduled with regard to each other."""

from __future__ import annotations

from tiphys.api.kind import Kind
from tiphys.kinds.shapes.columns import CREATED_AT

KIND = Kind(
    group="scheduling.k8s.io",
    kind="Workload",
    plural="workloads",
    versions=("v1beta1", "v1alpha3", "v1alpha2", "v1alpha1"),
    storage_version="v1beta1",
    columns=(CREATED_AT,),
)

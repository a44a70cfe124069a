"""ResourceClaimParameters: what a claim asks of a driver; of 1.30 only."""

from __future__ import annotations

from tiphys.api.kind import Kind
from tiphys.kinds.shapes.columns import CREATED_AT

KIND = Kind(
    group="resource.k8s.io",
    kind="ResourceClaimParameters",
    plural="resourceclaimparameters",
    versions=("v1alpha2",),
    storage_version="v1alpha2",
    columns=(CREATED_AT,),
    has_generation=False,
)

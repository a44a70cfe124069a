"""ResourceClass: which driver hands out a resource; gone since 1.31."""

from __future__ import annotations

from tiphys.api.kind import Kind
from tiphys.kinds.shapes.columns import CREATED_AT

KIND = Kind(
    group="resource.k8s.io",
    kind="ResourceClass",
    plural="resourceclasses",
    namespaced=False,
    versions=("v1alpha2", "v1alpha1"),
    storage_version="v1alpha2",
    columns=(CREATED_AT,),
    has_generation=False,
)

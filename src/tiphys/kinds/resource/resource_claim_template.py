"""ResourceClaimTemplate: the claim that each pod of a set gets."""

from __future__ import annotations

from tiphys.api.kind import Kind
from tiphys.kinds.resource.older_shape import OLDER, claims
from tiphys.kinds.shapes.columns import AGE

KIND = Kind(
    group="resource.k8s.io",
    kind="ResourceClaimTemplate",
    plural="resourceclaimtemplates",
    versions=("v1", "v1beta2", "v1beta1", "v1alpha3", "v1alpha2", "v1alpha1"),
    convert=dict.fromkeys(OLDER, claims("spec", "spec")),
    columns=(AGE,),
    has_generation=False,
)

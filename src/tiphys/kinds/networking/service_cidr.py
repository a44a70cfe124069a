"""ServiceCIDR: a range that addresses of services come from (upstream's `printServiceCIDR`)."""

from __future__ import annotations

from tiphys.api.kind import STATUS, Column, Kind
from tiphys.kinds.shapes.columns import AGE, joined

KIND = Kind(
    group="networking.k8s.io",
    kind="ServiceCIDR",
    plural="servicecidrs",
    namespaced=False,
    versions=("v1", "v1beta1", "v1alpha1"),
    subresources=(STATUS,),
    columns=(Column("CIDRs", joined("spec.cidrs", empty="")), AGE),
    has_generation=False,
)

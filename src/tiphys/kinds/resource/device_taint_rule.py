"""DeviceTaintRule: taints put on devices by an administrator."""

from __future__ import annotations

from tiphys.api.kind import STATUS, Kind
from tiphys.kinds.shapes.columns import CREATED_AT

KIND = Kind(
    group="resource.k8s.io",
    kind="DeviceTaintRule",
    plural="devicetaintrules",
    namespaced=False,
    versions=("v1", "v1beta2", "v1alpha3"),
    subresources=(STATUS,),
    columns=(CREATED_AT,),
)

"""DeviceClass: devices that claims may ask for by one name."""

from __future__ import annotations

from tiphys.api.kind import Kind
from tiphys.kinds.shapes.columns import AGE

KIND = Kind(
    group="resource.k8s.io",
    kind="DeviceClass",
    plural="deviceclasses",
    namespaced=False,
    versions=("v1", "v1beta2", "v1beta1", "v1alpha3"),
    columns=(AGE,),
)

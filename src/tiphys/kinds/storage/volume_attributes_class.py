"""VolumeAttributesClass: properties of a volume that may change while it is in use."""

from __future__ import annotations

from tiphys.api.kind import Column, Kind
from tiphys.kinds.shapes.columns import AGE, text

KIND = Kind(
    group="storage.k8s.io",
    kind="VolumeAttributesClass",
    plural="volumeattributesclasses",
    namespaced=False,
    versions=("v1", "v1beta1", "v1alpha1"),
    short_names=("vac",),
    columns=(Column("DriverName", text("driverName")), AGE),
    has_generation=False,
    returns_object_on_delete=True,
)

"""CSIStorageCapacity: how much room a driver has in a part of the cluster (upstream's `printCSIStorageCapacity`)."""

from __future__ import annotations

from tiphys.api.kind import Column, Kind
from tiphys.kinds.shapes.columns import text

KIND = Kind(
    group="storage.k8s.io",
    kind="CSIStorageCapacity",
    plural="csistoragecapacities",
    versions=("v1", "v1beta1"),
    columns=(Column("StorageClassName", text("storageClassName")), Column("Capacity", text("capacity", "<unset>"))),
    has_generation=False,
    unconditional_update=False,
)

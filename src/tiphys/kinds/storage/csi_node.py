"""CSINode: which storage drivers a node has (upstream's `printCSINode`)."""

from __future__ import annotations

from tiphys.api.kind import Column, Kind
from tiphys.kinds.shapes.columns import AGE, count

KIND = Kind(
    group="storage.k8s.io",
    kind="CSINode",
    plural="csinodes",
    namespaced=False,
    columns=(
        Column(
            "Drivers",
            count("spec.drivers"),
            type="integer",
            description="Drivers indicates the number of CSI drivers registered on the node",
        ),
        AGE,
    ),
    has_generation=False,
    returns_object_on_delete=True,
    unconditional_update=False,
)

"""ResourceSlice: devices of one driver on one node (upstream's `printResourceSlice`)."""

from __future__ import annotations

from tiphys.api.kind import Column, Kind
from tiphys.base.document import Document
from tiphys.kinds.resource.older_shape import OLDER, SLICES
from tiphys.kinds.shapes.columns import AGE, at, text


def fields(document: Document) -> dict[str, str]:
    return {f"spec.{name}": str(at(document, f"spec.{name}") or "") for name in ("nodeName", "driver")}


KIND = Kind(
    group="resource.k8s.io",
    kind="ResourceSlice",
    plural="resourceslices",
    namespaced=False,
    versions=("v1", "v1beta2", "v1beta1", "v1alpha3", "v1alpha2"),
    convert=dict.fromkeys(OLDER, SLICES),
    columns=(
        Column("Node", text("spec.nodeName")),
        Column("Driver", text("spec.driver")),
        Column("Pool", text("spec.pool.name")),
        AGE,
    ),
    fields=fields,
)

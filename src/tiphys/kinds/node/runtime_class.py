"""RuntimeClass: which container runtime runs a pod (upstream's `printRuntimeClass`)."""

from __future__ import annotations

from tiphys.api.kind import Column, Kind
from tiphys.kinds.shapes.columns import AGE, text

KIND = Kind(
    group="node.k8s.io",
    kind="RuntimeClass",
    plural="runtimeclasses",
    namespaced=False,
    columns=(Column("Handler", text("handler")), AGE),
    has_generation=False,
    create_on_update=True,
    unconditional_update=False,
)

"""LeaseCandidate: who would like to hold a lease (upstream's `printLeaseCandidate`)."""

from __future__ import annotations

from tiphys.api.kind import Column, Kind
from tiphys.kinds.shapes.columns import AGE, text

KIND = Kind(
    group="coordination.k8s.io",
    kind="LeaseCandidate",
    plural="leasecandidates",
    versions=("v1beta1", "v1alpha2", "v1alpha1"),
    storage_version="v1beta1",
    columns=(
        Column("LeaseName", text("spec.leaseName")),
        Column("BinaryVersion", text("spec.binaryVersion")),
        Column("EmulationVersion", text("spec.emulationVersion")),
        AGE,
    ),
    has_generation=False,
    create_on_update=True,
    unconditional_update=False,
)

"""StorageVersionMigration: objects written anew in the current storage version (`printStorageVersionMigration`)."""

from __future__ import annotations

from tiphys.api.kind import STATUS, Column, Kind
from tiphys.base.document import Document
from tiphys.kinds.shapes.columns import at


def _resource(document: Document, now: float) -> str:
    found = at(document, "spec.resource") or {}
    parts = [found.get("resource") or "", found.get("version"), found.get("group") or ""]
    return ".".join(part for part in parts if part is not None)


KIND = Kind(
    group="storagemigration.k8s.io",
    kind="StorageVersionMigration",
    plural="storageversionmigrations",
    namespaced=False,
    versions=("v1", "v1beta1", "v1alpha1"),
    subresources=(STATUS,),
    columns=(Column("Resource", _resource, description="Fully qualified resource to migrate"),),
    has_generation=False,
)

"""StorageVersion: in which version each API server stores a resource (upstream's `printStorageVersion`)."""

from __future__ import annotations

from tiphys.api.kind import STATUS, Column, Kind
from tiphys.base.document import Document
from tiphys.kinds.shapes.columns import AGE, at, text
from tiphys.kinds.shapes.short_list import short_list


def _versions(document: Document, now: float) -> str:
    servers = at(document, "status.storageVersions") or ()
    return short_list([f"{s.get('apiServerID') or ''}={s.get('encodingVersion') or ''}" for s in servers])


KIND = Kind(
    group="internal.apiserver.k8s.io",
    kind="StorageVersion",
    plural="storageversions",
    namespaced=False,
    versions=("v1alpha1",),
    storage_version="v1alpha1",
    subresources=(STATUS,),
    columns=(
        Column("CommonEncodingVersion", text("status.commonEncodingVersion", "<unset>")),
        Column("StorageVersions", _versions),
        AGE,
    ),
    has_generation=False,
    unconditional_update=False,
)

"""VolumeAttachment: a volume that is, or should be, attached to a node (upstream's `printVolumeAttachment`)."""

from __future__ import annotations

from tiphys.api.kind import STATUS, Column, Context, Kind
from tiphys.base.document import Document
from tiphys.kinds.shapes.columns import AGE, boolean, text


def prepare_create(document: Document, context: Context) -> None:
    document["status"] = {"attached": False}


KIND = Kind(
    group="storage.k8s.io",
    kind="VolumeAttachment",
    plural="volumeattachments",
    namespaced=False,
    subresources=(STATUS,),
    columns=(
        Column("Attacher", text("spec.attacher"), format="name"),
        Column("PV", text("spec.source.persistentVolumeName")),
        Column("Node", text("spec.nodeName")),
        Column("Attached", boolean("status.attached"), type="boolean"),
        AGE,
    ),
    has_generation=False,
    prepare_create=prepare_create,
    returns_object_on_delete=True,
    unconditional_update=False,
)

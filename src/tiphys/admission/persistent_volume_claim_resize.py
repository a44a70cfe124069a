"""PersistentVolumeClaimResize: a claim grows only when bound, and only where its class lets it
(kubernetes `plugin/pkg/admission/storage/persistentvolume/resize`)."""

from __future__ import annotations

from tiphys.admission.plugin import UPDATE, Base, ValidateOnly, is_for, refuse
from tiphys.api.admission import Attributes
from tiphys.base.document import Document
from tiphys.base.quantity import ZERO, Quantity, parse
from tiphys.resource.quota.persistent_volume_claim import storage_class


class PersistentVolumeClaimResize(ValidateOnly, Base):
    NAME = "PersistentVolumeClaimResize"

    async def validate(self, attributes: Attributes) -> None:
        new, old = attributes.object, attributes.old
        if new is None or old is None or not is_for(attributes, UPDATE, "persistentvolumeclaims"):
            return
        if _size(new) <= _size(old):
            return
        if (old.get("status") or {}).get("phase") != "Bound":
            raise refuse(attributes, "Only bound persistent volume claims can be expanded")
        if not await self._may_grow(new, old):
            raise refuse(
                attributes,
                "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must "
                "support resize",
            )

    async def _may_grow(self, new: Document, old: Document) -> bool:
        name = storage_class(new)
        if not name or name != storage_class(old):
            return False
        found = await self.reader.get("storage.k8s.io", "storageclasses", "", name)
        return found is not None and bool(found.get("allowVolumeExpansion"))


def _size(claim: Document) -> Quantity:
    requests = ((claim.get("spec") or {}).get("resources") or {}).get("requests") or {}
    return parse(requests["storage"]) if "storage" in requests else ZERO


PLUGIN = PersistentVolumeClaimResize

"""StorageObjectInUseProtection: volumes and claims get the finalizer that keeps them while they are in use
(kubernetes `plugin/pkg/admission/storage/storageobjectinuseprotection`)."""

from __future__ import annotations

from tiphys.admission.plugin import CREATE, AdmitOnly, Base, is_for, items, part
from tiphys.api.admission import Attributes

_FINALIZERS = {
    "persistentvolumes": "kubernetes.io/pv-protection",
    "persistentvolumeclaims": "kubernetes.io/pvc-protection",
}


class StorageObjectInUseProtection(AdmitOnly, Base):
    NAME = "StorageObjectInUseProtection"

    async def admit(self, attributes: Attributes) -> None:
        finalizer = _FINALIZERS.get(attributes.resource)
        if finalizer is None or attributes.object is None or not is_for(attributes, CREATE, attributes.resource):
            return
        finalizers = items(part(attributes.object, "metadata"), "finalizers")
        if finalizer not in finalizers:
            finalizers.append(finalizer)


PLUGIN = StorageObjectInUseProtection

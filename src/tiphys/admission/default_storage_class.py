"""DefaultStorageClass: a claim that names no class gets the default one
(kubernetes `plugin/pkg/admission/storage/storageclass/setdefault`)."""

from __future__ import annotations

from collections.abc import Iterable

from tiphys.admission.plugin import CREATE, AdmitOnly, Base, is_for, part
from tiphys.api.admission import Attributes
from tiphys.base.document import Document
from tiphys.resource.quota.persistent_volume_claim import has_storage_class

_MARKS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")


class DefaultStorageClass(AdmitOnly, Base):
    NAME = "DefaultStorageClass"

    async def admit(self, attributes: Attributes) -> None:
        claim = attributes.object
        if claim is None or not is_for(attributes, CREATE, "persistentvolumeclaims") or has_storage_class(claim):
            return
        found = default_class(await self.reader.list("storage.k8s.io", "storageclasses"))
        if found is not None:
            part(claim, "spec")["storageClassName"] = found["metadata"]["name"]


def default_class(classes: Iterable[Document]) -> Document | None:
    """Of several defaults the newest, and of those the first by name (storage/util.GetDefaultClass)."""
    marked = sorted((each for each in classes if _is_default(each)), key=lambda each: str(each["metadata"]["name"]))
    return max(marked, key=lambda each: str(each["metadata"].get("creationTimestamp") or ""), default=None)


def _is_default(storage_class: Document) -> bool:
    annotations = storage_class["metadata"].get("annotations") or {}
    return any(annotations.get(mark) == "true" for mark in _MARKS)


PLUGIN = DefaultStorageClass

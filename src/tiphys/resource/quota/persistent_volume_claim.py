"""Claims: how many, how much storage, in all and of each storage class
(kubernetes `pkg/quota/v1/evaluator/core/persistent_volume_claims.go`)."""

from __future__ import annotations

from collections.abc import Iterable

from tiphys.base.document import Document
from tiphys.base.quantity import Quantity, from_value, parse
from tiphys.resource.quota.evaluator import CREATE, UPDATE
from tiphys.resource.quota.object_count import ONE
from tiphys.resource.quota.scope import names_match
from tiphys.resource.resource_list import ResourceList

_COUNT = "count/persistentvolumeclaims"
_CLAIMS = "persistentvolumeclaims"
_STORAGE = "requests.storage"
_OF_CLASS = ".storageclass.storage.k8s.io/"
_BY_CLASS = (_OF_CLASS + _CLAIMS, _OF_CLASS + _STORAGE)
_BETA_CLASS = "volume.beta.kubernetes.io/storage-class"


class PersistentVolumeClaimEvaluator:
    """A claim counts under plain names and, with a class, under `<class>.storageclass.storage.k8s.io/<name>`."""

    group = ""
    plural = "persistentvolumeclaims"

    def handles(self, operation: str, subresource: str, new: Document | None, old: Document | None) -> bool:
        if subresource == "status":
            return new is not None and old is not None and _charge_changed(new, old)
        return operation in (CREATE, UPDATE) and not subresource

    def matching(self, names: Iterable[str]) -> list[str]:
        return sorted({name for name in names if name in (_COUNT, _CLAIMS, _STORAGE) or name.endswith(_BY_CLASS)})

    def in_scope(self, requirement: Document, document: Document) -> bool:
        if requirement.get("scopeName") != "VolumeAttributesClass":
            return False
        return names_match(requirement, _attributes_classes(document))

    def missing(self, required: Iterable[str], document: Document) -> str:
        return ""

    def usage(self, document: Document, now: float) -> ResourceList:
        used = {_CLAIMS: ONE, _COUNT: ONE}
        storage = _storage(document)
        if storage is not None:
            used[_STORAGE] = storage
        if name := storage_class(document):
            used[name + _OF_CLASS + _CLAIMS] = ONE
            if storage is not None:
                used[name + _OF_CLASS + _STORAGE] = storage
        return used


def storage_class(claim: Document) -> str:
    """The class by the old annotation or the field, empty without (GetPersistentVolumeClaimClass)."""
    annotations = (claim.get("metadata") or {}).get("annotations") or {}
    if _BETA_CLASS in annotations:
        return str(annotations[_BETA_CLASS])
    return (claim.get("spec") or {}).get("storageClassName") or ""


def has_storage_class(claim: Document) -> bool:
    """Whether the claim says anything of its class, be it that it wants none (PersistentVolumeClaimHasClass)."""
    annotations = (claim.get("metadata") or {}).get("annotations") or {}
    return _BETA_CLASS in annotations or (claim.get("spec") or {}).get("storageClassName") is not None


def _storage(claim: Document) -> Quantity | None:
    """Whole bytes: what is requested, or what is already allocated while it grows, if that is more."""
    requests = ((claim.get("spec") or {}).get("resources") or {}).get("requests") or {}
    if "storage" not in requests:
        return None
    requested = parse(requests["storage"])
    allocated = ((claim.get("status") or {}).get("allocatedResources") or {}).get("storage")
    most = requested if allocated is None else max(requested, parse(allocated))
    rounded = from_value(most.value, most.format)
    return most if rounded == most else rounded


def _charge_changed(new: Document, old: Document) -> bool:
    def allocated(claim: Document) -> object:
        return ((claim.get("status") or {}).get("allocatedResources") or {}).get("storage")

    return allocated(new) != allocated(old) or _attributes_classes(new) != _attributes_classes(old)


def _attributes_classes(claim: Document) -> list[str]:
    """The volume attributes classes that the claim has, wants, or is being changed to."""
    status = claim.get("status") or {}
    names = (
        (claim.get("spec") or {}).get("volumeAttributesClassName"),
        status.get("currentVolumeAttributesClassName"),
        (status.get("modifyVolumeStatus") or {}).get("targetVolumeAttributesClassName"),
    )
    return sorted({name for name in names if name})


EVALUATOR = PersistentVolumeClaimEvaluator()

"""The quality-of-service class of a pod, fixed when it is made (pkg/apis/core/helper/qos)."""

from __future__ import annotations

from collections.abc import Iterator

from tiphys.base.document import Document
from tiphys.base.quantity import Quantity
from tiphys.kinds.shapes.resource_requirements_validation import quantity

_COUNTED = ("cpu", "memory")


def qos_class(spec: Document, minor: int) -> str:
    """`BestEffort`, `Burstable` or `Guaranteed`.

    Upstream compares the sums over all containers; as no request may exceed its limit, comparing container by
    container says the same.
    """
    if minor >= 34 and (own := spec.get("resources")) and (_positive(own, "requests") or _positive(own, "limits")):
        return "Guaranteed" if _is_guaranteed(own) else "Burstable"
    resources = list(_resources(spec))
    if not any(_positive(each, "requests") or _positive(each, "limits") for each in resources):
        return "BestEffort"
    return "Guaranteed" if all(map(_is_guaranteed, resources)) else "Burstable"


def _resources(spec: Document) -> Iterator[Document]:
    for field in ("containers", "initContainers"):
        for container in spec.get(field) or ():
            yield container.get("resources") or {}


def _is_guaranteed(resources: Document) -> bool:
    limits = _positive(resources, "limits")
    return len(limits) == len(_COUNTED) and _positive(resources, "requests") == limits


def _positive(resources: Document, field: str) -> dict[str, Quantity]:
    """The amounts above zero of what counts."""
    found: dict[str, Quantity] = {}
    amounts: Document = resources.get(field) or {}
    for name in _COUNTED if amounts else ():
        amount = quantity(amounts[name]) if name in amounts else None
        if amount is not None and amount.sign > 0:
            found[name] = amount
    return found

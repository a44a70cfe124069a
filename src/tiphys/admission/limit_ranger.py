"""LimitRanger: defaults and bounds by a namespace's LimitRanges (kubernetes `plugin/pkg/admission/limitranger`).

Defaults come in the mutating phase, with an annotation that says so; the bounds are held in the validating one.
Amounts summed over a pod's containers are printed plainly (`9663676416` for 9Gi), as upstream printed them up to
and beyond the versions the walkthrough was recorded with; they are compared exactly, as newer ones do.
"""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.admission.limit_range_item import Amounts, Item, read_item, violations
from tiphys.admission.plugin import CREATE, UPDATE, Base, is_for, part, refuse
from tiphys.api.admission import Attributes, Environment
from tiphys.base.document import Document
from tiphys.base.quantity import DECIMAL_SI, Quantity
from tiphys.resource.pod_requests import pod_limits, pod_requests
from tiphys.resource.resource_list import ResourceList, read

ANNOTATION = "kubernetes.io/limit-ranger"
_CLAIMS = "persistentvolumeclaims"
_KEPT = 512


class LimitRanger(Base):
    NAME = "LimitRanger"

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._read: dict[int, tuple[Document, list[Item]]] = {}

    async def admit(self, attributes: Attributes) -> None:
        pod = attributes.object
        if pod is None or not is_for(attributes, CREATE, "pods"):
            return
        for limit_range in await self.reader.list("", "limitranges", attributes.namespace):
            _set_defaults(pod, self._items(limit_range))

    async def validate(self, attributes: Attributes) -> None:
        if attributes.object is None or not _is_limited(attributes):
            return
        if attributes.old is not None and (attributes.old.get("metadata") or {}).get("deletionTimestamp"):
            return
        for limit_range in await self.reader.list("", "limitranges", attributes.namespace):
            errors = [error for item in self._items(limit_range) for error in _errors(item, attributes)]
            if errors:
                raise refuse(attributes, _aggregate(errors))

    def _items(self, limit_range: Document) -> list[Item]:
        """The LimitRange's items, read once a revision: the reader gives the same document as long as it holds.

        The document is kept beside its items, so that its identity is nobody else's.
        """
        kept = self._read.get(id(limit_range))
        if kept is None:
            if len(self._read) >= _KEPT:
                self._read.clear()
            items = [read_item(item) for item in (limit_range.get("spec") or {}).get("limits") or ()]
            kept = self._read[id(limit_range)] = limit_range, items
        return kept[1]


def _is_limited(attributes: Attributes) -> bool:
    """Pods when they are created or resized, claims whenever they are written."""
    if attributes.resource == "pods":
        if attributes.subresource == "resize":
            return attributes.operation == UPDATE and not attributes.group
        return is_for(attributes, CREATE, "pods")
    return is_for(attributes, CREATE, _CLAIMS) or is_for(attributes, UPDATE, _CLAIMS)


def _set_defaults(pod: Document, items: Sequence[Item]) -> None:
    requests: Document = {}
    limits: Document = {}
    for item in items:
        if item.kind == "Container":
            requests.update(item.default_requests)
            limits.update(item.defaults)
    if not requests and not limits:
        return
    spec = part(pod, "spec")
    notes = [note for each in spec.get("containers") or () for note in _fill(each, "container", requests, limits)]
    notes += [
        note for each in spec.get("initContainers") or () for note in _fill(each, "init container", requests, limits)
    ]
    if notes:
        text = f"LimitRanger plugin set: {'; '.join(notes)}"
        part(part(pod, "metadata"), "annotations")[ANNOTATION] = text


def _fill(container: Document, called: str, requests: Document, limits: Document) -> list[str]:
    """Give a container what it lacks; returns a note for requests and one for limits, if any were set."""
    notes = []
    for key, noun, defaults in (("requests", "request", requests), ("limits", "limit", limits)):
        held = (container.get("resources") or {}).get(key) or {}
        lacking = {name: defaults[name] for name in sorted(defaults) if name not in held}
        if lacking:
            part(container, "resources")[key] = {**held, **lacking}
            notes.append(f"{', '.join(lacking)} {noun} for {called} {container.get('name', '')}")
    return notes


def _errors(item: Item, attributes: Attributes) -> list[str]:
    document, old = attributes.object or {}, attributes.old
    if attributes.resource == _CLAIMS:
        if item.kind != "PersistentVolumeClaim":
            return []
        return violations(item, _claim_amounts(document), _claim_amounts(old) if old is not None else None)
    if item.kind == "Pod":
        return violations(item, _pod_amounts(document), _pod_amounts(old) if old is not None else None)
    if item.kind != "Container":
        return []
    before = {str(each.get("name")): _container_amounts(each) for each in _containers(old)} if old else {}
    found = []
    for container in _containers(document):
        found += violations(item, _container_amounts(container), before.get(str(container.get("name"))))
    return found


def _containers(pod: Document | None) -> list[Document]:
    spec = (pod or {}).get("spec") or {}
    return [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]


def _container_amounts(container: Document) -> Amounts:
    resources = container.get("resources") or {}
    return Amounts(read(resources.get("requests")), read(resources.get("limits")))


def _claim_amounts(claim: Document) -> Amounts:
    return Amounts(read(((claim.get("spec") or {}).get("resources") or {}).get("requests")), {})


def _pod_amounts(pod: Document) -> Amounts:
    spec = pod.get("spec") or {}
    requests, limits = pod_requests(pod, overhead=False), pod_limits(pod, overhead=False)
    if not spec.get("initContainers") and not spec.get("resources"):
        return Amounts(_printed_plainly(requests, requests), _printed_plainly(limits, limits))
    running = {"spec": {"containers": spec.get("containers")}}
    return Amounts(
        _printed_plainly(requests, pod_requests(running)),
        _printed_plainly(limits, pod_limits(running)),
    )


def _printed_plainly(total: ResourceList, sums: ResourceList) -> ResourceList:
    """Sums lose the suffix they were written with; what one init container asks for by itself keeps it."""
    return {
        name: Quantity(amount.nanos, DECIMAL_SI) if sums.get(name) == amount else amount
        for name, amount in total.items()
    }


def _aggregate(errors: Sequence[str]) -> str:
    """Each error once; several in brackets (utilerrors.NewAggregate)."""
    different = list(dict.fromkeys(errors))
    return different[0] if len(different) == 1 else f"[{', '.join(different)}]"


PLUGIN = LimitRanger

"""What a pod asks for and may use, as a whole (component-helpers `resource/helpers.go`, KEP-753, KEP-2837).

Containers run together, so theirs add up. Init containers run before, one by one, so the most demanding of
them counts, together with the sidecars (init containers that restart always) started before it. Resources
set for the pod itself replace the sum; the overhead of its runtime class comes on top.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tiphys.base.document import Document
from tiphys.base.quantity import Quantity
from tiphys.resource.resource_list import ResourceList, accumulate, raise_to, read

_Resources = Callable[[Document, Document], Document | None]
"""(container, its status or {}): the resources to count for it."""

HUGE_PAGES = "hugepages-"


def pod_requests(
    pod: Document,
    *,
    overhead: bool = True,
    status: bool = False,
    missing: Mapping[str, Quantity] | None = None,
) -> ResourceList:
    """The effective requests of a pod (PodRequests). Raises QuantityError.

    `status`: count what the node reports as allocated and actuated, where that is more (in-place resize).
    `missing`: amounts to assume for each container that requests none of that resource.
    """
    spec = pod.get("spec") or {}
    total = _aggregate(pod, _spec_requests, missing)
    if status:
        total = _with_status(pod, total, (_actuated_requests, _allocated_requests), missing)
    _replace(total, (spec.get("resources") or {}).get("requests"))
    if overhead:
        accumulate(total, read(spec.get("overhead")))
    return total


def pod_limits(pod: Document, *, overhead: bool = True, status: bool = False) -> ResourceList:
    """The effective limits of a pod (PodLimits); overhead is added to limits that are there and not zero."""
    spec = pod.get("spec") or {}
    total = _aggregate(pod, _spec_limits, None)
    if status:
        total = _with_status(pod, total, (_actuated_limits,), None)
    _replace(total, (spec.get("resources") or {}).get("limits"))
    if overhead:
        extra = read(spec.get("overhead"))
        accumulate(total, {name: amount for name, amount in extra.items() if name in total and total[name].nanos})
    return total


def is_sidecar(container: Document) -> bool:
    """Whether an init container keeps running beside the others."""
    return container.get("restartPolicy") == "Always"


def resize_infeasible(pod: Document) -> bool:
    """Whether the node said that the resize asked for can never be had (IsPodResizeInfeasible)."""
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "PodResizePending":
            return bool(condition.get("reason") == "Infeasible")
    return False


def _aggregate(
    pod: Document,
    resources: _Resources,
    missing: Mapping[str, Quantity] | None,
    statuses: Mapping[str, Document] | None = None,
) -> ResourceList:
    spec = pod.get("spec") or {}

    def of(container: Document) -> ResourceList:
        found = read(resources(container, (statuses or {}).get(container.get("name", ""), {})))
        return {**missing, **found} if missing else found

    total: ResourceList = {}
    for container in spec.get("containers") or ():
        accumulate(total, of(container))
    most: ResourceList = {}
    sidecars: ResourceList = {}
    for container in spec.get("initContainers") or ():
        needed = of(container)
        if is_sidecar(container):
            accumulate(total, needed)
            accumulate(sidecars, needed)
            needed = sidecars
        else:
            accumulate(needed, sidecars)
        raise_to(most, needed)
    raise_to(total, most)
    return total


def _with_status(
    pod: Document, total: ResourceList, views: tuple[_Resources, ...], missing: Mapping[str, Quantity] | None
) -> ResourceList:
    """The most of what is specified and what the node reports; without the former where a resize is infeasible."""
    reported = pod.get("status") or {}
    lists = (reported.get("containerStatuses") or (), reported.get("initContainerStatuses") or ())
    statuses = {each.get("name", ""): each for group in reversed(lists) for each in group}
    infeasible = resize_infeasible(pod)
    if not infeasible and not any("allocatedResources" in each or "resources" in each for each in statuses.values()):
        return total
    most: ResourceList = {} if infeasible else dict(total)
    for view in views:
        raise_to(most, _aggregate(pod, _or_nothing(view) if infeasible else view, missing, statuses))
    return most


def _replace(total: ResourceList, pod_level: Document | None) -> None:
    """Put the pod's own amounts in the place of the sums, for the resources that a pod may set."""
    for name, amount in read(pod_level).items():
        if name in ("cpu", "memory") or name.startswith(HUGE_PAGES):
            total[name] = amount


def _spec_requests(container: Document, status: Document) -> Document | None:
    return (container.get("resources") or {}).get("requests")


def _spec_limits(container: Document, status: Document) -> Document | None:
    return (container.get("resources") or {}).get("limits")


def _allocated_requests(container: Document, status: Document) -> Document | None:
    found: Document | None = status.get("allocatedResources")
    return _spec_requests(container, status) if found is None else found


def _actuated_requests(container: Document, status: Document) -> Document | None:
    found: Document | None = (status.get("resources") or {}).get("requests")
    return _allocated_requests(container, status) if found is None else found


def _actuated_limits(container: Document, status: Document) -> Document | None:
    found: Document | None = (status.get("resources") or {}).get("limits")
    return _spec_limits(container, status) if found is None else found


def _or_nothing(view: _Resources) -> _Resources:
    """The view of a status alone: where it says nothing, nothing is counted in the specification's place."""
    return lambda container, status: view({}, status)

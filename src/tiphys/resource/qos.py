"""The quality of service class of a pod (kubernetes `pkg/apis/core/v1/helper/qos`)."""

from __future__ import annotations

from collections.abc import Iterable

from tiphys.base.document import Document
from tiphys.resource.resource_list import ResourceList, accumulate, read

BEST_EFFORT = "BestEffort"
BURSTABLE = "Burstable"
GUARANTEED = "Guaranteed"

_COMPUTE = ("cpu", "memory")


def pod_qos(pod: Document) -> str:
    """The class in the status, or if there is none yet, the computed one (GetPodQOS)."""
    return (pod.get("status") or {}).get("qosClass") or compute_qos(pod)


def compute_qos(pod: Document) -> str:
    """Guaranteed: every container limits cpu and memory to what it requests. BestEffort: none says anything.

    Resources of the pod itself, if set, count instead of its containers' (ComputePodQOS). Raises QuantityError.
    """
    requests: ResourceList = {}
    limits: ResourceList = {}
    guaranteed = True
    for resources in _resources(pod.get("spec") or {}):
        accumulate(requests, _positive(resources.get("requests")))
        limited = _positive(resources.get("limits"))
        accumulate(limits, limited)
        guaranteed = guaranteed and len(limited) == len(_COMPUTE)
    if not requests and not limits:
        return BEST_EFFORT
    return GUARANTEED if guaranteed and requests == limits else BURSTABLE


def _resources(spec: Document) -> Iterable[Document]:
    own = spec.get("resources")
    if own:
        return (own,)
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    return [container.get("resources") or {} for container in containers]


def _positive(document: Document | None) -> ResourceList:
    return {name: amount for name, amount in read(document).items() if name in _COMPUTE and amount.nanos > 0}

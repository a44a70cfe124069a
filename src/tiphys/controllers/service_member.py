"""A pod as a member of services: whether it is one, at which address and ports (`k8s.io/endpointslice/util`).

Shared by the Endpoints and the EndpointSlice controllers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tiphys.base.document import Document, namespaced_name
from tiphys.client.informer import Informer
from tiphys.controllers.label_index import candidates
from tiphys.controllers.pod_state import is_ready, is_terminal

HEADLESS = "service.kubernetes.io/headless"
LAST_CHANGE = "endpoints.kubernetes.io/last-change-trigger-time"


def selector_of(service: Document) -> Mapping[str, str] | None:
    """The labels a service's pods have; None for a service that selects none."""
    return (service.get("spec") or {}).get("selector") or None


def selects(service: Document, pod: Document) -> bool:
    labels = pod["metadata"].get("labels") or {}
    selector = selector_of(service)
    return selector is not None and all(labels.get(key) == value for key, value in selector.items())


def services_of(services: Informer, pod: Document) -> Iterator[str]:
    """Keys of the services that select the pod."""
    return (namespaced_name(service) for service in candidates(services, pod) if selects(service, pod))


def services_to_update(services: Informer, old: Document, new: Document) -> set[str]:
    """Keys of the services a change of a pod may matter to (GetServicesToUpdate)."""
    changed = _endpoint_changed(old, new)
    moved = old["metadata"].get("labels") != new["metadata"].get("labels") or _name(old) != _name(new)
    if not moved:
        return set(services_of(services, new)) if changed else set()
    before, now = set(services_of(services, old)), set(services_of(services, new))
    return before | now if changed else before ^ now


def _endpoint_changed(old: Document, new: Document) -> bool:
    """podEndpointsChanged, with the end of a pod besides: an ended pod is a member no more."""
    if old["metadata"].get("deletionTimestamp") != new["metadata"].get("deletionTimestamp"):
        return True
    before, now = old.get("status") or {}, new.get("status") or {}
    if before.get("podIPs") != now.get("podIPs") or before.get("podIP") != now.get("podIP"):
        return True
    return is_ready(old) != is_ready(new) or is_terminal(old) != is_terminal(new)


def _name(pod: Document) -> tuple[str | None, str | None]:
    spec = pod.get("spec") or {}
    return spec.get("hostname"), spec.get("subdomain")


def belongs(pod: Document, include_terminating: bool) -> bool:
    """Whether it has an address and has not ended (ShouldPodBeInEndpoints)."""
    status = pod.get("status") or {}
    if is_terminal(pod) or not (status.get("podIP") or status.get("podIPs")):
        return False
    return include_terminating or not pod["metadata"].get("deletionTimestamp")


def hostname(pod: Document, service: Document) -> str:
    """Its name under the service's, if it asks for one (ShouldSetHostname)."""
    spec = pod.get("spec") or {}
    found = spec.get("hostname") or ""
    return found if spec.get("subdomain") == service["metadata"]["name"] else ""


def addresses(pod: Document, ipv6: bool) -> list[str]:
    """The pod's addresses of one family, first the one it is known by."""
    return [entry["ip"] for entry in (pod.get("status") or {}).get("podIPs") or () if (":" in entry["ip"]) == ipv6]


def is_headless(service: Document) -> bool:
    """Whether it has no address of its own (IsServiceIPSet)."""
    return (service["spec"].get("clusterIP") or "") in ("", "None")


def port_number(pod: Document, service_port: Document) -> int | None:
    """The container port a service port leads to in this pod (podutil.FindPort); None if there is none."""
    target = service_port.get("targetPort", service_port["port"])
    if isinstance(target, int):
        return target
    protocol = service_port.get("protocol") or "TCP"
    for port in _container_ports(pod):
        if port.get("name") == target and (port.get("protocol") or "TCP") == protocol:
            return int(port["containerPort"])
    return None


def _container_ports(pod: Document) -> Iterator[Document]:
    """Of containers, then of sidecars: init containers that are always restarted."""
    spec = pod.get("spec") or {}
    for container in spec.get("containers") or ():
        yield from container.get("ports") or ()
    for container in spec.get("initContainers") or ():
        if container.get("restartPolicy") == "Always":
            yield from container.get("ports") or ()


def has_named_ports(service: Document) -> bool:
    """Whether the ports may differ from pod to pod."""
    return any(isinstance(port.get("targetPort"), str) for port in service["spec"].get("ports") or ())


class TriggerTimes:
    """When what changes endpoints happened (TriggerTimeTracker): times as text, whole seconds in UTC, so in order."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, dict[str, str]]] = {}

    def compute(self, service: Document, pods: list[Document]) -> str:
        """The earliest change since the last call for this service; empty if there was none."""
        key, created = namespaced_name(service), service["metadata"].get("creationTimestamp") or ""
        known = self._known.get(key)
        last_created, last_pods = known or ("", {})
        times = {pod["metadata"]["name"]: time for pod in pods if (time := _ready_transition(pod))}
        changed = [time for name, time in times.items() if time > last_pods.get(name, "")]
        if created > last_created:
            changed.append(created)
        self._known[key] = created, times
        return min(changed, default="") if known else created

    def forget(self, key: str) -> None:
        self._known.pop(key, None)


def _ready_transition(pod: Document) -> str:
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "Ready":
            return condition.get("lastTransitionTime") or ""
    return ""

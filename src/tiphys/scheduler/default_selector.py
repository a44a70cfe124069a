"""What a pod's like are, for pods that say nothing of spreading: those its services and its controller select
(plugins/helper `spread.go` DefaultSelector)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tiphys.base.document import Document
from tiphys.base.label_selector import Selector, from_labels
from tiphys.client.informers import Informers
from tiphys.scheduler.framework import PodInfo
from tiphys.scheduler.term import selector_of

CONTROLLERS = {
    "ReplicationController": ("v1", "replicationcontrollers"),
    "ReplicaSet": ("apps/v1", "replicasets"),
    "StatefulSet": ("apps/v1", "statefulsets"),
}


class DefaultSelectors:
    """Kept by informer events: selectors are read when they change, not for each pod."""

    def __init__(self, informers: Informers) -> None:
        self._services: dict[str, dict[str, Mapping[str, str]]] = {}
        self._controllers: dict[tuple[str, str, str], tuple[object, Selector]] = {}
        self._informers = [informers.of("v1", "services")]
        self._informers += [informers.of(*resource) for resource in CONTROLLERS.values()]

    def listen(self) -> None:
        services, *controllers = self._informers
        services.add_handlers(self._service, lambda old, new: self._service(new), self._service_gone)
        for kind, informer in zip(CONTROLLERS, controllers, strict=True):
            seen, gone = self._seen(kind), self._gone(kind)
            informer.add_handlers(seen, _newer(seen), gone)

    async def synced(self) -> None:
        for informer in self._informers:
            await informer.synced()

    def of(self, pod: PodInfo) -> Selector | None:
        """None: the pod has neither service nor controller. About 2 microseconds."""
        found = [
            from_labels(wanted)
            for wanted in self._services.get(pod.namespace, {}).values()
            if all(pod.labels.get(key) == value for key, value in wanted.items())
        ]
        owner = _controller(pod.pod)
        if owner is not None:
            known = self._controllers.get((owner["kind"], pod.namespace, owner["name"]))
            if known is not None:
                found.append(known[1])
        selector = _conjunction(found)
        return None if selector.empty or selector.nothing else selector

    def _service(self, service: Document) -> None:
        meta = service["metadata"]
        selector = service["spec"].get("selector")
        if selector:
            self._services.setdefault(meta["namespace"], {})[meta["name"]] = selector
        else:
            self._service_gone(service)

    def _service_gone(self, service: Document) -> None:
        self._services.get(service["metadata"]["namespace"], {}).pop(service["metadata"]["name"], None)

    def _seen(self, kind: str) -> Callable[[Document], None]:
        def seen(controller: Document) -> None:
            meta, selector = controller["metadata"], controller["spec"].get("selector")
            key = (kind, meta["namespace"], meta["name"])
            known = self._controllers.get(key)
            if known is None or known[0] != selector:
                self._controllers[key] = (selector, _read(kind, selector))

        return seen

    def _gone(self, kind: str) -> Callable[[Document], None]:
        def gone(controller: Document) -> None:
            meta = controller["metadata"]
            self._controllers.pop((kind, meta["namespace"], meta["name"]), None)

        return gone


def _newer(seen: Callable[[Document], None]) -> Callable[[Document, Document], None]:
    return lambda old, new: seen(new)


def _read(kind: str, selector: Any) -> Selector:
    return from_labels(selector) if kind == "ReplicationController" else selector_of(selector)


def _controller(pod: Document) -> Document | None:
    for owner in pod["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            found: Document = owner
            return found
    return None


def _conjunction(selectors: list[Selector]) -> Selector:
    if len(selectors) == 1:
        return selectors[0]
    every = {each for selector in selectors for each in selector.requirements}
    return Selector(tuple(sorted(every, key=lambda each: (each.key, each.operator, each.values))))

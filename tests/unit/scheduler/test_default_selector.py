"""What selects a pod's like. Rules: scheduler `plugins/helper/spread.go` DefaultSelector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from tests.unit.scheduler.world import pod

from tiphys.client.informers import Informers
from tiphys.scheduler.default_selector import DefaultSelectors
from tiphys.scheduler.framework import PodInfo
from tiphys.scheduler.pod_info import read_pod

Handlers = tuple[Callable[..., None], Callable[..., None], Callable[..., None]]


class _Informers:
    """Where handlers are told by hand, by resource."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handlers] = {}

    def of(self, api_version: str, plural: str) -> Any:
        outer = self

        class Informer:
            def add_handlers(self, *handlers: Callable[..., None]) -> None:
                outer.handlers[plural] = cast(Handlers, handlers)

        return Informer()


def _object(name: str, selector: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "n"}, "spec": {"selector": selector}}


def _owned(kind: str, name: str, labels: dict[str, str]) -> PodInfo:
    document = pod(labels=labels).pod
    document["metadata"]["ownerReferences"] = [{"kind": kind, "name": name, "controller": True}]
    return read_pod(document)


def test_services_and_the_controller_together() -> None:
    informers = _Informers()
    selectors = DefaultSelectors(cast(Informers, informers))
    selectors.listen()
    web = {"app": "web", "tier": "front"}
    owned = _owned("ReplicaSet", "web", web)
    assert selectors.of(owned) is None
    added, updated, deleted = informers.handlers["replicasets"]
    added(_object("web", {"matchLabels": {"app": "web"}}))
    assert str(selectors.of(owned)) == "app=web"
    assert selectors.of(_owned("ReplicaSet", "other", web)) is None
    assert selectors.of(pod(labels=web)) is None
    serve, _, stop = informers.handlers["services"]
    serve(_object("front", {"tier": "front"}))
    serve(_object("back", {"tier": "back"}))
    serve(_object("none", None))
    assert str(selectors.of(owned)) == "app=web,tier=front"
    assert str(selectors.of(pod(labels=web))) == "tier=front"
    stop(_object("front", {"tier": "front"}))
    updated(None, _object("web", {"matchLabels": {"app": "new"}}))
    assert str(selectors.of(owned)) == "app=new"
    deleted(_object("web", None))
    assert selectors.of(owned) is None
    informers.handlers["replicationcontrollers"][0](_object("old", {"app": "web"}))
    assert str(selectors.of(_owned("ReplicationController", "old", web))) == "app=web"

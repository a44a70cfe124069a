"""A small world for the verbs: a memory store, upstream's definitions of 1.37, kinds made for the tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import orjson

from tiphys.api.admission import Attributes
from tiphys.api.kind import SCALE, STATUS, Column, Context, Kind, ScalePaths, Subresource
from tiphys.api.request_info import read_request_info
from tiphys.api.service import Api
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, invalid_value
from tiphys.base.http import Request, Response
from tiphys.base.user import User
from tiphys.store.memory import MemoryStore

ADMIN = User("admin", ("system:masters",))


class StillClock:
    """A clock that a test moves; `sleep` returns when it has been moved far enough."""

    def __init__(self) -> None:
        self.seconds = 1_700_000_000.0
        self._sleepers: list[tuple[float, Any]] = []

    def now(self) -> float:
        return self.seconds

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return
        waiter = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.seconds + seconds, waiter))
        await waiter

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
        for due, waiter in self._sleepers:
            if due <= self.seconds and not waiter.done():
                waiter.set_result(None)


@dataclass
class RecordingAdmission:
    """Lets everything by, remembers what it saw, and does what a test plants in it."""

    seen: list[tuple[str, Attributes]] = field(default_factory=list)
    mutate: Any = None
    refuse: Any = None

    async def admit(self, attributes: Attributes) -> None:
        self.seen.append(("admit", attributes))
        if self.mutate:
            self.mutate(attributes)

    async def validate(self, attributes: Attributes) -> None:
        self.seen.append(("validate", attributes))
        if self.refuse:
            raise self.refuse


def _pod_grace(document: Document, asked: int | None) -> int:
    if not document["spec"].get("nodeName"):
        return 0
    return asked if asked is not None else 30


def _default_replicas(document: Document, _: Context) -> None:
    document.setdefault("spec", {}).setdefault("replicas", 1)


def _validate_deployment(document: Document, _: Context) -> list[FieldError]:
    replicas = document["spec"]["replicas"]
    detail = "must be greater than or equal to 0"
    return [invalid_value("spec.replicas", replicas, detail)] if replicas < 0 else []


def _validate_deployment_update(new: Document, old: Document, context: Context) -> list[FieldError]:
    return _validate_deployment(new, context)


def _prepare_namespace(document: Document, _: Context) -> None:
    document["spec"] = {"finalizers": ["kubernetes"]}
    document["status"] = {"phase": "Active"}


def _autoscaler_to_v1(document: Document) -> Document:
    spec = {key: value for key, value in document["spec"].items() if key != "metrics"}
    return {**document, "spec": {**spec, "targetCPUUtilizationPercentage": 80}}


def _autoscaler_from_v1(document: Document) -> Document:
    spec = {key: value for key, value in document["spec"].items() if key != "targetCPUUtilizationPercentage"}
    return {**document, "spec": spec}


def _to_new_event(document: Document) -> Document:
    return {**document, "note": document.get("message", ""), "regarding": document.get("involvedObject", {})}


def _from_new_event(document: Document) -> Document:
    return {**document, "message": document.get("note", ""), "involvedObject": document.get("regarding", {})}


KINDS = [
    Kind(kind="ConfigMap", plural="configmaps", has_generation=False),
    Kind(
        kind="Pod",
        plural="pods",
        has_generation=False,
        returns_object_on_delete=True,
        grace_period=_pod_grace,
        subresources=(
            STATUS,
            Subresource("binding", ("create",), ("", "v1", "Binding")),
            Subresource("eviction", ("create",), ("policy", "v1", "Eviction")),
            Subresource("log", ("get",)),
        ),
        fields=lambda pod: {
            "spec.nodeName": pod["spec"].get("nodeName", ""),
            "status.phase": (pod.get("status") or {}).get("phase", ""),
        },
        columns=(Column("Phase", lambda pod, _: (pod.get("status") or {}).get("phase", "")),),
    ),
    Kind(
        kind="Namespace",
        plural="namespaces",
        namespaced=False,
        has_generation=False,
        prepare_create=_prepare_namespace,
        subresources=(STATUS, Subresource("finalize", ("update",))),
    ),
    Kind(
        group="apps",
        kind="Deployment",
        plural="deployments",
        default=_default_replicas,
        validate=_validate_deployment,
        validate_update=_validate_deployment_update,
        subresources=(STATUS, SCALE),
        scale=ScalePaths(),
    ),
    Kind(
        group="coordination.k8s.io",
        kind="Lease",
        plural="leases",
        has_generation=False,
        unconditional_update=False,
    ),
    Kind(
        group="autoscaling",
        kind="HorizontalPodAutoscaler",
        plural="horizontalpodautoscalers",
        versions=("v2", "v1"),
        storage_version="v2",
        convert={"v1": (_autoscaler_to_v1, _autoscaler_from_v1)},
    ),
    Kind(
        group="certificates.k8s.io",
        kind="ClusterTrustBundle",
        plural="clustertrustbundles",
        namespaced=False,
        versions=("v1", "v1beta1"),
    ),
    Kind(
        kind="Event",
        plural="events",
        has_generation=False,
        fields=lambda event: {"reason": event.get("reason", "")},
    ),
    Kind(
        group="events.k8s.io",
        kind="Event",
        plural="events",
        has_generation=False,
        storage=("", "events"),
        convert={"v1": (_to_new_event, _from_new_event)},
    ),
    Kind(group="policy", kind="PodDisruptionBudget", plural="poddisruptionbudgets", subresources=(STATUS,)),
    Kind(kind="ServiceAccount", plural="serviceaccounts", has_generation=False),
    Kind(
        group="authorization.k8s.io",
        kind="SelfSubjectAccessReview",
        plural="selfsubjectaccessreviews",
        namespaced=False,
        verbs=("create",),
    ),
    Kind(kind="Secret", plural="secrets", has_generation=False, verbs=("create", "get", "list")),
]


@dataclass
class World:
    """The API under test and short ways to ask it."""

    api: Api
    store: MemoryStore
    clock: StillClock
    admission: RecordingAdmission

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        text = query if isinstance(query, str) else urlencode(query, doseq=True)
        raw = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        request = Request(method, path, text, dict(headers or {}), raw, ADMIN)
        return await self.api.handle(request, read_request_info(method, path, text))

    async def ok(self, method: str, path: str, body: Any = None, **more: Any) -> Document:
        response = await self.ask(method, path, body, **more)
        assert isinstance(response.body, bytes)
        assert response.status < 300, response.body
        return dict(orjson.loads(response.body))

    async def refused(self, code: int, method: str, path: str, body: Any = None, **more: Any) -> Document:
        response = await self.ask(method, path, body, **more)
        assert isinstance(response.body, bytes)
        assert response.status == code, response.body
        status = dict(orjson.loads(response.body))
        assert (status["kind"], status["status"], status["code"]) == ("Status", "Failure", code)
        return status

    async def watch(self, path: str, **query: Any) -> AsyncIterator[bytes]:
        response = await self.ask("GET", path, query={"watch": "1", **query})
        assert not isinstance(response.body, bytes), response.body
        return response.body


def config_map(name: str = "one", **more: Any) -> Document:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **more}


def pod(name: str = "web", labels: Mapping[str, str] | None = None, **spec: Any) -> Document:
    metadata = {"name": name, **({"labels": dict(labels)} if labels else {})}
    containers = [{"name": "main", "image": "nginx"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers, **spec}}


def deployment(name: str = "web", **spec: Any) -> Document:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "main", "image": "nginx"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": template, **spec},
    }


CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
NAMESPACES = "/api/v1/namespaces"

"""How many pods the controllers of some pods are to have, for disruption budgets (DisruptionController.finders)."""

from __future__ import annotations

from collections.abc import Iterable

from tiphys.base.document import Document, owner_reference
from tiphys.base.status import StatusError
from tiphys.client.informer import Informer
from tiphys.client.retry import is_not_found
from tiphys.controllers.contract import Context

DEPLOYMENTS = frozenset(("apps", "extensions"))
DISCOVERED_FOR = 30.0
"""Seconds for which what a group version serves is taken as known."""
Scale = tuple[str, int]
"""Uid of a controller, and the replicas it is to have."""


class ScaleFailure(Exception):
    """The scale of a pod's controller cannot be told; the text says why, as upstream says it."""


class Scales:
    """Scales by informers for the built-in workloads, by the scale subresource for others."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._clock = context.clock
        self._replication_controllers = context.informers.of("v1", "replicationcontrollers")
        self._replica_sets = context.informers.of("apps/v1", "replicasets")
        self._deployments = context.informers.of("apps/v1", "deployments")
        self._stateful_sets = context.informers.of("apps/v1", "statefulsets")
        self._served: dict[str, tuple[float, list[Document]]] = {}

    @property
    def informers(self) -> tuple[Informer, ...]:
        return (self._replication_controllers, self._replica_sets, self._deployments, self._stateful_sets)

    async def expected(self, pods: Iterable[Document]) -> tuple[int, list[str]]:
        """The sum over the pods' controllers, each once, and the names of pods that have none.

        Raises ScaleFailure, and StatusError of reading a scale.
        """
        seen: dict[str, Scale] = {}
        unmanaged = []
        for pod in pods:
            reference = owner_reference(pod)
            if reference is None:
                unmanaged.append(pod["metadata"]["name"])
            elif reference["uid"] not in seen:
                seen[reference["uid"]] = await self._scale(reference, pod)
        return sum(dict(seen.values()).values()), unmanaged

    async def _scale(self, reference: Document, pod: Document) -> Scale:
        namespace = pod["metadata"]["namespace"]
        found = self._of_workload(reference, namespace) or await self._of_subresource(reference, namespace)
        if found is None:
            raise ScaleFailure(f'found no controllers for pod "{pod["metadata"]["name"]}"')
        return found

    def _of_workload(self, reference: Document, namespace: str) -> Scale | None:
        group, kind = reference["apiVersion"].rpartition("/")[0], reference["kind"]
        if kind == "ReplicationController" and group == "":
            return _replicas(_resolve(self._replication_controllers, reference, namespace))
        if kind == "StatefulSet" and group == "apps":
            return _replicas(_resolve(self._stateful_sets, reference, namespace))
        if kind == "ReplicaSet" and group in DEPLOYMENTS:
            return self._of_replica_set(_resolve(self._replica_sets, reference, namespace), namespace)
        return None

    def _of_replica_set(self, replica_set: Document | None, namespace: str) -> Scale | None:
        """That of its deployment, if it has one."""
        owner = owner_reference(replica_set) if replica_set is not None else None
        if owner is None or owner["kind"] != "Deployment":
            return _replicas(replica_set)
        if owner["apiVersion"].rpartition("/")[0] not in DEPLOYMENTS:
            return None
        return _replicas(_resolve(self._deployments, owner, namespace))

    async def _of_subresource(self, reference: Document, namespace: str) -> Scale | None:
        version, kind = reference["apiVersion"], reference["kind"]
        served = await self._resources(version)
        plural = next((each["name"] for each in served if each["kind"] == kind and "/" not in each["name"]), None)
        if plural is None:
            raise ScaleFailure(f'no matches for kind "{kind}" in version "{version}"')
        try:
            scale = await self._client.get(version, plural, reference["name"], namespace, subresource="scale")
        except StatusError as error:
            if not is_not_found(error):
                raise
            if not any(each["name"] == f"{plural}/scale" and each["kind"] == "Scale" for each in served):
                group = version.rpartition("/")[0]
                resource = f"{plural}.{group}" if group else plural
                raise ScaleFailure(f"{resource} does not implement the scale subresource") from None
            return None
        if scale["metadata"].get("uid") != reference["uid"]:
            return None
        return reference["uid"], (scale.get("spec") or {}).get("replicas") or 0

    async def _resources(self, version: str) -> list[Document]:
        known = self._served.get(version)
        if known is not None and self._clock.monotonic() - known[0] < DISCOVERED_FOR:
            return known[1]
        try:
            listed = await self._client.read(f"/apis/{version}" if "/" in version else f"/api/{version}")
        except StatusError as error:
            if error.code != 404:
                raise
            listed = {}
        found: list[Document] = listed.get("resources") or []
        self._served[version] = self._clock.monotonic(), found
        return found


def _resolve(informer: Informer, reference: Document, namespace: str) -> Document | None:
    found = informer.get(namespace, reference["name"])
    return found if found is not None and found["metadata"]["uid"] == reference["uid"] else None


def _replicas(workload: Document | None) -> Scale | None:
    if workload is None:
        return None
    replicas = (workload.get("spec") or {}).get("replicas")
    return workload["metadata"]["uid"], 1 if replicas is None else replicas

"""Emptying a namespace, resource by resource (`namespace/deletion/namespaced_resources_deleter.go`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.client import Client
from tiphys.client.discovery import ServedResource, preferred_resources
from tiphys.client.retry import is_not_found
from tiphys.controllers.namespace.condition import Findings
from tiphys.controllers.pod_state import is_terminal

FINALIZER_ESTIMATE = 15
"""Seconds expected until finalizers are done with what remains."""
PODS_FIRST_SINCE = 33
"""The first minor that deletes all pods before anything else."""
_PODS = ("", "pods")


@dataclass(slots=True)
class Emptying:
    """One pass over a namespace. Afterwards `estimate` is 0 if nothing is left, else the seconds to wait for it."""

    client: Client
    namespace: str
    age: float
    """Seconds since the namespace was deleted."""
    minor: int
    findings: Findings = field(default_factory=Findings)
    errors: list[str] = field(default_factory=list)
    estimate: int = 0
    _grace: int = 0

    async def run(self) -> None:
        resources = await self._resources()
        if self.minor >= PODS_FIRST_SINCE:
            pods = [each for each in resources if (each.group, each.plural) == _PODS]
            for each in pods:
                await self._empty(each, "failed to delete pods for namespace: %s, err: %s")
            if self.findings.remaining or self.errors:
                return
            resources = [each for each in resources if each not in pods]
        for each in resources:
            await self._empty(each, "")

    async def _resources(self) -> Sequence[ServedResource]:
        try:
            served = await preferred_resources(self.client)
        except StatusError as error:
            self._discovery_failed(error.message)
            return ()
        if served.failures:
            groups = ", ".join(f"{name}: {error.message}" for name, error in served.failures)
            text = f"unable to retrieve the complete list of server APIs: {groups}"
            count = len(served.failures)
            self._discovery_failed(f"Discovery failed for some groups, {count} failing: {text}")
        return [each for each in served.resources if each.namespaced and "delete" in each.verbs]

    def _discovery_failed(self, message: str) -> None:
        self.findings.discovery = message
        self.errors.append(message)

    async def _empty(self, resource: ServedResource, words: str) -> None:
        try:
            await self._delete_all(resource)
            await self._look_for_rest(resource)
        except StatusError as error:
            self.findings.failures.append(error.message)
            self.errors.append(words % (self.namespace, error.message) if words else error.message)

    async def _delete_all(self, resource: ServedResource) -> None:
        self._grace = await self._grace_of_pods() if (resource.group, resource.plural) == _PODS else 0
        if "deletecollection" in resource.verbs:
            await self.client.delete_collection(
                resource.api_version, resource.plural, self.namespace, propagation="Background"
            )
        elif "list" in resource.verbs:
            for item in await self._list(resource):
                await self._delete_one(resource, item["metadata"]["name"])

    async def _delete_one(self, resource: ServedResource, name: str) -> None:
        try:
            await self.client.delete(
                resource.api_version, resource.plural, name, self.namespace, propagation="Background"
            )
        except StatusError as error:
            if not is_not_found(error) and error.reason != "MethodNotAllowed":
                raise

    async def _list(self, resource: ServedResource) -> list[Document]:
        found = await self.client.list_all(resource.api_version, resource.plural, self.namespace)
        items: list[Document] = found["items"]
        return items

    async def _look_for_rest(self, resource: ServedResource) -> None:
        """What is left is told and waited for; with nothing to wait for, it is an error."""
        left = await self._list(resource) if "list" in resource.verbs else []
        if not left:
            return
        finalizers = Counter(name for item in left for name in item["metadata"].get("finalizers") or ())
        self.findings.remaining[f"{resource.plural}.{resource.group}"] = len(left)
        for name, count in finalizers.items():
            self.findings.finalizers[name] = self.findings.finalizers.get(name, 0) + count
        estimate = self._grace or (FINALIZER_ESTIMATE if finalizers else 0)
        self.estimate = max(self.estimate, estimate)
        if not estimate:
            what = f"{resource.group}/{resource.version}, Resource={resource.plural}"
            message = f"unexpected items still remain in namespace: {self.namespace} for gvr: {what}"
            raise StatusError(500, "", message)

    async def _grace_of_pods(self) -> int:
        """The longest grace period of the running pods; 0 once it has passed since the namespace was deleted."""
        pods = await self.client.list_all("v1", "pods", self.namespace)
        periods = [
            pod["spec"].get("terminationGracePeriodSeconds") or 0 for pod in pods["items"] if not is_terminal(pod)
        ]
        longest: int = max(periods, default=0)
        return longest if self.age < longest else 0

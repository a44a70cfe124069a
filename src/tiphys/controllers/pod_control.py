"""Creating and deleting pods for a controller, and saying so in events (controller.RealPodControl)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from tiphys.base.document import Document
from tiphys.base.name_rules import dns1123_subdomain
from tiphys.base.status import StatusError
from tiphys.client.client import Client
from tiphys.client.events import NORMAL, WARNING, EventRecorder
from tiphys.client.retry import NAMESPACE_TERMINATING, has_cause, is_not_found


class PodControl:
    """Acts for owners of one kind; events go to the owner."""

    def __init__(self, client: Client, recorder: EventRecorder) -> None:
        self._client = client
        self._recorder = recorder

    async def create(
        self, template: Document, owner: Document, reference: Document, *, generate_name: str = ""
    ) -> Document:
        """One pod from the template. Raises the API's StatusError, after telling it in an event."""
        pod = pod_from_template(template, owner["metadata"]["name"], reference)
        if generate_name:
            pod["metadata"]["generateName"] = generate_name
        if not pod["metadata"]["labels"]:
            raise StatusError(500, "", "unable to create pods, no labels")
        try:
            made = await self._client.create("v1", "pods", pod, owner["metadata"]["namespace"])
        except StatusError as error:
            if not has_cause(error, NAMESPACE_TERMINATING):
                self._recorder.event(owner, WARNING, "FailedCreate", f"Error creating: {error.message}")
            raise
        self._recorder.event(owner, NORMAL, "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")
        return made

    async def delete(self, name: str, owner: Document) -> None:
        """Raises the API's StatusError; one that is not NotFound is told in an event."""
        try:
            await self._client.delete("v1", "pods", name, owner["metadata"]["namespace"])
        except StatusError as error:
            if is_not_found(error):
                raise
            self._recorder.event(owner, WARNING, "FailedDelete", f"Error deleting: {error.message}")
            message = f"unable to delete pods: {error.message}"
            raise StatusError(error.code, error.reason, message, error.details) from error
        self._recorder.event(owner, NORMAL, "SuccessfulDelete", f"Deleted pod: {name}")


def pod_from_template(template: Document, owner_name: str, reference: Document) -> Document:
    """A pod as controllers make it: template's labels, annotations, finalizers, spec; a generated name."""
    meta = template.get("metadata") or {}
    made: Document = {"generateName": name_prefix(owner_name), "labels": meta.get("labels") or {}}
    for field in ("annotations", "finalizers"):
        if meta.get(field):
            made[field] = meta[field]
    made["ownerReferences"] = [reference]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": made, "spec": template["spec"]}


def name_prefix(owner_name: str) -> str:
    """With a dash, unless that makes the name too long (controller.getPodsPrefix)."""
    prefix = f"{owner_name}-"
    return owner_name if dns1123_subdomain(f"{owner_name}a") else prefix


async def slow_start(count: int, act: Callable[[], Awaitable[object]]) -> tuple[int, StatusError | None]:
    """Do it `count` times in batches of 1, 2, 4 …; a batch with a failure is the last.

    So one refusal, as by a quota, is not asked for hundreds of times. Returns how many succeeded, and an error.
    """
    done, size = 0, 1
    while size := min(size, count - done):
        failures = await gather_failures([act() for _ in range(size)])
        done += size - len(failures)
        if failures:
            return done, failures[0]
        size *= 2
    return done, None


async def gather_failures(actions: Sequence[Awaitable[object]]) -> list[StatusError]:
    """Wait for all of them together; returns the StatusErrors. Anything else that went wrong is raised."""
    failures = []
    for result in await asyncio.gather(*actions, return_exceptions=True):
        if isinstance(result, StatusError):
            failures.append(result)
        elif isinstance(result, BaseException):
            raise result
    return failures

"""One reconcile of one deployment: what it looks at, and its writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tiphys.base.clock import Clock, rfc3339
from tiphys.base.document import Document
from tiphys.client.client import Client
from tiphys.client.events import NORMAL, WARNING, EventRecorder
from tiphys.controllers import condition

APPS = "apps/v1"
REVISION = "deployment.kubernetes.io/revision"
PROGRESSING = "Progressing"
AVAILABLE = "Available"
REPLICA_FAILURE = "ReplicaFailure"


@dataclass(slots=True)
class Rollout:
    """`deployment` is our own copy, kept current with what we write; `sets` are the replica sets it controls,
    oldest first; `pods_of` counts the pods of a set that have not ended."""

    client: Client
    recorder: EventRecorder
    clock: Clock
    minor: int
    deployment: Document
    sets: list[Document]
    pods_of: Callable[[Document], int]
    requeue_after: Callable[[float], None]
    requeue_soon: Callable[[], None]
    annotations: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        meta = self.deployment["metadata"]
        self.annotations = dict(meta.get("annotations") or {})
        status = dict(self.deployment.get("status") or {})
        self.deployment = {**self.deployment, "status": status}
        self._annotate()

    @property
    def name(self) -> str:
        return str(self.deployment["metadata"]["name"])

    @property
    def namespace(self) -> str:
        return str(self.deployment["metadata"]["namespace"])

    @property
    def status(self) -> Document:
        found: Document = self.deployment["status"]
        return found

    def condition(self, type_: str) -> Document | None:
        return condition.find(self.status.get("conditions") or (), type_)

    def new_condition(self, type_: str, status: str, reason: str, message: str) -> Document:
        now = rfc3339(self.clock.now())
        return {
            "type": type_,
            "status": status,
            "lastUpdateTime": now,
            "lastTransitionTime": now,
            "reason": reason,
            "message": message,
        }

    def set_condition(self, type_: str, status: str, reason: str, message: str) -> None:
        """In our copy; `write_status` sends it."""
        conditions = list(self.status.get("conditions") or ())
        new = self.new_condition(type_, status, reason, message)
        self.status["conditions"] = condition.with_condition(conditions, new)

    def set_revision(self, revision: str) -> bool:
        """In our copy; returns whether that is news."""
        if self.annotations.get(REVISION) == revision:
            return False
        self.annotations[REVISION] = revision
        self._annotate()
        return True

    def _annotate(self) -> None:
        meta = self.deployment["metadata"]
        if self.annotations or meta.get("annotations"):
            self.deployment["metadata"] = {**meta, "annotations": dict(self.annotations)}

    async def write_status(self, status: Document | None = None) -> None:
        """Write the status, ours or a new one, and the revision annotation with it.

        Upstream's status write carries annotations; where the server keeps them to itself they are patched.
        """
        if status is not None:
            self.deployment = {**self.deployment, "status": status}
        written = await self.client.update_status(APPS, "deployments", self.deployment, self.namespace)
        revision = self.annotations.get(REVISION)
        if revision and (written["metadata"].get("annotations") or {}).get(REVISION) != revision:
            patch = {"metadata": {"annotations": {REVISION: revision}}}
            written = await self.client.patch(APPS, "deployments", self.name, patch, self.namespace)
        self.deployment = {**written, "status": dict(written.get("status") or {})}

    def say(self, reason: str, message: str) -> None:
        self.recorder.event(self.deployment, NORMAL, reason, message)

    def warn(self, reason: str, message: str) -> None:
        self.recorder.event(self.deployment, WARNING, reason, message)

"""What is missing on the nodes and what is too much there (podsShouldBeOnNode)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tiphys.base.document import Document
from tiphys.client.events import NORMAL, WARNING, EventRecorder
from tiphys.controllers.daemon_set.failed_pods import FailedPods
from tiphys.controllers.daemon_set.view import View, seniority
from tiphys.controllers.pod_state import is_ready, phase


@dataclass
class Placement:
    """Fills `create` with names of nodes and `delete` with pods."""

    view: View
    recorder: EventRecorder
    failed_pods: FailedPods
    requeue_after: Callable[[float], object]
    create: list[str] = field(default_factory=list)
    delete: list[Document] = field(default_factory=list)

    def plan(self, pods: Mapping[str, Sequence[Document]]) -> None:
        """`pods` by node. Those waiting for a node that is gone would wait for ever, and are deleted too."""
        for node, eligible in self.view.eligible.items():
            here = pods.get(node, ())
            if eligible.starts and not here:
                self.create.append(node)
            elif eligible.stays:
                self._tidy(node, here)
            else:
                self.delete += [pod for pod in here if not _is_deleted(pod)]
        for node in sorted(pods.keys() - self.view.nodes.keys()):
            self.delete += [pod for pod in pods[node] if not pod["spec"].get("nodeName")]

    def _tidy(self, node: str, pods: Sequence[Document]) -> None:
        running = self._without_ended(node, [pod for pod in pods if not _is_deleted(pod)])
        if not self.view.allows_surge:
            self.delete += sorted(running, key=seniority)[1:]
        elif not running:
            if self.view.starts(node):
                self.create.append(node)
        elif len(running) > 1:
            self._tidy_surge(sorted(running, key=seniority))

    def _without_ended(self, node: str, pods: Sequence[Document]) -> list[Document]:
        """Failed pods go when their time has come, succeeded ones at once; a next reconcile makes new ones."""
        running = []
        for pod in pods:
            if phase(pod) == "Failed":
                self._delete_failed(node, pod)
            elif phase(pod) == "Succeeded":
                self._tell(NORMAL, "SucceededDaemonPod", "succeeded", "delete", node, pod)
                self.delete.append(pod)
            else:
                running.append(pod)
        return running

    def _delete_failed(self, node: str, pod: Document) -> None:
        daemon_set = self.view.daemon_set
        observed = (daemon_set.get("status") or {}).get("observedGeneration") or 0
        key = f"{daemon_set['metadata']['uid']}/{observed}/{node}"
        delay = self.failed_pods.delay(key)
        if delay > 0:
            self.requeue_after(delay)
            return
        self.failed_pods.failed(key)
        self._tell(WARNING, "FailedDaemonPod", "failed", "kill", node, pod)
        self.delete.append(pod)

    def _tell(self, type_: str, reason: str, state: str, verb: str, node: str, pod: Document) -> None:
        which = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        message = f"Found {state} daemon pod {which} on node {node}, will try to {verb} it"
        self.recorder.event(self.view.daemon_set, type_, reason, message)

    def _tidy_surge(self, pods: Sequence[Document]) -> None:
        """One old and one new pod at most; the old one goes when it is not ready or the new one is available."""
        new = [pod for pod in pods if self.view.is_new(pod)]
        old = [pod for pod in pods if not self.view.is_new(pod)]
        self.delete += [*new[1:], *old[1:]]
        if new and old and (not is_ready(old[0]) or self.view.is_available(new[0])):
            self.delete.append(old[0])


def _is_deleted(pod: Document) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))

"""A pod's status as a kubelet reports it (kubelet `status/generate.go`, `kubelet_pods.go`)."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from tiphys.base.clock import rfc3339
from tiphys.base.document import Document

TERMINATED = 128 + 15
"""The exit code of a process that does not catch SIGTERM."""


def running(pod: Document, host: str, address: str, now: float) -> Document:
    """Status of a pod all of whose containers run and are ready since `now`; init containers have completed."""
    time = rfc3339(now)
    spec = pod["spec"]
    inits = spec.get("initContainers") or ()
    sidecars = [container for container in inits if container.get("restartPolicy") == "Always"]
    status: Document = {
        "phase": "Running",
        "conditions": _conditions(pod, time, ready=True),
        "hostIP": host,
        "hostIPs": [{"ip": host}],
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": pod.get("status", {}).get("startTime") or time,
        "containerStatuses": [_container(pod, c, {"running": {"startedAt": time}}, True) for c in spec["containers"]],
    }
    if inits:
        done = _ended(0, time, time)
        status["initContainerStatuses"] = [
            _container(pod, c, {"running": {"startedAt": time}} if c in sidecars else done, True) for c in inits
        ]
    return status


def exited(pod: Document, code: int, now: float) -> Document:
    """Status after every container ended with `code`: the phase follows from the code and the restart policy.

    A container that is restarted is shown running again, with one restart more and its last state.
    """
    time = rfc3339(now)
    policy = pod["spec"].get("restartPolicy", "Always")
    old = pod["status"]
    restarts = policy == "Always" or (policy == "OnFailure" and code != 0)
    containers = [_next(status, code, time, restarts) for status in old.get("containerStatuses") or ()]
    if restarts:
        return {**old, "containerStatuses": containers}
    reason = "PodCompleted" if code == 0 else "PodFailed"
    return {
        **old,
        "phase": "Succeeded" if code == 0 else "Failed",
        "conditions": _conditions(pod, time, ready=False, reason=reason),
        "containerStatuses": containers,
    }


def stopped(pod: Document, now: float) -> Document:
    """Status of a pod that was told to go: its containers ended by the signal, and none is restarted.

    Whoever holds the pod by a finalizer is to see that it has ended (kubelet, since 1.27).
    """
    time = rfc3339(now)
    old = pod.get("status") or {}
    return {
        **old,
        "phase": "Failed",
        "conditions": _conditions(pod, time, ready=False, reason="PodFailed"),
        "containerStatuses": [_next(each, TERMINATED, time, False) for each in old.get("containerStatuses") or ()],
    }


def _next(status: Document, code: int, time: str, restarts: bool) -> Document:
    began = (status.get("state") or {}).get("running", {}).get("startedAt", time)
    ended = _ended(code, began, time)
    ended["terminated"]["containerID"] = status.get("containerID", "")
    if not restarts:
        return {**status, "state": ended, "ready": False, "started": False}
    return {
        **status,
        "state": {"running": {"startedAt": time}},
        "lastState": ended,
        "restartCount": status.get("restartCount", 0) + 1,
    }


def _ended(code: int, began: str, time: str) -> dict[str, Any]:
    reason = "Completed" if code == 0 else "Error"
    return {"terminated": {"exitCode": code, "reason": reason, "startedAt": began, "finishedAt": time}}


def _container(pod: Document, container: Document, state: Document, ready: bool) -> Document:
    identity = sha256(f"{pod['metadata']['uid']}/{container['name']}".encode()).hexdigest()
    image = str(container.get("image", ""))
    return {
        "name": container["name"],
        "image": image,
        "imageID": f"simulated://{sha256(image.encode()).hexdigest()}",
        "containerID": f"simulated://{identity}",
        "state": state,
        "lastState": {},
        "ready": ready,
        "started": "running" in state,
        "restartCount": 0,
    }


def _conditions(pod: Document, time: str, *, ready: bool, reason: str = "") -> list[Document]:
    """PodScheduled and conditions of others stay; the kubelet's own are set, keeping the time of an unchanged one."""
    old = {condition["type"]: condition for condition in pod.get("status", {}).get("conditions") or ()}
    own: Sequence[tuple[str, bool]] = (
        ("PodReadyToStartContainers", ready),
        ("Initialized", True),
        ("Ready", ready and _gates_open(pod, old)),
        ("ContainersReady", ready),
    )
    fresh = []
    for kind, holds in own:
        status = "True" if holds else "False"
        before = old.pop(kind, None)
        since = before["lastTransitionTime"] if before and before.get("status") == status else time
        condition = {"type": kind, "status": status, "lastProbeTime": None, "lastTransitionTime": since}
        if reason and kind != "PodReadyToStartContainers":
            condition["reason"] = reason
        fresh.append(condition)
    return [*fresh, *old.values()]


def _gates_open(pod: Document, conditions: dict[str, Document]) -> bool:
    gates = pod["spec"].get("readinessGates") or ()
    return all(conditions.get(gate["conditionType"], {}).get("status") == "True" for gate in gates)

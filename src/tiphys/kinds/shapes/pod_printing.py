"""The words of `kubectl get pods`: READY, STATUS and RESTARTS (printPod in pkg/printers/internalversion)."""

from __future__ import annotations

from dataclasses import dataclass

from tiphys.base.clock import parse_rfc3339
from tiphys.base.document import Document
from tiphys.kinds.shapes.columns import NONE, elapsed

UNREACHABLE = "NodeLost"
"""The status reason the node lifecycle controller gives pods of a node it lost."""


@dataclass(slots=True)
class _Tally:
    """What is counted on the way over the container statuses."""

    reason: str
    ready: int = 0
    restarts: int = 0
    last_restart: str = ""

    def count_restarts(self, status: Document) -> None:
        self.restarts += status.get("restartCount") or 0
        ended = ((status.get("lastState") or {}).get("terminated") or {}).get("finishedAt") or ""
        if ended and (not self.last_restart or parse_rfc3339(ended) > parse_rfc3339(self.last_restart)):
            self.last_restart = ended


def ready(pod: Document, now: float) -> str:
    """`1/2`: containers that are ready of those that should stay, sidecars among them."""
    spec = pod.get("spec") or {}
    total = len(spec.get("containers") or ()) + len(_sidecars(spec))
    return f"{_tally(pod).ready}/{total}"


def status(pod: Document, now: float) -> str:
    """`Running`, `Init:0/1`, `CrashLoopBackOff`, `Terminating`, …"""
    found = _tally(pod).reason
    if pod["metadata"].get("deletionTimestamp"):
        state = pod.get("status") or {}
        if state.get("reason") == UNREACHABLE:
            return "Unknown"
        if state.get("phase") not in ("Succeeded", "Failed"):
            return "Terminating"
    return found


def restarts(pod: Document, now: float) -> str:
    """`2 (3m ago)`."""
    tally = _tally(pod)
    if not tally.restarts or not tally.last_restart:
        return str(tally.restarts)
    return f"{tally.restarts} ({elapsed(tally.last_restart, now)} ago)"


def pod_ip(pod: Document, now: float) -> str:
    state = pod.get("status") or {}
    ips = state.get("podIPs") or ()
    return (ips[0].get("ip") if ips else state.get("podIP")) or NONE


def readiness_gates(pod: Document, now: float) -> str:
    """`1/2`: conditions that are true of those the pod waits for."""
    gates = (pod.get("spec") or {}).get("readinessGates") or ()
    if not gates:
        return NONE
    states: dict[str, str] = {}
    for condition in (pod.get("status") or {}).get("conditions") or ():
        states.setdefault(condition.get("type") or "", condition.get("status") or "")
    return f"{sum(states.get(gate.get('conditionType')) == 'True' for gate in gates)}/{len(gates)}"


def _sidecars(spec: Document) -> set[str]:
    init = spec.get("initContainers") or ()
    return {each.get("name") or "" for each in init if each.get("restartPolicy") == "Always"}


def _tally(pod: Document) -> _Tally:
    spec, state = pod.get("spec") or {}, pod.get("status") or {}
    conditions: list[Document] = state.get("conditions") or []
    tally = _Tally(state.get("reason") or state.get("phase") or "")
    if any(c.get("type") == "PodScheduled" and c.get("reason") == "SchedulingGated" for c in conditions):
        tally.reason = "SchedulingGated"
    sidecar_tally = _Tally("")
    initializing = _over_init_containers(spec, state, tally, sidecar_tally)
    if not initializing or _is_true(conditions, "Initialized"):
        tally.restarts, tally.last_restart = sidecar_tally.restarts, sidecar_tally.last_restart
        _over_containers(state, tally, _is_true(conditions, "Ready"))
    return tally


def _is_true(conditions: list[Document], kind: str) -> bool:
    return any(c.get("type") == kind and c.get("status") == "True" for c in conditions)


def _over_init_containers(spec: Document, state: Document, tally: _Tally, sidecar_tally: _Tally) -> bool:
    """Whether some init container is still to end; the first of them gives the reason."""
    sidecars = _sidecars(spec)
    for index, status in enumerate(state.get("initContainerStatuses") or ()):
        tally.count_restarts(status)
        is_sidecar = status.get("name") in sidecars
        if is_sidecar:
            sidecar_tally.count_restarts(status)
        current = status.get("state") or {}
        ended = current.get("terminated")
        if ended is not None and not ended.get("exitCode"):
            continue
        if is_sidecar and status.get("started"):
            tally.ready += bool(status.get("ready"))
            continue
        waiting = (current.get("waiting") or {}).get("reason") or ""
        if ended is not None:
            tally.reason = f"Init:{_ending(ended)}"
        elif waiting and waiting != "PodInitializing":
            tally.reason = f"Init:{waiting}"
        else:
            tally.reason = f"Init:{index}/{len(spec.get('initContainers') or ())}"
        return True
    return False


def _ending(terminated: Document) -> str:
    """Why a container ended: its reason, else its signal, else its exit code."""
    if terminated.get("reason"):
        return str(terminated["reason"])
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated.get('exitCode') or 0}"


def _over_containers(state: Document, tally: _Tally, is_ready: bool) -> None:
    """From the last container to the first, so that the first one's trouble is what is shown."""
    running = False
    for status in reversed(state.get("containerStatuses") or ()):
        tally.count_restarts(status)
        current = status.get("state") or {}
        waiting = (current.get("waiting") or {}).get("reason")
        if waiting:
            tally.reason = waiting
        elif current.get("terminated") is not None:
            tally.reason = _ending(current["terminated"])
        elif status.get("ready") and current.get("running") is not None:
            running = True
            tally.ready += 1
    if running and tally.reason == "Completed":
        tally.reason = "Running" if is_ready else "NotReady"

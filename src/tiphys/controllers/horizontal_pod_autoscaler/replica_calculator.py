"""How many replicas a resource metric asks for (`podautoscaler/replica_calculator.go`)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tiphys.base.document import Document
from tiphys.controllers.horizontal_pod_autoscaler.metrics import MetricsFailure, PodMetric, milli
from tiphys.controllers.pod_state import condition, phase, time_of

UNREADY = "did not receive metrics for targeted pods (pods might be unready)"
NO_PODS = "no pods returned by selector while calculating replica count"


@dataclass(frozen=True, slots=True)
class Tolerances:
    """Ratios of usage to target within which nothing is done."""

    down: float
    up: float

    def within(self, ratio: float) -> bool:
        return 1.0 - self.down <= ratio <= 1.0 + self.up


@dataclass(frozen=True, slots=True)
class Readiness:
    """When a pod's CPU metric counts, in seconds, and what time it is."""

    cpu_initialization_period: float
    initial_readiness_delay: float
    now: float


@dataclass(frozen=True, slots=True)
class Proposal:
    replicas: int
    average: int
    """Of the pods' usage, in thousandths."""
    utilization: int | None = None
    """Percent of what they request."""


@dataclass(frozen=True, slots=True)
class _Groups:
    ready: int
    unready: frozenset[str]
    missing: frozenset[str]
    ignored: frozenset[str]


def by_utilization(
    current: int,
    target: int,
    metrics: Mapping[str, PodMetric],
    requests: Mapping[str, int],
    groups: _Groups,
    tolerances: Tolerances,
) -> Proposal:
    """For a target in percent of requests (GetResourceReplicas). Raises MetricsFailure."""
    values = _counted(metrics, groups)
    ratio, utilization, average = _utilization(values, requests, target)

    def proposal(replicas: int) -> Proposal:
        return Proposal(replicas, average, utilization)

    at_once = _without_guessing(ratio, groups, current, tolerances)
    if at_once is not None:
        return proposal(at_once)
    if ratio < 1.0:
        fallback = max(100, target)
        values |= {name: requests[name] * fallback // 100 for name in groups.missing}
    elif ratio > 1.0:
        values |= dict.fromkeys(groups.missing | groups.unready, 0)
    guessed, _, _ = _utilization(values, requests, target)
    return proposal(_guessed(ratio, guessed, len(values), current, tolerances))


def by_average(
    current: int, target: int, metrics: Mapping[str, PodMetric], groups: _Groups, tolerances: Tolerances
) -> Proposal:
    """For a target of average usage, in thousandths (calcPlainMetricReplicas). Raises MetricsFailure."""
    values = _counted(metrics, groups)
    ratio, average = _average(values, target)
    at_once = _without_guessing(ratio, groups, current, tolerances)
    if at_once is not None:
        return Proposal(at_once, average)
    values |= dict.fromkeys(groups.missing, target if ratio < 1.0 else 0)
    if ratio > 1.0:
        values |= dict.fromkeys(groups.unready, 0)
    guessed, _ = _average(values, target)
    return Proposal(_guessed(ratio, guessed, len(values), current, tolerances), average)


def _counted(metrics: Mapping[str, PodMetric], groups: _Groups) -> dict[str, int]:
    left_out = groups.ignored | groups.unready
    values = {name: metric.value for name, metric in metrics.items() if name not in left_out}
    if not values:
        raise MetricsFailure(UNREADY)
    return values


def _without_guessing(ratio: float, groups: _Groups, current: int, tolerances: Tolerances) -> int | None:
    """The number when every pod that matters is known; None if some must be guessed."""
    if (groups.unready and ratio > 1.0) or groups.missing:
        return None
    return current if tolerances.within(ratio) else math.ceil(ratio * groups.ready)


def _guessed(ratio: float, guessed: float, pods: int, current: int, tolerances: Tolerances) -> int:
    """Not to change where guesses turn the direction."""
    if tolerances.within(guessed) or (ratio < 1.0 < guessed) or (guessed < 1.0 < ratio):
        return current
    replicas = math.ceil(guessed * pods)
    turned = (guessed < 1.0 and replicas > current) or (guessed > 1.0 and replicas < current)
    return current if turned else replicas


def _utilization(values: Mapping[str, int], requests: Mapping[str, int], target: int) -> tuple[float, int, int]:
    """(ratio to the target, percent of requests, average usage) (GetResourceUtilizationRatio)."""
    known = [name for name in values if name in requests]
    used, requested = sum(values[name] for name in known), sum(requests[name] for name in known)
    if requested == 0:
        raise MetricsFailure("no metrics returned matched known pods")
    percent = used * 100 // requested
    return percent / target, percent, used // len(known)


def _average(values: Mapping[str, int], target: int) -> tuple[float, int]:
    average = sum(values.values()) // len(values)
    return average / target, average


def group_pods(
    pods: Iterable[Document], metrics: Mapping[str, PodMetric], resource: str, readiness: Readiness
) -> _Groups:
    """groupPods."""
    ready, unready, missing, ignored = 0, set(), set(), set()
    for pod in pods:
        name = pod["metadata"]["name"]
        if pod["metadata"].get("deletionTimestamp") or phase(pod) == "Failed":
            ignored.add(name)
        elif phase(pod) == "Pending":
            unready.add(name)
        elif name not in metrics:
            missing.add(name)
        elif resource == "cpu" and _is_unready(pod, metrics[name], readiness):
            unready.add(name)
        else:
            ready += 1
    return _Groups(ready, frozenset(unready), frozenset(missing), frozenset(ignored))


def _is_unready(pod: Document, metric: PodMetric, readiness: Readiness) -> bool:
    """Whether its CPU metric may still be that of its start."""
    found, started = condition(pod, "Ready"), (pod.get("status") or {}).get("startTime")
    if found is None or not started:
        return True
    since, start = time_of(found.get("lastTransitionTime")), time_of(started)
    if start + readiness.cpu_initialization_period > readiness.now:
        return found.get("status") == "False" or metric.timestamp < since + metric.window
    return found.get("status") == "False" and start + readiness.initial_readiness_delay > since


def pod_requests(pods: Iterable[Document], container: str, resource: str) -> dict[str, int]:
    """Thousandths requested by pod, of one container if it is named (calculatePodRequests). Raises
    MetricsFailure."""
    return {pod["metadata"]["name"]: _requested(pod, container, resource) for pod in pods}


def _requested(pod: Document, container: str, resource: str) -> int:
    level = (pod["spec"].get("resources") or {}).get("requests") or {}
    if not container and level:
        if resource not in level:
            name = pod["metadata"]["name"]
            raise MetricsFailure(f"missing pod-level request for {resource} in Pod {name}")
        return milli(level[resource])
    total = 0
    for each in _containers(pod):
        if container in ("", each["name"]):
            requests = (each.get("resources") or {}).get("requests") or {}
            if resource not in requests:
                where = f"container {each['name']} of Pod {pod['metadata']['name']}"
                raise MetricsFailure(f"missing request for {resource} in {where}")
            total += milli(requests[resource])
    return total


def _containers(pod: Document) -> list[Document]:
    """Those that run as long as the pod does."""
    spec = pod["spec"]
    sidecars = [each for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always"]
    return [*(spec.get("containers") or ()), *sidecars]

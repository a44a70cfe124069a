"""The autoscaler, by upstream's `podautoscaler/{horizontal,replica_calculator}_test.go`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from services import pod
from skippable_clock import SkippableClock
from tests.unit.controllers.conftest import Cluster

from tiphys.base.clock import rfc3339
from tiphys.base.document import Document
from tiphys.base.http import Request, Response
from tiphys.base.user import MASTERS, User
from tiphys.client.client import Client
from tiphys.client.in_process import InProcessTransport
from tiphys.controllers.horizontal_pod_autoscaler.behavior import Pace, Range
from tiphys.controllers.horizontal_pod_autoscaler.controller import CONTROLLER
from tiphys.controllers.horizontal_pod_autoscaler.metrics import MetricsFailure, PodMetric, ResourceMetrics
from tiphys.controllers.horizontal_pod_autoscaler.replica_calculator import (
    Readiness,
    Tolerances,
    by_average,
    by_utilization,
    group_pods,
    pod_requests,
)

NOW = 1_900_000_000.0
UNSERVED = (
    "unable to fetch metrics from resource metrics API: "
    "the server could not find the requested resource (get pods.metrics.k8s.io)"
)


@dataclass
class Metrics:
    """What each pod uses, in thousandths; or why nothing is known."""

    clock: SkippableClock
    usage: dict[str, int] = field(default_factory=dict)
    failure: str = ""

    async def resource_metric(
        self, resource: str, namespace: str, selector: str, container: str
    ) -> dict[str, PodMetric]:
        if self.failure:
            raise MetricsFailure(self.failure)
        return {name: PodMetric(self.clock.now(), 60.0, value) for name, value in self.usage.items()}


def web(
    number: int, request: str = "1", ready: bool = True, phase: str = "Running", age: float = 3600, now: float = NOW
) -> Document:
    made = pod(number, ready=ready, phase=phase)
    made["spec"]["containers"][0]["resources"] = {"requests": {"cpu": request}}
    made["status"]["startTime"] = rfc3339(now - age)
    made["status"]["conditions"][0]["lastTransitionTime"] = made["status"]["startTime"]
    return made


READINESS = Readiness(300.0, 30.0, NOW)
TENTH = Tolerances(0.1, 0.1)


def used(*values: int | None, window: float = 60.0) -> dict[str, PodMetric]:
    return {f"web-{n}": PodMetric(NOW, window, value) for n, value in enumerate(values) if value is not None}


@pytest.mark.parametrize(
    ("pods", "metrics", "target", "expected"),
    [  # (replicas, utilization, average); replica_calculator_test.go
        ([web(n) for n in range(3)], used(300, 500, 700), 30, (5, 50, 500)),  # ScaleUp
        ([web(n) for n in range(5)], used(100, 300, 500, 250, 250), 50, (3, 28, 280)),  # ScaleDown
        ([web(n, "0.9") for n in range(3)], used(400, 500, 700), 100, (2, 59, 533)),
        ([web(n, "1.0") for n in range(3)], used(920, 1000, 1050), 100, (3, 99, 990)),  # Tolerance
        ([web(0), web(1), web(2, ready=False, age=10)], used(300, 500, 700), 30, (3, 40, 400)),  # UnreadyLessScale
        ([web(0), web(1), web(2, phase="Pending")], used(400, 500, None), 30, (3, 45, 450)),
        ([web(n) for n in range(4)], used(200, None, 200, None), 100, (3, 20, 200)),  # missing, down: as requested
        ([web(n) for n in range(2)], used(1000, None), 50, (2, 100, 1000)),  # MissingMetricsNoChangeEq
        ([web(0), web(1), web(2, phase="Failed")], used(600, 600, 600), 50, (3, 60, 600)),  # IgnoreFailedPods
    ],
)
def test_by_utilization(
    pods: list[Document], metrics: dict[str, PodMetric], target: int, expected: tuple[int, int, int]
) -> None:
    groups = group_pods(pods, metrics, "cpu", READINESS)
    found = by_utilization(len(pods), target, metrics, pod_requests(pods, "", "cpu"), groups, TENTH)
    assert (found.replicas, found.utilization, found.average) == expected


def test_by_average() -> None:
    """TestReplicaCalcScaleUpCMUnready…, raw values: unready memory still counts, missing ones are guessed."""
    pods = [web(n) for n in range(3)]
    metrics = used(20_000, 10_000, 30_000)
    groups = group_pods(pods, metrics, "memory", READINESS)
    assert by_average(3, 15_000, metrics, groups, TENTH).replicas == 4
    partial = used(50_000, 10_000, None)
    missing = group_pods(pods, partial, "memory", READINESS)
    assert by_average(3, 15_000, partial, missing, TENTH).replicas == 4
    with pytest.raises(MetricsFailure, match="did not receive metrics for targeted pods"):
        by_average(3, 15_000, {}, group_pods(pods, {}, "memory", READINESS), TENTH)


def test_requests_are_needed() -> None:
    """TestReplicaCalcMissingRequests."""
    with pytest.raises(MetricsFailure, match="missing request for cpu in container c of Pod web-1"):
        pod_requests([pod(1)], "", "cpu")


def _rules(direction: str, select: str, *policies: tuple[str, int, int]) -> Document:
    listed = [{"type": kind, "value": value, "periodSeconds": period} for kind, value, period in policies]
    anything = {"selectPolicy": "Max", "policies": [{"type": "Percent", "value": 1000, "periodSeconds": 15}]}
    found: Document = {"scaleUp": {**anything, "stabilizationWindowSeconds": 0}, "scaleDown": {**anything}}
    found["scaleDown"]["stabilizationWindowSeconds"] = 0
    found[direction] |= {"selectPolicy": select, "policies": listed}
    return found


@pytest.mark.parametrize(
    ("rules", "current", "wanted", "expected", "reason"),
    [  # TestConvertDesiredReplicasWithRules, TestScalingWithRules
        (None, 3, 9, 6, "ScaleUpLimit"),
        (None, 1, 9, 4, "ScaleUpLimit"),
        (None, 8, 30, 10, "TooManyReplicas"),
        (None, 5, 1, 2, "TooFewReplicas"),
        (None, 5, 4, 4, "DesiredWithinRange"),
        (_rules("scaleUp", "Max", ("Pods", 2, 60), ("Percent", 50, 60)), 3, 9, 5, "ScaleUpLimit"),
        (_rules("scaleUp", "Min", ("Pods", 2, 60), ("Percent", 10, 60)), 3, 9, 4, "ScaleUpLimit"),
        (_rules("scaleUp", "Disabled", ("Pods", 2, 60)), 3, 9, 3, "ScaleUpLimit"),
        (_rules("scaleDown", "Max", ("Pods", 1, 60), ("Percent", 50, 60)), 8, 2, 4, "ScaleDownLimit"),
        (_rules("scaleDown", "Min", ("Pods", 1, 60), ("Percent", 50, 60)), 8, 2, 7, "ScaleDownLimit"),
    ],
)
def test_limits(rules: Document | None, current: int, wanted: int, expected: int, reason: str) -> None:
    pace = Pace(SkippableClock(), 0)
    _, limited, cut = pace.normalize(rules, wanted, Range(current, 2, 10))
    assert limited[:2] == (expected, reason)
    assert cut == (expected != wanted)


def test_what_was_done_counts_for_its_period() -> None:
    """TestScalingWithRules with scale events: four pods a minute, counted from the minute's start."""
    clock = SkippableClock()
    pace = Pace(clock, 0)
    rules = _rules("scaleUp", "Max", ("Pods", 4, 60))
    assert pace.normalize(rules, 9, Range(2, 1, 100))[1][0] == 6
    pace.scaled(rules, 2, 6)
    clock.skip(30)
    assert pace.normalize(rules, 9, Range(6, 1, 100))[1][:2] == (6, "ScaleUpLimit")
    clock.skip(31)
    assert pace.normalize(rules, 20, Range(6, 1, 100))[1][0] == 10


def test_the_window_holds_back() -> None:
    """TestNormalizeDesiredReplicas, TestStabilizeRecommendationWithBehaviors."""
    clock = SkippableClock()
    pace = Pace(clock, 300)
    pace.begin(8)
    stable, _, _ = pace.normalize(None, 3, Range(8, 1, 10))
    assert stable[:2] == (8, "ScaleDownStabilized")
    clock.skip(301)
    assert pace.normalize(None, 3, Range(8, 1, 10))[0][:2] == (3, "ReadyForNewScale")
    rules = _rules("scaleUp", "Max", ("Pods", 100, 15))
    rules["scaleUp"]["stabilizationWindowSeconds"] = 60
    other = Pace(clock, 300)
    other.begin(2)
    assert other.normalize(rules, 5, Range(2, 1, 10))[0][:2] == (2, "ScaleUpStabilized")
    clock.skip(61)
    assert other.normalize(rules, 5, Range(2, 1, 10))[0][:2] == (5, "ReadyForNewScale")


# The controller


def autoscaler(**spec: Any) -> Document:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
    }
    meta = {"name": "web"}
    full = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 10, "metrics": [metric], **spec}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": meta,
        "spec": full,
        "status": {},
    }


@asynccontextmanager
async def scaled(cluster: Cluster, metrics: Metrics, pods: int = 2, **spec: Any) -> AsyncIterator[None]:
    selector = {"matchLabels": {"app": "web"}}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    await cluster.client.create(
        "apps/v1", "deployments", {**target, "spec": {"replicas": pods, "selector": selector}}, "default"
    )
    for number in range(pods):
        await cluster.client.create("v1", "pods", web(number, now=cluster.clock.now()), "default")
    await cluster.client.create("autoscaling/v2", "horizontalpodautoscalers", autoscaler(**spec), "default")
    options: dict[str, object] = {"metrics-reader": metrics}
    async with cluster.running(CONTROLLER, options=options):
        yield


def status(cluster: Cluster) -> Document:
    key = ("autoscaling", "horizontalpodautoscalers", "default", "web")
    found: Document = cluster.api.objects[key].get("status") or {}
    return found


def conditions(cluster: Cluster) -> dict[str, tuple[str, str]]:
    return {each["type"]: (each["status"], each["reason"]) for each in status(cluster).get("conditions") or ()}


def replicas(cluster: Cluster) -> int:
    return int(cluster.api.objects["apps", "deployments", "default", "web"]["spec"]["replicas"])


async def test_usage_above_target_scales_up(cluster: Cluster) -> None:
    """TestScaleUp: status, conditions, event."""
    metrics = Metrics(cluster.clock, {"web-0": 1000, "web-1": 1000})
    async with scaled(cluster, metrics):
        await cluster.pass_time(14, 7)
        assert not status(cluster)
        await cluster.pass_time(2, 1)
        await cluster.api.until(lambda: status(cluster))
        await cluster.api.until(lambda: cluster.messages("SuccessfulRescale"))
    assert replicas(cluster) == 4
    found = status(cluster)
    assert (found["currentReplicas"], found["desiredReplicas"]) == (2, 4) and found["lastScaleTime"]
    value = {"averageValue": "1", "averageUtilization": 100}
    assert found["currentMetrics"] == [{"type": "Resource", "resource": {"name": "cpu", "current": value}}]
    assert conditions(cluster) == {
        "AbleToScale": ("True", "SucceededRescale"),
        "ScalingActive": ("True", "ValidMetricFound"),
        "ScalingLimited": ("False", "DesiredWithinRange"),
    }
    assert cluster.messages("SuccessfulRescale") == [
        "New size: 4; reason: cpu resource utilization (percentage of request) above target"
    ]


async def test_without_metrics_nothing_is_scaled_and_the_status_says_why(cluster: Cluster) -> None:
    """TestMissingMetrics, and what `kubectl describe hpa` shows on a cluster without a metrics server."""
    async with scaled(cluster, Metrics(cluster.clock, failure=UNSERVED)):
        await cluster.pass_time(16, 8)
        await cluster.api.until(lambda: cluster.messages("FailedComputeMetricsReplicas"))
    assert replicas(cluster) == 2
    assert conditions(cluster) == {
        "AbleToScale": ("True", "SucceededGetScale"),
        "ScalingActive": ("False", "FailedGetResourceMetric"),
    }
    cause = f"failed to get cpu utilization: unable to get metrics for resource cpu: {UNSERVED}"
    active = next(each for each in status(cluster)["conditions"] if each["type"] == "ScalingActive")
    assert active["message"] == f"the HPA was unable to compute the replica count: {cause}"
    assert cluster.messages("FailedGetResourceMetric")[0] == cause
    assert cluster.messages("FailedComputeMetricsReplicas")[0] == (
        f"invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: {cause}"
    )


@pytest.mark.parametrize(
    ("pods", "spec", "expected", "reason"),
    [  # TestUpscaleCap…, TestMinReplicas, TestMaxReplicas, TestZeroReplicas
        (0, {}, 0, ("ScalingActive", ("False", "ScalingDisabled"))),
        (3, {"maxReplicas": 2}, 2, ("AbleToScale", ("True", "SucceededRescale"))),
        (1, {"minReplicas": 3}, 3, ("AbleToScale", ("True", "SucceededRescale"))),
        (1, {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}}, 1,
         ("AbleToScale", ("False", "FailedGetScale"))),
        (1, {"scaleTargetRef": {"apiVersion": "a/b/c", "kind": "X", "name": "x"}}, 1,
         ("AbleToScale", ("False", "FailedGetScale"))),
    ],
)  # fmt: skip
async def test_what_needs_no_metrics(
    cluster: Cluster, pods: int, spec: dict[str, Any], expected: int, reason: tuple[str, tuple[str, str]]
) -> None:
    async with scaled(cluster, Metrics(cluster.clock, failure="unused"), pods, **spec):
        await cluster.pass_time(16, 8)
        await cluster.api.until(lambda: status(cluster))
    assert replicas(cluster) == expected
    assert conditions(cluster)[reason[0]] == reason[1]


async def test_going_down_waits_for_the_window(cluster: Cluster) -> None:
    """TestScaleDownStabilize…: five minutes after the last higher recommendation."""
    metrics = Metrics(cluster.clock, dict.fromkeys(("web-0", "web-1", "web-2"), 100))
    async with scaled(cluster, metrics, pods=3):
        await cluster.pass_time(32, 4)
        assert replicas(cluster) == 3
        assert conditions(cluster)["AbleToScale"] == ("True", "ScaleDownStabilized")
        await cluster.pass_time(320, 8)
        await cluster.api.until(lambda: replicas(cluster) == 1)
        await cluster.api.until(lambda: cluster.messages("SuccessfulRescale"))
    assert cluster.messages("SuccessfulRescale") == ["New size: 1; reason: All metrics below target"]


def _transport(code: int, items: list[Document]) -> Client:
    import orjson

    async def answer(request: Request) -> Response:
        body = {"items": items} if code == 200 else {"kind": "Status", "code": code, "message": "404 page not found"}
        return Response(code, orjson.dumps(body))

    return Client(InProcessTransport(answer, User("test", (MASTERS,))))


async def test_reading_the_metrics_api() -> None:
    """`metrics/client_test.go`; an API that is not served is worded as client-go does."""
    reader = ResourceMetrics(_transport(404, []))
    with pytest.raises(MetricsFailure) as caught:
        await reader.resource_metric("cpu", "default", "app=web", "")
    assert str(caught.value) == UNSERVED
    with pytest.raises(MetricsFailure, match="no metrics returned from resource metrics API"):
        await ResourceMetrics(_transport(200, [])).resource_metric("cpu", "default", "app=web", "")
    usage = [{"name": "a", "usage": {"cpu": "100m"}}, {"name": "b", "usage": {"cpu": "1"}}]
    times = {"timestamp": "2026-01-01T00:00:00Z", "window": "1m30s"}
    items = [{"metadata": {"name": "web-0", "namespace": "default"}, "containers": usage, **times}]
    reader = ResourceMetrics(_transport(200, items))
    assert (await reader.resource_metric("cpu", "default", "", ""))["web-0"].value == 1100
    assert (await reader.resource_metric("cpu", "default", "", "a"))["web-0"] == PodMetric(1767225600.0, 90.0, 100)
    assert await reader.resource_metric("memory", "default", "", "") == {}
    with pytest.raises(MetricsFailure, match="container c not present in metrics for pod default/web-0"):
        await reader.resource_metric("cpu", "default", "", "c")

"""HorizontalPodAutoscaler: sizes what it targets by the usage of its pods.

Metrics of pods, objects and of the outside need APIs that are not served, and are reported as upstream reports them
without an adapter. That two autoscalers share pods (`AmbiguousSelector`) is not looked for.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import cast

from tiphys.base import label_selector
from tiphys.base.clock import rfc3339
from tiphys.base.document import Document, namespaced_name
from tiphys.base.label_selector import Selector
from tiphys.base.quantity import from_milli
from tiphys.base.status import StatusError
from tiphys.client.events import NORMAL, WARNING
from tiphys.controllers import go_dump
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.horizontal_pod_autoscaler import replica_calculator
from tiphys.controllers.horizontal_pod_autoscaler.behavior import Pace, Range
from tiphys.controllers.horizontal_pod_autoscaler.metrics import MetricsFailure, MetricsReader, ResourceMetrics, milli
from tiphys.controllers.horizontal_pod_autoscaler.replica_calculator import Proposal, Readiness, Tolerances
from tiphys.controllers.horizontal_pod_autoscaler.status import ABLE, ACTIVE, LIMITED, set_condition
from tiphys.controllers.label_index import index_by_label, selected
from tiphys.controllers.reconciler import Reconciler
from tiphys.controllers.served_kinds import ServedKinds

log = logging.getLogger(__name__)
AUTOSCALERS = ("autoscaling/v2", "horizontalpodautoscalers")
TOLERANCE_SINCE = 35
"""The minor version from which behavior.*.tolerance is heeded unless switched off."""


class Unscalable(Exception):
    """This turn ends here; the status says why already."""


@dataclass
class Turn:
    """One look at one autoscaler."""

    autoscaler: Document
    now: str
    conditions: list[Document]
    current: int = 0
    desired: int = 0
    metrics: list[Document] | None = None
    rescaled: bool = False
    pods: list[Document] = field(default_factory=list)
    selector: str = ""

    @property
    def spec(self) -> Document:
        found: Document = self.autoscaler["spec"]
        return found

    def tell(self, type_: str, status: bool, reason: str, message: str) -> None:
        set_condition(self.conditions, type_, status, reason, message, self.now)


class HorizontalController(Reconciler):
    """Looks at an autoscaler `horizontal-pod-autoscaler-sync-period` seconds after it was made or last looked at.

    Options, by kube-controller-manager's names and with its defaults: those read below; `metrics-reader` is a
    MetricsReader in place of the metrics API.
    """

    name = "horizontal-pod-autoscaler"

    def __init__(self, context: Context) -> None:
        self.autoscalers = context.informers.of(*AUTOSCALERS)
        self.pods = context.informers.of("v1", "pods")
        super().__init__(context, [self.autoscalers, self.pods])
        self.recorder = context.recorder("horizontal-pod-autoscaler")
        self.kinds = ServedKinds(context.client, context.clock)
        reader = context.options.get("metrics-reader")
        self.metrics = ResourceMetrics(context.client) if reader is None else cast(MetricsReader, reader)
        prefix = "horizontal-pod-autoscaler-"
        self.period = context.option(prefix + "sync-period", 15.0)
        self.stabilization = context.option(prefix + "downscale-stabilization", 300.0)
        self.tolerance = context.option(prefix + "tolerance", 0.1)
        self.cpu_initialization_period = context.option(prefix + "cpu-initialization-period", 300.0)
        self.initial_readiness_delay = context.option(prefix + "initial-readiness-delay", 30.0)
        self._paces: dict[str, Pace] = {}
        index_by_label(self.pods)
        self.autoscalers.add_handlers(self._later, lambda old, new: self._later(new), self._gone)

    def _later(self, autoscaler: Document) -> None:
        self.queue.add_after(namespaced_name(autoscaler), self.period)

    def _gone(self, autoscaler: Document) -> None:
        self._paces.pop(namespaced_name(autoscaler), None)

    async def reconcile(self, key: str) -> None:
        autoscaler = self.autoscalers.items.get(key)
        if autoscaler is None:
            return
        try:
            await self._look(key, autoscaler)
        except (StatusError, OSError) as error:
            log.info("%s: %s: %s", self.name, key, error)
        finally:
            self.queue.add_after(key, self.period)

    async def _look(self, key: str, autoscaler: Document) -> None:
        status = autoscaler.get("status") or {}
        turn = Turn(autoscaler, rfc3339(self.clock.now()), [dict(each) for each in status.get("conditions") or ()])
        turn.current, turn.desired = status.get("currentReplicas") or 0, status.get("desiredReplicas") or 0
        turn.metrics = status.get("currentMetrics")
        try:
            await self._autoscale(key, turn)
        except Unscalable as error:
            log.debug("%s: %s: %s", self.name, key, error)
        await self._write_status(turn)

    async def _autoscale(self, key: str, turn: Turn) -> None:
        """reconcileAutoscaler. Raises Unscalable, StatusError."""
        version, plural, scale = await self._scale(turn)
        turn.tell(ABLE, True, "SucceededGetScale", "the HPA controller was able to get the target's current scale")
        current = (scale.get("spec") or {}).get("replicas") or 0
        pace = self._paces.setdefault(key, Pace(self.clock, self.stabilization))
        pace.begin(current)
        desired, why, partly = await self._desired(turn, scale, current, pace)
        if desired != current:
            await self._rescale(turn, (version, plural, scale), current, desired, why)
            pace.scaled(turn.spec.get("behavior"), current, desired)
        turn.current, turn.desired, turn.rescaled = current, desired, desired != current
        if partly is not None:
            raise Unscalable(partly)

    async def _scale(self, turn: Turn) -> tuple[str, str, Document]:
        meta, target = turn.autoscaler["metadata"], turn.spec["scaleTargetRef"]
        api_version = target.get("apiVersion") or ""
        try:
            if api_version.count("/") > 1:
                raise MetricsFailure(f"unexpected GroupVersion string: {api_version}")
            group = api_version.rpartition("/")[0]
            found = await self.kinds.in_group(group, target["kind"])
            if found is None:
                raise MetricsFailure(f'no matches for kind "{target["kind"]}" in group "{group}"')
            scale = await self.client.get(*found, target["name"], meta["namespace"], subresource="scale")
        except (StatusError, MetricsFailure) as error:
            self.recorder.event(turn.autoscaler, WARNING, "FailedGetScale", str(error))
            message = f"the HPA controller was unable to get the target's current scale: {error}"
            turn.tell(ABLE, False, "FailedGetScale", message)
            raise Unscalable(message) from error
        return (*found, scale)

    async def _desired(
        self, turn: Turn, scale: Document, current: int, pace: Pace
    ) -> tuple[int, str, MetricsFailure | None]:
        """How many are wanted, why if they are others than there are, and which metrics failed besides."""
        least, most = turn.spec.get("minReplicas"), turn.spec["maxReplicas"]
        least = 1 if least is None else least
        if current == 0 and least != 0:
            turn.tell(
                ACTIVE,
                False,
                "ScalingDisabled",
                "scaling is disabled since the replica count of the target is zero",
            )
            turn.metrics = None
            return current, "", None
        if current > most:
            turn.metrics = None
            return most, "Current number of replicas above Spec.MaxReplicas", None
        if current < least:
            turn.metrics = None
            return least, "Current number of replicas below Spec.MinReplicas", None
        proposed, metric, partly = await self._proposed(turn, scale, current)
        stable, limited, cut = pace.normalize(turn.spec.get("behavior"), proposed, Range(current, least, most))
        turn.tell(ABLE, True, stable[1], stable[2])
        turn.tell(LIMITED, cut, limited[1], limited[2])
        why = (
            f"{metric} above target"
            if proposed > current
            else "All metrics below target"
            if proposed < current
            else ""
        )
        return limited[0], why, partly

    async def _proposed(self, turn: Turn, scale: Document, current: int) -> tuple[int, str, MetricsFailure | None]:
        """The most that any metric asks for, and which it is (computeReplicasForMetrics)."""
        self._select(turn, scale, current)
        specs = turn.spec.get("metrics") or []
        turn.metrics = [{"type": ""} for _ in specs]
        replicas, metric, failures = 0, "", []
        for index, spec in enumerate(specs):
            try:
                proposal, name, shown = await self._of_metric(turn, spec, current)
            except _MetricRefused as error:
                failures.append(error)
                continue
            turn.metrics[index] = shown
            if replicas == 0 or proposal.replicas > replicas:
                replicas, metric = proposal.replicas, name
        if not failures:
            turn.tell(ACTIVE, True, *_valid(metric))
            return replicas, metric, None
        told = f"invalid metrics ({len(failures)} invalid out of {len(specs)}), first error is: {failures[0]}"
        if len(failures) >= len(specs) or replicas < current:
            message = f"the HPA was unable to compute the replica count: {failures[0].cause}"
            turn.tell(ACTIVE, False, failures[0].reason, message)
            self._cannot_compute(turn, current, told)
        turn.tell(ACTIVE, True, *_valid(metric))
        return replicas, metric, MetricsFailure(told)

    def _cannot_compute(self, turn: Turn, current: int, why: str) -> None:
        turn.current = current
        self.recorder.event(turn.autoscaler, WARNING, "FailedComputeMetricsReplicas", why)
        raise Unscalable(why)

    def _select(self, turn: Turn, scale: Document, current: int) -> None:
        """The pods of the target."""
        text = (scale.get("status") or {}).get("selector") or ""
        if not text:
            self.recorder.event(turn.autoscaler, WARNING, "SelectorRequired", "selector is required")
            turn.tell(ACTIVE, False, "InvalidSelector", "the HPA target's scale is missing a selector")
            self._cannot_compute(turn, current, "selector is required")
        try:
            selector = label_selector.parse(text)
        except ValueError as error:
            why = f"couldn't convert selector into a corresponding internal selector object: {error}"
            self.recorder.event(turn.autoscaler, WARNING, "InvalidSelector", why)
            turn.tell(ACTIVE, False, "InvalidSelector", why)
            self._cannot_compute(turn, current, why)
        found = selected(self.pods, turn.autoscaler["metadata"]["namespace"], selector, _exact(selector))
        turn.pods, turn.selector = sorted(found, key=namespaced_name), text

    async def _of_metric(self, turn: Turn, spec: Document, current: int) -> tuple[Proposal, str, Document]:
        """What one metric asks for, its name, and its current value. Raises _MetricRefused."""
        kind = spec["type"]
        if kind == "Resource":
            part, place, words = spec["resource"], "resource", "resource"
        elif kind == "ContainerResource":
            part, place, words = spec["containerResource"], "containerResource", "container"
        else:
            raise self._refused(turn, kind, *_unserved(spec, turn.autoscaler["metadata"]["namespace"]))
        try:
            proposal = await self._of_resource(turn, part, current)
        except MetricsFailure as error:
            cause = f"failed to get {part['name']} utilization: {error}"
            raise self._refused(
                turn, kind, cause, f"failed to get {part['name']} {words} metric value: {cause}"
            ) from error
        value: Document = {"averageValue": str(from_milli(proposal.average))}
        name = f"{part['name']} resource"
        if proposal.utilization is not None:
            value["averageUtilization"] = proposal.utilization
            name += " utilization (percentage of request)"
        container = {"container": part["container"]} if "container" in part else {}
        return proposal, name, {"type": kind, place: {"name": part["name"], **container, "current": value}}

    def _refused(self, turn: Turn, kind: str, cause: str, told: str) -> _MetricRefused:
        reason = f"FailedGet{kind}Metric"
        self.recorder.event(turn.autoscaler, WARNING, reason, cause)
        return _MetricRefused(reason, cause, told)

    async def _of_resource(self, turn: Turn, part: Document, current: int) -> Proposal:
        resource, container, target = part["name"], part.get("container") or "", part["target"]
        namespace = turn.autoscaler["metadata"]["namespace"]
        try:
            metrics = await self.metrics.resource_metric(resource, namespace, turn.selector, container)
        except MetricsFailure as error:
            raise MetricsFailure(f"unable to get metrics for resource {resource}: {error}") from error
        if not turn.pods:
            raise MetricsFailure(replica_calculator.NO_PODS)
        readiness = Readiness(self.cpu_initialization_period, self.initial_readiness_delay, self.clock.now())
        groups = replica_calculator.group_pods(turn.pods, metrics, resource, readiness)
        tolerances = self._tolerances(turn.spec.get("behavior") or {})
        if target.get("averageValue") is not None:
            wanted = milli(target["averageValue"])
            return replica_calculator.by_average(current, wanted, metrics, groups, tolerances)
        requests = replica_calculator.pod_requests(turn.pods, container, resource)
        wanted = target["averageUtilization"]
        return replica_calculator.by_utilization(current, wanted, metrics, requests, groups, tolerances)

    def _tolerances(self, rules: Document) -> Tolerances:
        def of(direction: str) -> float:
            found = (rules.get(direction) or {}).get("tolerance")
            heeded = found is not None and self.context.minor >= TOLERANCE_SINCE
            return milli(found) / 1000 if heeded else self.tolerance

        return Tolerances(of("scaleDown"), of("scaleUp"))

    async def _rescale(
        self, turn: Turn, target: tuple[str, str, Document], current: int, desired: int, why: str
    ) -> None:
        version, plural, scale = target
        wanted = {**scale, "spec": {**(scale.get("spec") or {}), "replicas": desired}}
        namespace = turn.autoscaler["metadata"]["namespace"]
        try:
            await self.client.update(version, plural, wanted, namespace, subresource="scale")
        except StatusError as error:
            message = f"New size: {desired}; reason: {why}; error: {error}"
            self.recorder.event(turn.autoscaler, WARNING, "FailedRescale", message)
            told = f"the HPA controller was unable to update the target scale: {error}"
            turn.tell(ABLE, False, "FailedUpdateScale", told)
            turn.current = current
            raise Unscalable(told) from error
        told = f"the HPA controller was able to update the target scale to {desired}"
        turn.tell(ABLE, True, "SucceededRescale", told)
        self.recorder.event(turn.autoscaler, NORMAL, "SuccessfulRescale", f"New size: {desired}; reason: {why}")

    async def _write_status(self, turn: Turn) -> None:
        old = turn.autoscaler.get("status") or {}
        status: Document = {"conditions": turn.conditions, "currentMetrics": turn.metrics}
        status |= {"currentReplicas": turn.current, "desiredReplicas": turn.desired}
        if turn.rescaled or old.get("lastScaleTime"):
            status["lastScaleTime"] = turn.now if turn.rescaled else old["lastScaleTime"]
        if _significant(status) == _significant(old):
            return
        meta = turn.autoscaler["metadata"]
        try:
            await self.client.update_status(*AUTOSCALERS, {**turn.autoscaler, "status": status}, meta["namespace"])
        except StatusError as error:
            self.recorder.event(turn.autoscaler, WARNING, "FailedUpdateStatus", error.message)
            raise


class _MetricRefused(Exception):
    def __init__(self, reason: str, cause: str, told: str) -> None:
        super().__init__(told)
        self.reason = reason
        self.cause = cause


def _valid(metric: str) -> tuple[str, str]:
    return "ValidMetricFound", f"the HPA was able to successfully calculate a replica count from {metric}"


def _exact(selector: Selector) -> dict[str, str]:
    """The labels a selector asks for by equality."""
    pairs = ((each.key, selector.exact(each.key)) for each in selector.requirements)
    return {key: value for key, value in pairs if value is not None}


def _unserved(spec: Document, namespace: str) -> tuple[str, str]:
    """What fails, and how it is told, for metrics whose API has no adapter registered."""
    none = "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered"
    if spec["type"] == "Pods":
        cause = f"unable to get metric {spec['pods']['metric']['name']}: {none}"
        return cause, f"failed to get pods metric value: {cause}"
    if spec["type"] == "Object":
        part, about = spec["object"], spec["object"]["describedObject"]
        name = part["metric"]["name"]
        cause = f"unable to get metric {name}: {about['kind']} on {namespace} {about['name']}/{none}"
        per_pod = part["target"]["type"] == "AverageValue"
        told = f"failed to get {name} object metric: {cause}" if per_pod else cause
        return cause, f"failed to get object metric value: {told}"
    metric, target = spec["external"]["metric"], spec["external"]["target"]
    name, selector = metric["name"], go_dump.label_selector(metric.get("selector"))
    missing = f"the server could not find the requested resource (get {name}.external.metrics.k8s.io)"
    cause = f"unable to get external metric {namespace}/{name}/{selector}: "
    cause += f"unable to fetch metrics from external metrics API: {missing}"
    what = f"{name} external metric" if target.get("averageValue") is not None else f"external metric {name}"
    return cause, f"failed to get {name} external metric value: failed to get {what}: {cause}"


def _significant(status: Document) -> Document:
    return {field: value for field, value in status.items() if value}


CONTROLLER = ControllerSpec("horizontal-pod-autoscaler", HorizontalController)

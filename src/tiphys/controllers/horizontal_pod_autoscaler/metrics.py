"""Resource metrics of pods, from the metrics.k8s.io API (`podautoscaler/metrics/client.go`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from tiphys.base import quantity
from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.client import Client
from tiphys.controllers.pod_state import time_of
from tiphys.pki import go_duration

API_VERSION, PLURAL = "metrics.k8s.io/v1beta1", "pods"
_GO_WORDS = {
    404: "the server could not find the requested resource",
    503: "the server is currently unable to handle the request",
}
"""How client-go words an answer that is no Status of the resource itself."""


class MetricsFailure(Exception):
    """Metrics cannot be had or made sense of; the text says why, as upstream says it."""


@dataclass(frozen=True, slots=True)
class PodMetric:
    """A pod's usage, in thousandths of the resource's unit, averaged over `window` seconds before `timestamp`."""

    timestamp: float
    window: float
    value: int


class MetricsReader(Protocol):
    async def resource_metric(
        self, resource: str, namespace: str, selector: str, container: str
    ) -> dict[str, PodMetric]:
        """By pod name; of one container, if it is named. Raises MetricsFailure."""
        ...


class ResourceMetrics:
    """The real reader."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def resource_metric(
        self, resource: str, namespace: str, selector: str, container: str
    ) -> dict[str, PodMetric]:
        try:
            listed = await self._client.list(API_VERSION, PLURAL, namespace, label_selector=selector)
        except StatusError as error:
            words = _GO_WORDS.get(error.code)
            told = f"{words} (get pods.metrics.k8s.io)" if words else error.message
            raise MetricsFailure(f"unable to fetch metrics from resource metrics API: {told}") from error
        items = listed.get("items") or []
        if not items:
            raise MetricsFailure("no metrics returned from resource metrics API")
        found = {each["metadata"]["name"]: _metric(each, resource, container) for each in items}
        return {name: metric for name, metric in found.items() if metric is not None}


def _metric(metrics: Document, resource: str, container: str) -> PodMetric | None:
    """None if a container has none of the resource (getPodMetrics, getContainerMetrics)."""
    containers = metrics.get("containers") or []
    if container:
        containers = [each for each in containers if each["name"] == container][:1]
        if not containers:
            meta = metrics["metadata"]
            where = f"{meta['namespace']}/{meta['name']}"
            why = f"container {container} not present in metrics for pod {where}"
            raise MetricsFailure(f"failed to get container metrics: {why}")
    usages = [(each.get("usage") or {}).get(resource) for each in containers]
    if not usages or None in usages:
        return None
    value = sum(milli(usage) for usage in usages if usage is not None)
    return PodMetric(time_of(metrics.get("timestamp")), _seconds(metrics.get("window") or "0s"), value)


def milli(amount: Any) -> int:
    """Thousandths, rounded up (Quantity.MilliValue)."""
    return quantity.parse(amount).milli_value


def _seconds(duration: str) -> float:
    """Of a Go duration. Raises MetricsFailure."""
    try:
        return go_duration.parse_duration(duration).total_seconds()
    except ValueError as error:
        raise MetricsFailure(f"unable to fetch metrics from resource metrics API: {error}") from error

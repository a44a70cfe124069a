"""Effective requests and limits of pods (cases after component-helpers `resource/helpers_test.go`, KEP-753)."""

from __future__ import annotations

from typing import Any

import pytest

from tiphys.base.quantity import parse
from tiphys.resource.pod_requests import pod_limits, pod_requests
from tiphys.resource.resource_list import write

Amounts = dict[str, str]


def container(requests: Amounts | None = None, limits: Amounts | None = None, **more: Any) -> dict[str, Any]:
    resources = {key: value for key, value in (("requests", requests), ("limits", limits)) if value is not None}
    return {"name": "c", "resources": resources, **more}


def pod(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"spec": {"containers": list(containers), **spec}}


ALWAYS = {"restartPolicy": "Always"}


@pytest.mark.parametrize(
    ("document", "requests"),
    [
        ({}, {}),
        (pod(), {}),
        (pod({"name": "c"}), {}),
        (pod(container({"cpu": "500m", "memory": "1Gi"}), container({"cpu": "1"})),
         {"cpu": "1500m", "memory": "1Gi"}),
        # An init container counts where it asks for more than all the others together.
        (pod(container({"cpu": "1"}), initContainers=[container({"cpu": "3"})]), {"cpu": "3"}),
        (pod(container({"cpu": "4"}), initContainers=[container({"cpu": "3", "memory": "1Mi"})]),
         {"cpu": "4", "memory": "1Mi"}),
        # A sidecar adds to the containers, and to the init containers after it, not to those before.
        (pod(container({"cpu": "1"}), initContainers=[container({"cpu": "3"}, **ALWAYS)]), {"cpu": "4"}),
        (pod(container({"cpu": "1"}), initContainers=[container({"cpu": "3"}, **ALWAYS), container({"cpu": "5"})]),
         {"cpu": "8"}),
        (pod(container({"cpu": "1"}), initContainers=[container({"cpu": "5"}), container({"cpu": "3"}, **ALWAYS)]),
         {"cpu": "5"}),
        (pod(container({"cpu": "1"}), overhead={"cpu": "250m", "memory": "64Mi"}),
         {"cpu": "1250m", "memory": "64Mi"}),
        # What is set for the pod replaces the sum, where a pod may set it.
        (pod(container({"cpu": "1", "x.io/y": "1"}), resources={"requests": {"cpu": "3", "x.io/y": "9"}}),
         {"cpu": "3", "x.io/y": "1"}),
    ],
)  # fmt: skip
def test_requests(document: dict[str, Any], requests: Amounts) -> None:
    assert write(pod_requests(document)) == requests


def test_limits() -> None:
    """Overhead is added to limits that are there and not zero (PodLimits)."""
    document = pod(container(limits={"cpu": "1", "gpu": "0"}), overhead={"cpu": "1", "gpu": "1", "memory": "1Gi"})
    assert write(pod_limits(document)) == {"cpu": "2", "gpu": "0"}
    assert write(pod_limits(document, overhead=False)) == {"cpu": "1", "gpu": "0"}


def test_nothing_is_changed() -> None:
    document = pod(container({"cpu": "1"}), initContainers=[container({"cpu": "3"}, **ALWAYS)])
    before = str(document)
    assert pod_requests(document) == pod_requests(document)
    assert str(document) == before


def test_missing() -> None:
    """NonMissingContainerRequests: also for init containers, never in the place of a zero that is said."""
    document = pod(container({"cpu": "0"}), container(), initContainers=[container()])
    assert write(pod_requests(document, missing={"cpu": parse("100m")})) == {"cpu": "100m"}


def resized(reason: str, status: dict[str, Any]) -> dict[str, Any]:
    return {
        **pod(container({"cpu": "2"})),
        "status": {
            "conditions": [{"type": "PodResizePending", "reason": reason}] if reason else [],
            "containerStatuses": [{"name": "c", **status}],
        },
    }


@pytest.mark.parametrize(
    ("document", "cpu"),
    [
        (resized("", {}), "2"),
        (resized("", {"allocatedResources": {"cpu": "3"}}), "3"),
        (resized("", {"allocatedResources": {"cpu": "1"}}), "2"),
        (resized("", {"allocatedResources": {"cpu": "1"}, "resources": {"requests": {"cpu": "4"}}}), "4"),
        (resized("Deferred", {"allocatedResources": {"cpu": "1"}}), "2"),
        (resized("Infeasible", {"allocatedResources": {"cpu": "1"}}), "1"),
    ],
)
def test_status(document: dict[str, Any], cpu: str) -> None:
    """UseStatusResources: the most of what is asked and what is held, without the former if it cannot be had."""
    assert write(pod_requests(document, status=True)) == {"cpu": cpu}
    assert write(pod_requests(document)) == {"cpu": "2"}

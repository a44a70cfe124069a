"""Quality of service (cases after kubernetes `pkg/apis/core/v1/helper/qos/qos_test.go`)."""

from __future__ import annotations

from typing import Any

import pytest

from tiphys.resource.qos import compute_qos, pod_qos


def container(requests: dict[str, str], limits: dict[str, str]) -> dict[str, Any]:
    return {"name": "c", "resources": {"requests": requests, "limits": limits}}


FULL = {"cpu": "100m", "memory": "100Mi"}


@pytest.mark.parametrize(
    ("containers", "init", "qos"),
    [
        ([container(FULL, FULL)], [], "Guaranteed"),
        ([container(FULL, FULL), container(FULL, FULL)], [], "Guaranteed"),
        ([container(FULL, FULL)], [container(FULL, FULL)], "Guaranteed"),
        ([container(FULL, FULL)], [container({}, {})], "Burstable"),
        ([container({**FULL, "gpu": "1"}, {**FULL, "gpu": "1"})], [], "Guaranteed"),
        ([container({}, {})], [], "BestEffort"),
        ([{"name": "c"}], [], "BestEffort"),
        ([container({"cpu": "0"}, {"cpu": "0"})], [], "BestEffort"),
        ([container({"gpu": "1"}, {})], [], "BestEffort"),
        ([container({}, {}), container(FULL, FULL)], [], "Burstable"),
        ([container({"cpu": "100m"}, {})], [], "Burstable"),
        ([container({"cpu": "100m"}, {"cpu": "100m"})], [], "Burstable"),
        ([container({"cpu": "50m", "memory": "100Mi"}, FULL)], [], "Burstable"),
    ],
)
def test_compute(containers: list[Any], init: list[Any], qos: str) -> None:
    assert compute_qos({"spec": {"containers": containers, "initContainers": init}}) == qos


def test_pod_level() -> None:
    document = {"spec": {"containers": [{"name": "c"}], "resources": {"requests": FULL, "limits": FULL}}}
    assert compute_qos(document) == "Guaranteed"


def test_status_wins() -> None:
    assert pod_qos({"spec": {"containers": []}, "status": {"qosClass": "Burstable"}}) == "Burstable"

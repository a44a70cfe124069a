"""Upstream: pkg/apis/autoscaling (validation, v1/conversion.go), formatHPAMetrics."""

import copy
from typing import Any

import orjson
import pytest
from tests.unit.kinds.hooks import cells, create_errors

from tiphys.base.document import Document
from tiphys.kinds.autoscaling.horizontal_pod_autoscaler import KIND

TO_V1, FROM_V1 = KIND.convert["v1"]
TARGET = {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"}
CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}
PODS = {
    "type": "Pods",
    "pods": {"metric": {"name": "qps"}, "target": {"type": "AverageValue", "averageValue": "100"}},
}


def autoscaler(**spec: Any) -> Document:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "a"},
        "spec": {"scaleTargetRef": TARGET, "maxReplicas": 3, **spec},
    }


@pytest.mark.parametrize(
    "spec, expected",
    [
        ({}, []),
        (
            {"minReplicas": 0},
            [
                "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1",
                "spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to "
                "zero replicas",
            ],
        ),
        (
            {"maxReplicas": 0},
            [
                "spec.maxReplicas: Invalid value: 0: must be greater than 0",
                "spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`",
            ],
        ),
        (
            {"scaleTargetRef": {"kind": "a/b"}},
            [
                "spec.scaleTargetRef.kind: Invalid value: \"a/b\": may not contain '/'",
                "spec.scaleTargetRef.name: Required value",
            ],
        ),
        (
            {"metrics": [{"type": "Resource"}]},
            ["spec.metrics[0].resource: Required value: must populate information for the given metric source"],
        ),
        (
            {"metrics": [{**CPU, **PODS, "type": "Resource"}]},
            ["spec.metrics[0].pods: Forbidden: must populate the given metric source only"],
        ),
        (
            {"metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization"}}}]},
            [
                "spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target raw "
                "value or a target utilization"
            ],
        ),
        (
            {"behavior": {"scaleUp": {"policies": [{"type": "Pods", "value": 0, "periodSeconds": 1801}]}}},
            [
                "spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero",
                "spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to "
                "1800",
            ],
        ),
    ],
)
def test_errors(spec: Document, expected: list[str]) -> None:
    assert create_errors(KIND, autoscaler(**spec)) == expected


def test_to_v1() -> None:
    document = autoscaler(metrics=[CPU, PODS], behavior={"scaleUp": {"selectPolicy": "Min"}})
    document["status"] = {"currentReplicas": 1, "conditions": [{"type": "AbleToScale", "status": "True"}]}
    before = copy.deepcopy(document)
    made = TO_V1(document)
    assert document == before
    annotations = {key: orjson.loads(value) for key, value in made["metadata"].pop("annotations").items()}
    assert annotations == {
        "autoscaling.alpha.kubernetes.io/metrics": [
            {"type": "Pods", "pods": {"metricName": "qps", "targetAverageValue": "100"}}
        ],
        "autoscaling.alpha.kubernetes.io/behavior": {"ScaleUp": {"SelectPolicy": "Min"}},
        "autoscaling.alpha.kubernetes.io/conditions": [{"type": "AbleToScale", "status": "True"}],
    }
    assert made["apiVersion"] == "autoscaling/v1"
    assert made["spec"] == {"scaleTargetRef": TARGET, "maxReplicas": 3, "targetCPUUtilizationPercentage": 70}
    assert made["status"] == {"currentReplicas": 1, "desiredReplicas": 0}


def test_a_round_trip_loses_nothing() -> None:
    described = {"kind": "Service", "name": "s"}
    metrics = [
        PODS,
        {
            "type": "Object",
            "object": {
                "describedObject": described,
                "metric": {"name": "hits"},
                "target": {"type": "Value", "value": "5"},
            },
        },
        {
            "type": "External",
            "external": {
                "metric": {"name": "queue", "selector": {"matchLabels": {"a": "b"}}},
                "target": {"type": "AverageValue", "averageValue": "30"},
            },
        },
        {
            "type": "ContainerResource",
            "containerResource": {
                "name": "memory",
                "container": "c",
                "target": {"type": "AverageValue", "averageValue": "1Gi"},
            },
        },
        CPU,
    ]
    document = autoscaler(metrics=metrics, behavior={"scaleDown": {"stabilizationWindowSeconds": 60}})
    current = [{"type": "Pods", "pods": {"metric": {"name": "qps"}, "current": {"averageValue": "90"}}}]
    document["status"] = {"desiredReplicas": 2, "currentReplicas": 2, "currentMetrics": current}
    assert FROM_V1(TO_V1(document)) == document


def test_from_v1() -> None:
    """Without a metric cpu at 80 % is meant; annotations that are no JSON are ignored."""
    plain = {
        "metadata": {"annotations": {"autoscaling.alpha.kubernetes.io/metrics": "{"}},
        "spec": {"maxReplicas": 1},
    }
    made = FROM_V1(plain)
    target = {"type": "Utilization", "averageUtilization": 80}
    assert made["spec"]["metrics"] == [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    assert made["metadata"] == {}


def test_targets() -> None:
    document = autoscaler(metrics=[CPU, PODS, PODS])
    document["status"] = {"currentMetrics": [{"resource": {"current": {"averageUtilization": 12}}}]}
    shown = cells(KIND, document, wide=False)
    assert shown["Reference"] == "Deployment/web"
    assert shown["Targets"] == "cpu: 12%/70%, <unknown>/100 + 1 more..."
    assert [column.cell(document, 0) for column in KIND.columns_at(29)][1] == "12%/70%, <unknown>/100 + 1 more..."

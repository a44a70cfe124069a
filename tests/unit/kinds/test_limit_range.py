"""Upstream: SetDefaults_LimitRangeItem (pkg/apis/core/v1/defaults.go), ValidateLimitRange."""

import pytest
from tests.unit.kinds.hooks import create_errors, defaulted, update_errors

from tiphys.base.document import Document
from tiphys.kinds.core.limit_range import KIND


def limits(**item: object) -> Document:
    return {"metadata": {"name": "l", "namespace": "erp"}, "spec": {"limits": [{"type": "Container", **item}]}}


@pytest.mark.parametrize(
    "item, limit, asked",
    [
        ({"max": {"cpu": "2"}}, {"cpu": "2"}, {"cpu": "2"}),
        ({"max": {"cpu": "2"}, "default": {"cpu": "500m"}}, {"cpu": "500m"}, {"cpu": "500m"}),
        ({"max": {"cpu": "2"}, "min": {"cpu": "100m"}}, {"cpu": "2"}, {"cpu": "2"}),
        ({"min": {"cpu": "100m"}}, None, {"cpu": "100m"}),
        ({"default": {"cpu": "0.5"}, "defaultRequest": {"cpu": "0.25"}}, {"cpu": "500m"}, {"cpu": "250m"}),
        ({"max": {"memory": "1024Mi"}}, {"memory": "1Gi"}, {"memory": "1Gi"}),
    ],
)
def test_container_defaults(item: Document, limit: Document | None, asked: Document) -> None:
    made = defaulted(KIND, limits(**item))["spec"]["limits"][0]
    assert (made.get("default"), made.get("defaultRequest")) == (limit, asked)


def test_pods_and_claims_get_no_defaults() -> None:
    made = defaulted(KIND, limits(type="Pod", max={"cpu": "4"}))["spec"]["limits"][0]
    assert "default" not in made and "defaultRequest" not in made


@pytest.mark.parametrize(
    "item, errors",
    [
        ({"max": {"cpu": "2"}, "min": {"cpu": "500m"}}, []),
        (
            {"max": {"cpu": "1"}, "min": {"cpu": "2"}},
            [
                'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
                'spec.limits[0].defaultRequest[cpu]: Invalid value: "1": min value 2 is greater than default request '
                "value 1",
                'spec.limits[0].default[cpu]: Invalid value: "2": min value 2 is greater than default value 1',
            ],
        ),
        (
            {"defaultRequest": {"cpu": "2"}, "default": {"cpu": "1"}},
            [
                'spec.limits[0].defaultRequest[cpu]: Invalid value: "2": default request value 2 is greater than '
                "default limit value 1"
            ],
        ),
        (
            {"default": {"cpu": "3"}, "defaultRequest": {"cpu": "1"}, "max": {"cpu": "2"}},
            ['spec.limits[0].default[cpu]: Invalid value: "2": default value 3 is greater than max value 2'],
        ),
        (
            {"maxLimitRequestRatio": {"cpu": "0.5"}},
            ['spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1'],
        ),
        (
            {"max": {"memory": "2Gi"}, "min": {"memory": "1Gi"}, "maxLimitRequestRatio": {"memory": "3"}},
            [
                'spec.limits[0].maxLimitRequestRatio[memory]: Invalid value: "3": ratio 3 is greater than max/min = '
                "2.000000"
            ],
        ),
        (
            {"type": "Pod", "default": {"cpu": "1"}},
            ["spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"],
        ),
        (
            {"type": "PersistentVolumeClaim", "max": {"cpu": "1"}},
            [
                "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but "
                "neither was provided"
            ],
        ),
        (
            {"type": "Box"},
            ['spec.limits[0].type: Invalid value: "Box": must be a standard limit type or fully qualified'],
        ),
        (
            {"max": {"pods": "1"}, "default": {}, "defaultRequest": {}},
            [
                f'spec.limits[0].{field}[pods]: Invalid value: "pods": must be a standard resource for containers'
                for field in ("max", "default", "defaultRequest")
            ],
        ),
        (
            {"default": {"nvidia.com/gpu": "2"}, "defaultRequest": {"nvidia.com/gpu": "1"}},
            [
                'spec.limits[0].defaultRequest[nvidia.com/gpu]: Invalid value: "1": default value 2 must equal to '
                "defaultRequest value 1 in nvidia.com/gpu"
            ],
        ),
    ],
)
def test_validation(item: Document, errors: list[str]) -> None:
    assert create_errors(KIND, limits(**item)) == errors
    assert update_errors(KIND, limits(), limits(**item)) == errors


def test_a_type_is_limited_once() -> None:
    document = limits()
    document["spec"]["limits"] *= 2
    assert create_errors(KIND, document) == ['spec.limits[1].type: Duplicate value: "Container"']

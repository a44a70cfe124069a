"""Upstream: ValidateResourceQuota (pkg/apis/core/validation), printResourceQuota (pkg/printers/internalversion)."""

import pytest
from tests.unit.kinds.hooks import cells, context, create_errors, defaulted, texts, update_errors

from tiphys.base.document import Document
from tiphys.kinds.core.resource_quota import KIND


def quota(hard: Document | None = None, **spec: object) -> Document:
    return {"metadata": {"name": "quota-erp", "namespace": "erp"}, "spec": {"hard": hard or {}, **spec}}


def expression(scope: str, operator: str, *values: str) -> Document:
    found = {"scopeName": scope, "operator": operator, **({"values": list(values)} if values else {})}
    return {"matchExpressions": [found]}


SELECTOR = "spec.scopeSelector.matchExpressions"


@pytest.mark.parametrize(
    "document, errors",
    [
        (quota({"requests.cpu": "20", "requests.nvidia.com/gpu": "4", "count/deployments.apps": "3"}), []),
        (quota({"gold.storageclass.storage.k8s.io/requests.storage": "1Ti", "services.nodeports": "2"}), []),
        (
            quota({"gpus": "1"}),
            [
                'spec.hard[gpus]: Invalid value: "gpus": must be a standard resource type or fully qualified',
                'spec.hard[gpus]: Invalid value: "gpus": must be a standard resource for quota',
            ],
        ),
        (quota({"pods": "-1"}), ['spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0']),
        (quota({"pods": "1500m"}), ['spec.hard[pods]: Invalid value: "1500m": must be an integer']),
        (quota({"example.com/x": "0.5"}), ['spec.hard[example.com/x]: Invalid value: "500m": must be an integer']),
        (quota({"cpu": "0.5"}), []),
        (quota(scopes=["Often"]), ['spec.scopes: Invalid value: ["Often"]: unsupported scope']),
        (
            quota({"services": "1"}, scopes=["BestEffort"]),
            ['spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource'],
        ),
        (
            quota(scopes=["BestEffort", "NotBestEffort"]),
            ['spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes'],
        ),
        (quota({"pods": "1"}, scopeSelector=expression("PriorityClass", "In", "high")), []),
        (
            quota(scopeSelector=expression("PriorityClass", "In")),
            [
                f"{SELECTOR}.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' "
                "for scope selector"
            ],
        ),
        (
            quota(scopeSelector=expression("PriorityClass", "Exists", "x")),
            [
                f"{SELECTOR}.values: Invalid value: [\"x\"]: must be no value when `operator` is 'Exist' or "
                "'DoesNotExist' for scope selector"
            ],
        ),
        (
            quota(scopeSelector=expression("PriorityClass", "Above", "x")),
            [f'{SELECTOR}.operator: Invalid value: "Above": not a valid selector operator'],
        ),
        (
            quota({"services": "1"}, scopeSelector=expression("BestEffort", "Exists")),
            [
                f'{SELECTOR}: Invalid value: {{"MatchExpressions":[{{"ScopeName":"BestEffort","Operator":"Exists",'
                '"Values":null}]}: unsupported scope applied to resource'
            ],
        ),
    ],
)
def test_validation(document: Document, errors: list[str]) -> None:
    assert create_errors(KIND, document) == errors
    same_scopes = quota(scopes=document["spec"].get("scopes") or [])
    assert update_errors(KIND, same_scopes, document) == errors


def test_best_effort_is_selected_by_existence_only() -> None:
    (error,) = create_errors(KIND, quota(scopeSelector=expression("Terminating", "DoesNotExist")))
    assert error.startswith(
        f"{SELECTOR}.operator: Invalid value: \"DoesNotExist\": must be 'Exist' only operator when"
    )


def test_scopes_cannot_change() -> None:
    errors = update_errors(KIND, quota(scopes=["BestEffort"]), quota(scopes=["Terminating"]))
    assert errors == ['spec.scopes: Invalid value: ["Terminating"]: field is immutable']


def test_status_is_validated_as_the_spec() -> None:
    assert KIND.validate_status
    document = {"metadata": {}, "status": {"used": {"pods": "-1"}}}
    errors = texts(KIND.validate_status(document, document, context()))
    assert errors == ['status.used[pods]: Invalid value: "-1": must be greater than or equal to 0']


def test_the_scope_of_attribute_classes_came_with_them() -> None:
    document = quota({"requests.storage": "1Gi"}, scopes=["VolumeAttributesClass"])
    assert create_errors(KIND, document, minor=34) == []
    assert create_errors(KIND, document, minor=33) == [
        'spec.scopes: Invalid value: ["VolumeAttributesClass"]: unsupported scope'
    ]


def test_quantities_are_canonical() -> None:
    made = defaulted(KIND, quota({"memory": "102400Mi", "cpu": "0.0001"}))
    assert made["spec"]["hard"] == {"memory": "100Gi", "cpu": "1m"}


def test_columns() -> None:
    status = {
        "hard": {"requests.cpu": "20", "limits.memory": "100Gi", "pods": "2", "limits.cpu": "20"},
        "used": {"requests.cpu": "3900m", "limits.cpu": "0"},
    }
    shown = cells(KIND, {**quota(), "status": status})
    assert shown["Request"] == "pods: 0/2, requests.cpu: 3900m/20"
    assert shown["Limit"] == "limits.cpu: 0/20, limits.memory: 0/100Gi"

"""Node selectors: expectations cite component-helpers `scheduling/corev1/nodeaffinity/nodeaffinity_test.go`."""

from __future__ import annotations

from typing import Any

import pytest

from tiphys.resource.node_selector import REQUIRED, allows, matches, named_nodes

LABELS = {"zone": "a", "cores": "8"}


def _expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator, "values": list(values)}


@pytest.mark.parametrize(
    ("expression", "selected"),
    [
        (_expression("zone", "In", "a", "b"), True),
        (_expression("zone", "NotIn", "a"), False),
        (_expression("rack", "NotIn", "a"), True),
        (_expression("zone", "Exists"), True),
        (_expression("rack", "Exists"), False),
        (_expression("rack", "DoesNotExist"), True),
        (_expression("cores", "Gt", "7"), True),
        (_expression("cores", "Gt", "8"), False),
        (_expression("cores", "Lt", "9"), True),
        (_expression("zone", "Gt", "1"), False),
    ],
)
def test_an_expression(expression: dict[str, Any], selected: bool) -> None:
    assert matches({"matchExpressions": [expression]}, LABELS, "n1") is selected


def test_fields_and_expressions_are_anded_and_an_empty_term_selects_nothing() -> None:
    field = {"matchFields": [_expression("metadata.name", "In", "n1")]}
    assert matches(field, LABELS, "n1") and not matches(field, LABELS, "n2")
    assert not matches({**field, "matchExpressions": [_expression("zone", "In", "b")]}, LABELS, "n1")
    assert not matches({}, LABELS, "n1")


def test_a_pod_s_node_selector_and_any_of_its_terms() -> None:
    terms = [{"matchExpressions": [_expression("zone", "In", zone)]} for zone in ("b", "a")]
    spec = {"affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": terms}}}}
    assert allows({}, LABELS, "n1")
    assert allows(spec, LABELS, "n1")
    assert not allows({**spec, "nodeSelector": {"disk": "ssd"}}, LABELS, "n1")
    assert not allows({"affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": []}}}}, LABELS, "n1")


def test_nodes_named_by_every_term() -> None:
    """NodeAffinity.PreFilter (plugins/nodeaffinity/node_affinity_test.go)."""
    one = {"matchFields": [_expression("metadata.name", "In", "a", "b"), _expression("metadata.name", "In", "b")]}
    other = {
        "matchFields": [_expression("metadata.name", "In", "c")],
        "matchExpressions": [_expression("x", "Exists")],
    }
    unnamed = {"matchFields": [_expression("metadata.name", "NotIn", "a")]}
    assert named_nodes({"nodeSelectorTerms": [one, other]}) == {"b", "c"}
    assert named_nodes({"nodeSelectorTerms": [one, unnamed]}) is None
    assert named_nodes({"nodeSelectorTerms": [{"matchExpressions": [_expression("x", "Exists")]}]}) is None

"""Upstream: ValidateNode, ValidateNodeUpdate, SetDefaults_NodeStatus, printNode."""

import pytest
from tests.unit.kinds.hooks import cells, create_errors, defaulted, update_errors

from tiphys.base.document import Document
from tiphys.kinds.core.node import KIND


def node(status: Document | None = None, **spec: object) -> Document:
    return {"metadata": {"name": "n"}, "spec": spec, "status": status or {}}


def taint(key: str = "a", effect: str = "NoSchedule", value: str = "") -> Document:
    return {"key": key, "effect": effect, "value": value}


def test_allocatable_follows_from_capacity() -> None:
    made = defaulted(KIND, node({"capacity": {"cpu": "4", "memory": "1024Ki"}}))["status"]
    assert made["allocatable"] == made["capacity"] == {"cpu": "4", "memory": "1Mi"}


NOTHING_ELSE = (
    "[]: Forbidden: node updates may only change labels, taints, or capacity (or configSource, if the "
    "DynamicKubeletConfig feature gate is enabled)"
)


@pytest.mark.parametrize(
    "document, errors",
    [
        (node(taints=[taint()], podCIDRs=["10.0.0.0/24", "2001:db8::/64"]), []),
        (
            node(taints=[taint(effect="Never")]),
            [
                'metadata.taints[0].effect: Unsupported value: "Never": supported values: "NoSchedule", '
                '"PreferNoSchedule", "NoExecute"'
            ],
        ),
        (node(taints=[taint(effect="")]), ["metadata.taints[0].effect: Required value"]),
        (
            node(taints=[taint(), taint()]),
            [
                'metadata.taints[1]: Duplicate value: {"Key":"a","Value":"","Effect":"NoSchedule","TimeAdded":null}: '
                "taints must be unique by key and effect pair"
            ],
        ),
        (node(podCIDRs=["x"]), ['spec.podCIDRs[0]: Invalid value: ["x"]: must be valid CIDR']),
        (
            node(podCIDRs=["10.0.0.0/24", "10.0.1.0/24"]),
            [
                'spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.0.1.0/24"]: may specify no more than one CIDR for '
                "each IP family"
            ],
        ),
        (
            node({"capacity": {"pods": "-1"}}),
            [
                f'status.{field}.pods: Invalid value: "-1": must be greater than or equal to 0'
                for field in ("capacity", "allocatable")
            ],
        ),
    ],
)
def test_validation(document: Document, errors: list[str]) -> None:
    assert create_errors(KIND, document) == errors


@pytest.mark.parametrize(
    "old, new, errors",
    [
        (node(), node(unschedulable=True, taints=[taint()], podCIDR="10.0.0.0/24", podCIDRs=["10.0.0.0/24"]), []),
        (node(), node(providerID="x://1"), []),
        (
            node(providerID="x://1"),
            node(providerID="x://2"),
            [
                'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
                NOTHING_ELSE,
            ],
        ),
        (node(externalID="1"), node(externalID="2"), [NOTHING_ELSE]),
    ],
)
def test_update(old: Document, new: Document, errors: list[str]) -> None:
    assert update_errors(KIND, old, new) == errors


def test_columns() -> None:
    document = node(
        {
            "conditions": [{"type": "Ready", "status": "True"}],
            "addresses": [{"type": "InternalIP", "address": "10.1.0.1"}],
            "nodeInfo": {"kubeletVersion": "v1.37.0", "osImage": "Debian"},
        },
        unschedulable=True,
    )
    document["metadata"]["labels"] = {"node-role.kubernetes.io/worker": "", "kubernetes.io/role": "edge"}
    assert cells(KIND, document) == {
        "Status": "Ready,SchedulingDisabled",
        "Roles": "edge,worker",
        "Age": "<unknown>",
        "Version": "v1.37.0",
        "Internal-IP": "10.1.0.1",
        "External-IP": "<none>",
        "OS-Image": "Debian",
        "Kernel-Version": "<unknown>",
        "Container-Runtime": "<unknown>",
    }


@pytest.mark.parametrize(
    "conditions, status", [([], "Unknown"), ([{"type": "Ready", "status": "Unknown"}], "NotReady")]
)
def test_status_of_other_nodes(conditions: list[Document], status: str) -> None:
    assert cells(KIND, node({"conditions": conditions}))["Status"] == status


def test_fields() -> None:
    assert KIND.fields
    assert KIND.fields(node()) == {"spec.unschedulable": "false"}
    assert KIND.fields(node(unschedulable=True)) == {"spec.unschedulable": "true"}

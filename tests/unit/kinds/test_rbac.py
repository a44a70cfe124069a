"""Upstream: pkg/apis/rbac/validation, pkg/apis/rbac/v1/defaults.go, printRoleBinding."""

import pytest
from tests.unit.kinds.hooks import cells, create_errors, defaulted, update_errors

from tiphys.api.kind import Kind
from tiphys.base.document import Document
from tiphys.kinds.rbac.cluster_role import KIND as CLUSTER_ROLE
from tiphys.kinds.rbac.cluster_role_binding import KIND as CLUSTER_ROLE_BINDING
from tiphys.kinds.rbac.role import KIND as ROLE
from tiphys.kinds.rbac.role_binding import KIND as ROLE_BINDING

GROUP = "rbac.authorization.k8s.io"
RULE = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}


def role(*rules: Document, **fields: object) -> Document:
    return {"metadata": {"name": "r"}, "rules": list(rules), **fields}


def binding(kind: str = "Role", name: str = "r", *subjects: Document) -> Document:
    return {"metadata": {"name": "b"}, "roleRef": {"kind": kind, "name": name}, "subjects": list(subjects)}


@pytest.mark.parametrize(
    "kind, document, errors",
    [
        (ROLE, role(RULE), []),
        (ROLE, role(), []),
        (
            ROLE,
            role({}),
            [
                "rules[0].verbs: Required value: verbs must contain at least one value",
                "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
                "rules[0].resources: Required value: resource rules must supply at least one resource",
            ],
        ),
        (
            ROLE,
            role({"verbs": ["get"], "nonResourceURLs": ["/x"]}),
            [
                'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
            ],
        ),
        (CLUSTER_ROLE, role({"verbs": ["get"], "nonResourceURLs": ["/x"]}), []),
        (
            CLUSTER_ROLE,
            role({**RULE, "nonResourceURLs": ["/x"]}),
            [
                'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and '
                "non-resource URLs"
            ],
        ),
        (
            CLUSTER_ROLE,
            role(aggregationRule={}),
            [
                "aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if "
                "aggregationRule is non-nil"
            ],
        ),
        (ROLE_BINDING, binding(), []),
        (
            ROLE_BINDING,
            binding("Rule", ""),
            [
                'roleRef.kind: Unsupported value: "Rule": supported values: "Role", "ClusterRole"',
                "roleRef.name: Required value",
            ],
        ),
        (
            CLUSTER_ROLE_BINDING,
            binding("Role"),
            ['roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"'],
        ),
        (
            ROLE_BINDING,
            binding("Role", "r", {"kind": "Robot", "name": "x"}),
            [
                'subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"',
            ],
        ),
        (
            CLUSTER_ROLE_BINDING,
            binding("ClusterRole", "r", {"kind": "ServiceAccount", "name": "x"}),
            ["subjects[0].namespace: Required value"],
        ),
        (ROLE_BINDING, binding("Role", "r", {"kind": "ServiceAccount", "name": "x"}), []),
        (
            ROLE_BINDING,
            binding("Role", "r", {"kind": "User", "name": "", "apiGroup": "x"}),
            [
                "subjects[0].name: Required value",
                f'subjects[0].apiGroup: Unsupported value: "x": supported values: "{GROUP}"',
            ],
        ),
    ],
)
def test_validation(kind: Kind, document: Document, errors: list[str]) -> None:
    assert create_errors(kind, document) == errors


def test_defaults() -> None:
    made = defaulted(ROLE_BINDING, binding("Role", "r", {"kind": "User", "name": "u"}, {"kind": "ServiceAccount"}))
    assert made["roleRef"]["apiGroup"] == made["subjects"][0]["apiGroup"] == GROUP
    assert "apiGroup" not in made["subjects"][1]


def test_the_role_stays() -> None:
    shown = f'{{"APIGroup":"{GROUP}","Kind":"Role","Name":"s"}}'
    errors = update_errors(ROLE_BINDING, binding(), binding("Role", "s"))
    assert errors == [f"roleRef: Invalid value: {shown}: cannot change roleRef"]


def test_names_may_have_colons() -> None:
    assert ROLE.name_errors
    assert ROLE.name_errors("system:nodes", False) == []
    assert ROLE.name_errors("a/b", False) == ["may not contain '/'"]


def test_columns() -> None:
    subjects = [{"kind": "User", "name": "u"}, {"kind": "User", "name": "v"}]
    account = {"kind": "ServiceAccount", "name": "s", "namespace": "n"}
    shown = cells(ROLE_BINDING, binding("ClusterRole", "view", *subjects, account))
    assert (shown["Role"], shown["Users"], shown["ServiceAccounts"]) == ("ClusterRole/view", "u, v", "n/s")

"""Deployment, ReplicaSet, DaemonSet, StatefulSet, ReplicationController, ControllerRevision, PodTemplate, budgets.

Upstream: pkg/apis/apps/validation, pkg/registry/apps/*, pkg/apis/policy/validation, the printers of each.
"""

import copy
from typing import Any

import pytest
from tests.unit.kinds.hooks import cells, context, create_errors, defaulted, texts, update_errors

from tiphys.api.kind import SCALE, Kind
from tiphys.base.document import Document
from tiphys.kinds.apps import controller_revision, daemon_set, deployment, replica_set, stateful_set
from tiphys.kinds.core import pod_template, replication_controller
from tiphys.kinds.policy import pod_disruption_budget

NO_MATCH = "`selector` does not match template `labels`"


def workload(template: Document | None = None, labels: Document | None = None, **spec: Any) -> Document:
    pod = {"containers": [{"name": "c", "image": "a"}], **(template or {})}
    return {
        "metadata": {"name": "web", "uid": "u"},
        "spec": {
            "selector": {"matchLabels": {"app": "x"}},
            "template": {"metadata": {"labels": {"app": "x"} if labels is None else labels}, "spec": pod},
            **spec,
        },
    }


APPS = [deployment.KIND, replica_set.KIND, daemon_set.KIND, stateful_set.KIND]


@pytest.mark.parametrize("minor", [25, 33, 34, 37])
@pytest.mark.parametrize("kind", APPS, ids=lambda kind: kind.kind)
def test_a_plain_workload_is_valid(kind: Kind, minor: int) -> None:
    assert create_errors(kind, workload(), minor) == []


@pytest.mark.parametrize("minor, shown", [(33, 'map[string]string{"app":"y", "b":"c"}'), (34, '{"app":"y","b":"c"}')])
@pytest.mark.parametrize("kind", APPS, ids=lambda kind: kind.kind)
def test_the_selector_must_select_the_template(kind: Kind, minor: int, shown: str) -> None:
    """Values in messages are Go syntax until 1.33, JSON since (field.Error.ErrorBody)."""
    assert create_errors(kind, workload(labels={"app": "y", "b": "c"}), minor) == [
        f"spec.template.metadata.labels: Invalid value: {shown}: {NO_MATCH}"
    ]


@pytest.mark.parametrize("kind", APPS, ids=lambda kind: kind.kind)
def test_pods_must_restart(kind: Kind) -> None:
    assert create_errors(kind, workload({"restartPolicy": "Never", "activeDeadlineSeconds": 1})) == [
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
        "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in "
        f"{'ReplicaSet' if kind.kind == 'Deployment' else kind.kind} is not Supported",
    ]


@pytest.mark.parametrize(
    "minor, shown",
    [
        (
            33,
            'v1.LabelSelector{MatchLabels:map[string]string{"app":"y"}, '
            "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}",
        ),
        (34, '{"matchLabels":{"app":"y"}}'),
    ],
)
@pytest.mark.parametrize("kind", APPS[:3], ids=lambda kind: kind.kind)
def test_the_selector_is_immutable(kind: Kind, minor: int, shown: str) -> None:
    new = workload(labels={"app": "y"}, selector={"matchLabels": {"app": "y"}})
    assert update_errors(kind, workload(), new, minor) == [
        f"spec.selector: Invalid value: {shown}: field is immutable"
    ]


@pytest.mark.parametrize(
    "spec, minor, expected",
    [
        ({"replicas": -1}, 37, ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]),
        (
            {"selector": None},
            37,
            [
                "spec.selector: Required value",
                f'spec.template.metadata.labels: Invalid value: {{"app":"x"}}: {NO_MATCH}',
            ],
        ),
        (
            {"selector": {}},
            37,
            ["spec.selector: Invalid value: {}: empty selector is invalid for deployment"],
        ),
        (
            {"selector": {"matchExpressions": [{"key": "a", "operator": "Near"}]}},
            37,
            [
                'spec.selector.matchExpressions[0].operator: Invalid value: "Near": not a valid selector operator',
                'spec.selector: Invalid value: {"matchExpressions":[{"key":"a","operator":"Near"}]}: invalid label '
                "selector",
            ],
        ),
        (
            {"strategy": {"type": "Recreate", "rollingUpdate": {}}},
            37,
            [
                "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
            ],
        ),
        (
            {"strategy": {"type": "Blue"}},
            37,
            [
                'spec.strategy: Unsupported value: {"Type":"Blue","RollingUpdate":null}: supported values: '
                '"Recreate", "RollingUpdate"'
            ],
        ),
        (
            {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}},
            33,
            [
                "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: intstr.IntOrString{Type:0, IntVal:0, "
                'StrVal:""}: may not be 0 when `maxSurge` is 0'
            ],
        ),
        (
            {"strategy": {"rollingUpdate": {"maxUnavailable": "101%"}}},
            37,
            ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%'],
        ),
        (
            {"strategy": {"rollingUpdate": {"maxSurge": "5"}}},
            37,
            [
                'spec.strategy.rollingUpdate.maxSurge: Invalid value: "5": a valid percent string must be a numeric '
                "string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
            ],
        ),
        (
            {"progressDeadlineSeconds": 5, "minReadySeconds": 5},
            37,
            ["spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds"],
        ),
    ],
)
def test_deployments(spec: Document, minor: int, expected: list[str]) -> None:
    assert create_errors(deployment.KIND, workload(**spec), minor) == expected


def test_annotations_count_as_a_change_of_a_deployment() -> None:
    """Upstream: deploymentStrategy.PrepareForUpdate."""
    old, new = workload(), workload()
    old["metadata"]["generation"] = new["metadata"]["generation"] = 4
    assert deployment.KIND.prepare_update
    deployment.KIND.prepare_update(new, old, context())
    assert new["metadata"]["generation"] == 4
    new["metadata"]["annotations"] = {"a": "b"}
    deployment.KIND.prepare_update(new, old, context())
    assert new["metadata"]["generation"] == 5


def test_deployment_status() -> None:
    assert deployment.KIND.validate_status
    new: Document = {"status": {"replicas": 1, "readyReplicas": 2, "updatedReplicas": -1}}
    old: Document = {"status": {"collisionCount": 3}}
    assert texts(deployment.KIND.validate_status(new, old, context())) == [
        "status.updatedReplicas: Invalid value: -1: must be greater than or equal to 0",
        "status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas",
        "status.collisionCount: Invalid value: 0: cannot be decremented",
    ]


def test_deployment_columns() -> None:
    document = defaulted(deployment.KIND, workload(replicas=3))
    document["metadata"]["creationTimestamp"] = "2026-01-02T03:04:00Z"
    document["status"] = {"readyReplicas": 1, "updatedReplicas": 2}
    assert cells(deployment.KIND, document) == {
        "Ready": "1/3",
        "Up-to-date": 2,
        "Available": 0,
        "Age": "5s",
        "Containers": "c",
        "Images": "a",
        "Selector": "app=x",
    }


def test_warnings_name_the_template() -> None:
    document = workload({"nodeSelector": {"beta.kubernetes.io/arch": "amd64"}})
    document["metadata"]["name"] = "a.b"
    assert deployment.KIND.warnings
    name, selector = deployment.KIND.warnings(document, None)
    assert name.startswith("metadata.name: this is used in Pod names and hostnames, which can result in surprising")
    assert selector == (
        "spec.template.spec.nodeSelector[beta.kubernetes.io/arch]: deprecated since v1.14; use "
        '"kubernetes.io/arch" instead'
    )
    assert deployment.KIND.warnings(document, copy.deepcopy(document)) == ()


def test_template_generation_of_daemon_sets() -> None:
    """Upstream: daemonSetStrategy; apps/v1 keeps the number in an annotation."""
    key, kind = "deprecated.daemonset.template.generation", daemon_set.KIND
    old = defaulted(kind, workload())
    assert kind.prepare_create and kind.prepare_update
    kind.prepare_create(old, context())
    assert old["metadata"]["annotations"][key] == "1"
    new = copy.deepcopy(old)
    new["spec"]["template"]["spec"]["containers"][0]["image"] = "b"
    new["metadata"]["annotations"] = {key: "77"}
    kind.prepare_update(new, old, context())
    assert new["metadata"]["annotations"][key] == "2"


@pytest.mark.parametrize(
    "rolling, expected",
    [
        (
            {"maxUnavailable": 1, "maxSurge": 1},
            ["maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero"],
        ),
        ({"maxUnavailable": 0}, ["maxUnavailable: Required value: cannot be 0 when maxSurge is 0"]),
    ],
)
def test_rolling_update_of_daemon_sets(rolling: Document, expected: list[str]) -> None:
    found = create_errors(daemon_set.KIND, workload(updateStrategy={"rollingUpdate": rolling}))
    assert found == [f"spec.updateStrategy.rollingUpdate.{error}" for error in expected]


def test_what_may_change_of_a_stateful_set() -> None:
    old = workload(serviceName="a")
    assert update_errors(stateful_set.KIND, old, workload({"hostPID": True}, serviceName="a", replicas=7)) == []
    assert update_errors(stateful_set.KIND, old, workload(serviceName="b"), 33) == [
        "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
        "'updateStrategy', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
    ]


@pytest.mark.parametrize(
    "minor, kept", [(26, set()), (27, {"ordinals", "retention"}), (35, {"ordinals", "retention", "max"})]
)
def test_fields_of_stateful_sets_that_are_off_by_default_go(minor: int, kept: set[str]) -> None:
    """dropStatefulSetDisabledFields, by the gates StatefulSetStartOrdinal, StatefulSetAutoDeletePVC and
    MaxUnavailableStatefulSet; what is in use already stays."""
    policy = {"whenDeleted": "Retain", "whenScaled": "Delete"}
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}}
    new = workload(ordinals={"start": 1}, persistentVolumeClaimRetentionPolicy=policy, updateStrategy=rolling)

    def present(document: Document) -> set[str]:
        spec = document["spec"]
        found = {"ordinals": "ordinals" in spec, "retention": "persistentVolumeClaimRetentionPolicy" in spec}
        found["max"] = "maxUnavailable" in spec["updateStrategy"]["rollingUpdate"]
        return {name for name, there in found.items() if there}

    created, updated = copy.deepcopy(new), copy.deepcopy(new)
    assert stateful_set.KIND.prepare_create and stateful_set.KIND.prepare_update
    stateful_set.KIND.prepare_create(created, context(minor))
    assert present(created) == kept
    stateful_set.KIND.prepare_update(updated, new, context(minor))
    assert present(updated) == {"ordinals", "retention", "max"}


@pytest.mark.parametrize(("minor", "rolling"), [(34, {"partition": 0}), (35, {"partition": 0, "maxUnavailable": 1})])
def test_a_stateful_set_s_rolling_update_by_default(minor: int, rolling: Document) -> None:
    """SetDefaults_StatefulSet, with the gate MaxUnavailableStatefulSet."""
    found = defaulted(stateful_set.KIND, workload(), minor)["spec"]["updateStrategy"]
    assert found == {"type": "RollingUpdate", "rollingUpdate": rolling}


def test_names_of_stateful_sets_are_labels() -> None:
    assert stateful_set.KIND.name_errors
    assert list(stateful_set.KIND.name_errors("web", False)) == []
    assert list(stateful_set.KIND.name_errors("a.b", False))
    assert list(stateful_set.KIND.name_errors("web-", True)) == []


def test_replication_controllers_take_labels_from_the_template() -> None:
    """Upstream: SetDefaults_ReplicationController."""
    document = workload()
    del document["spec"]["selector"]
    made = defaulted(replication_controller.KIND, document)
    assert made["spec"]["selector"] == made["metadata"]["labels"] == {"app": "x"}
    assert made["spec"]["replicas"] == 1
    assert create_errors(replication_controller.KIND, document) == []
    assert create_errors(replication_controller.KIND, {"metadata": {"name": "a"}, "spec": {}}) == [
        "spec.selector: Required value",
        "spec.template: Required value",
    ]
    assert replication_controller.KIND.orphans_by_default


def test_controller_revisions() -> None:
    kind = controller_revision.KIND
    assert create_errors(kind, {"metadata": {}, "revision": -1}) == [
        "data: Required value: data is mandatory",
        "revision: Invalid value: -1: must be greater than or equal to 0",
    ]
    owned = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "controller": True}
    document = {"metadata": {"ownerReferences": [owned]}, "revision": 3}
    assert cells(kind, document) == {"Controller": "statefulset.apps/web", "Revision": 3, "Age": "<unknown>"}


def test_pod_templates() -> None:
    document = {"metadata": {"name": "t"}, "template": {"spec": {"containers": [{"name": "c"}]}}}
    assert create_errors(pod_template.KIND, document) == ["template.spec.containers[0].image: Required value"]
    assert cells(pod_template.KIND, document) == {"Containers": "c", "Images": "", "Pod Labels": "<none>"}


@pytest.mark.parametrize(
    "spec, expected",
    [
        ({"minAvailable": 1}, []),
        ({"maxUnavailable": "120%"}, ['spec.maxUnavailable: Invalid value: "120%": must not be greater than 100%']),
        (
            {"unhealthyPodEvictionPolicy": "Never"},
            [
                'spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: "AlwaysAllow", '
                '"IfHealthyBudget"'
            ],
        ),
        (
            {"minAvailable": 1, "maxUnavailable": 1},
            [
                'spec: Invalid value: {"MinAvailable":1,"Selector":null,"MaxUnavailable":1,'
                '"UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set'
            ],
        ),
    ],
)
def test_budgets(spec: Document, expected: list[str]) -> None:
    assert create_errors(pod_disruption_budget.KIND, {"metadata": {"name": "b"}, "spec": spec}) == expected


def test_budget_columns() -> None:
    document = {"metadata": {}, "spec": {"minAvailable": "50%"}, "status": {"disruptionsAllowed": 2}}
    shown = cells(pod_disruption_budget.KIND, document)
    assert [shown[n] for n in ("Min Available", "Max Unavailable", "Allowed Disruptions")] == ["50%", "N/A", 2]


def test_names_and_categories() -> None:
    """Upstream: ShortNames and Categories of each storage."""
    shorts = {kind.plural: kind.short_names[0] for kind in [*APPS, replication_controller.KIND]}
    assert shorts == {
        "deployments": "deploy",
        "replicasets": "rs",
        "daemonsets": "ds",
        "statefulsets": "sts",
        "replicationcontrollers": "rc",
    }
    assert all("all" in kind.categories for kind in APPS)
    assert [kind.kind for kind in APPS if SCALE in kind.subresources] == ["Deployment", "ReplicaSet", "StatefulSet"]

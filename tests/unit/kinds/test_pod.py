"""Upstream: pkg/registry/core/pod/strategy.go, pkg/apis/core/validation (pods), printPod, pkg/api/pod/warnings.go."""

import copy
from typing import Any

import pytest
from tests.unit.kinds.hooks import cells, context, create_errors, defaulted, update_errors

from tiphys.api.catalog import Catalog
from tiphys.base.document import Document
from tiphys.kinds.core.pod import KIND
from tiphys.schema.definitions import Definitions

NOW = 1_767_323_045.0  # 2026-01-02T03:04:05Z


def pod(**spec: Any) -> Document:
    containers = spec.pop("containers", [{"name": "c", "image": "nginx:1.16.1"}])
    return {"metadata": {"name": "p", "labels": {"app": "web"}}, "spec": {"containers": containers, **spec}}


def prepared(document: Document, minor: int = 37) -> Document:
    made = defaulted(KIND, document, minor)
    assert KIND.prepare_create
    KIND.prepare_create(made, context(minor))
    return made


def with_resources(*pairs: tuple[Document, Document]) -> Document:
    return pod(
        containers=[
            {"name": f"c{i}", "image": "a", "resources": {"requests": requests, "limits": limits}}
            for i, (requests, limits) in enumerate(pairs)
        ]
    )


FULL = {"cpu": "1", "memory": "1Gi"}


@pytest.mark.parametrize(
    "document, expected",
    [
        (pod(), "BestEffort"),
        (with_resources(({}, FULL)), "Guaranteed"),  # requests are defaulted from limits
        (with_resources((FULL, FULL), ({"cpu": "1000m", "memory": "1024Mi"}, FULL)), "Guaranteed"),
        (with_resources((FULL, FULL), ({}, {})), "Burstable"),
        (with_resources(({"cpu": "500m", "memory": "1Gi"}, FULL)), "Burstable"),
        (with_resources(({"cpu": "1"}, {})), "Burstable"),
        (with_resources(({"cpu": "0"}, {})), "BestEffort"),
        (with_resources(({"nvidia.com/gpu": "1"}, {"nvidia.com/gpu": "1"})), "BestEffort"),
    ],
)
def test_qos_class(document: Document, expected: str) -> None:
    """Upstream: qos.ComputePodQOS."""
    assert prepared(document)["status"] == {"phase": "Pending", "qosClass": expected}


def test_generation_is_counted_since_1_33() -> None:
    assert prepared(pod(), 33)["metadata"]["generation"] == 1
    assert "generation" not in prepared(pod(), 32)["metadata"]
    old, new = prepared(pod()), prepared(pod())
    new["spec"]["containers"][0]["image"] = "nginx:2"
    assert KIND.prepare_update
    KIND.prepare_update(new, old, context())
    assert new["metadata"]["generation"] == 2


def test_gated_pods_say_so() -> None:
    made = prepared(pod(schedulingGates=[{"name": "x.io/wait"}]))
    assert made["status"]["conditions"] == [
        {
            "type": "PodScheduled",
            "status": "False",
            "lastProbeTime": None,
            "lastTransitionTime": None,
            "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates",
        }
    ]


def test_match_label_keys_become_expressions() -> None:
    """Upstream: mutatePodAffinity, mutateTopologySpreadConstraints."""
    term = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"a": "b"}}, "matchLabelKeys": ["app", "gone"]}
    spread = {**copy.deepcopy(term), "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}
    affinity = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    made = prepared(pod(affinity=affinity, topologySpreadConstraints=[spread]))
    added = [{"key": "app", "operator": "In", "values": ["web"]}]
    terms = made["spec"]["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert terms[0]["labelSelector"]["matchExpressions"] == added
    assert made["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchExpressions"] == added


@pytest.mark.parametrize(
    "field, value, dropped_in, kept_in",
    [
        ("hostUsers", False, 32, 33),
        ("schedulingGates", [{"name": "a"}], 26, 27),
        ("resources", {"limits": {"cpu": "1"}}, 33, 34),
    ],
)
def test_gated_fields_are_dropped(field: str, value: Any, dropped_in: int, kept_in: int) -> None:
    """Upstream: dropDisabledFields; on update what the old pod uses is kept."""
    assert field not in prepared(pod(**{field: value}), dropped_in)["spec"]
    assert prepared(pod(**{field: value}), kept_in)["spec"][field] is not None
    new, old = pod(**{field: value}), pod(**{field: value})
    assert KIND.prepare_update
    KIND.prepare_update(new, old, context(dropped_in))
    assert new["spec"][field] == value


@pytest.mark.parametrize(
    "asked, spec, status, expected",
    [
        (None, {"nodeName": "n", "terminationGracePeriodSeconds": 30}, {}, 30),
        (5, {"nodeName": "n", "terminationGracePeriodSeconds": 30}, {}, 5),
        (0, {"nodeName": "n", "terminationGracePeriodSeconds": 30}, {}, 0),
        (None, {"terminationGracePeriodSeconds": 30}, {}, 0),
        (60, {"nodeName": "n"}, {"phase": "Succeeded"}, 0),
        (60, {"nodeName": "n"}, {"phase": "Failed"}, 0),
        (-3, {"nodeName": "n"}, {}, 1),
        (None, {"nodeName": "n"}, {}, 0),
    ],
)
def test_grace_period(asked: int | None, spec: Document, status: Document, expected: int) -> None:
    """Upstream: CheckGracefulDelete."""
    assert KIND.grace_period
    assert KIND.grace_period({"spec": spec, "status": status}, asked) == expected


def test_selectable_fields() -> None:
    """Upstream: ToSelectableFields."""
    assert KIND.fields
    made = {
        **prepared(pod(nodeName="n", hostNetwork=True)),
        "status": {"phase": "Running", "podIPs": [{"ip": "1.2.3.4"}]},
    }
    assert KIND.fields(made) == {
        "spec.nodeName": "n",
        "spec.restartPolicy": "Always",
        "spec.schedulerName": "default-scheduler",
        "spec.serviceAccountName": "",
        "spec.hostNetwork": "true",
        "status.phase": "Running",
        "status.podIP": "1.2.3.4",
        "status.nominatedNodeName": "",
    }


def terminated(**more: Any) -> Document:
    return {"terminated": {"exitCode": 0, **more}}


RUNNING = {"name": "c", "ready": True, "restartCount": 0, "state": {"running": {}}}
CRASHED = {
    "name": "c",
    "restartCount": 2,
    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
    "lastState": terminated(exitCode=1, finishedAt="2026-01-02T03:01:05Z"),
}


@pytest.mark.parametrize(
    "status, spec, expected",
    [
        ({"phase": "Pending"}, {}, ("0/1", "Pending", "0")),
        ({"phase": "Running", "containerStatuses": [RUNNING]}, {}, ("1/1", "Running", "0")),
        ({"phase": "Running", "containerStatuses": [CRASHED]}, {}, ("0/1", "CrashLoopBackOff", "2 (3m ago)")),
        ({"phase": "Failed", "reason": "Evicted"}, {}, ("0/1", "Evicted", "0")),
        (
            {"phase": "Succeeded", "containerStatuses": [{"name": "c", "state": terminated(reason="Completed")}]},
            {},
            ("0/1", "Completed", "0"),
        ),
        (
            {
                "phase": "Failed",
                "containerStatuses": [{"name": "c", "state": terminated(reason="Error", exitCode=1)}],
            },
            {},
            ("0/1", "Error", "0"),
        ),
        (
            {"phase": "Failed", "containerStatuses": [{"name": "c", "state": terminated(exitCode=137)}]},
            {},
            ("0/1", "ExitCode:137", "0"),
        ),
        (
            {"phase": "Failed", "containerStatuses": [{"name": "c", "state": terminated(exitCode=1, signal=9)}]},
            {},
            ("0/1", "Signal:9", "0"),
        ),
        (
            {
                "phase": "Pending",
                "initContainerStatuses": [{"name": "i", "restartCount": 1, "state": {"running": {}}}],
            },
            {"initContainers": [{"name": "i"}]},
            ("0/1", "Init:0/1", "1"),
        ),
        (
            {"phase": "Pending", "initContainerStatuses": [{"name": "i", "state": terminated(exitCode=2)}]},
            {"initContainers": [{"name": "i"}]},
            ("0/1", "Init:ExitCode:2", "0"),
        ),
        (
            {
                "phase": "Pending",
                "initContainerStatuses": [{"name": "i", "state": {"waiting": {"reason": "ErrImagePull"}}}],
            },
            {"initContainers": [{"name": "i"}]},
            ("0/1", "Init:ErrImagePull", "0"),
        ),
        (
            {
                "phase": "Running",
                "initContainerStatuses": [{"name": "i", "started": True, "ready": True, "state": {"running": {}}}],
                "containerStatuses": [RUNNING],
            },
            {"initContainers": [{"name": "i", "restartPolicy": "Always"}]},
            ("2/2", "Running", "0"),
        ),
        (
            {
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": "False"}],
                "containerStatuses": [{"name": "a", "state": terminated(reason="Completed")}, RUNNING],
            },
            {"containers": [{"name": "a"}, {"name": "c"}]},
            ("1/2", "NotReady", "0"),
        ),
        (
            {
                "phase": "Pending",
                "conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}],
            },
            {},
            ("0/1", "SchedulingGated", "0"),
        ),
    ],
)
def test_ready_status_restarts(status: Document, spec: Document, expected: tuple[str, str, str]) -> None:
    """Upstream: the tables of TestPrintPod."""
    document = pod(**spec)
    document["status"] = status
    shown = cells(KIND, document, NOW, wide=False)
    assert (shown["Ready"], shown["Status"], shown["Restarts"]) == expected


@pytest.mark.parametrize(
    "status, expected",
    [
        ({"phase": "Running"}, "Terminating"),
        ({"phase": "Running", "reason": "NodeLost"}, "Unknown"),
        ({"phase": "Succeeded"}, "Succeeded"),
    ],
)
def test_deleted_pods(status: Document, expected: str) -> None:
    document = pod()
    document["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z"
    document["status"] = status
    assert cells(KIND, document, NOW)["Status"] == expected


def test_wide_columns() -> None:
    document = pod(nodeName="n1", readinessGates=[{"conditionType": "x.io/a"}, {"conditionType": "x.io/b"}])
    document["metadata"]["creationTimestamp"] = "2026-01-02T02:00:00Z"
    document["status"] = {"podIPs": [{"ip": "10.0.0.7"}], "conditions": [{"type": "x.io/a", "status": "True"}]}
    shown = cells(KIND, document, NOW)
    assert list(shown) == "Ready Status Restarts Age IP Node|Nominated Node|Readiness Gates".replace(
        " ", "|", 5
    ).split("|")
    assert [shown[name] for name in ("Age", "IP", "Node", "Nominated Node", "Readiness Gates")] == [
        "64m",
        "10.0.0.7",
        "n1",
        "<none>",
        "1/2",
    ]


REFUSED = (
    "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
    "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n"
)


@pytest.mark.parametrize(
    "old, new",
    [
        (pod(), pod(containers=[{"name": "c", "image": "nginx:2"}])),
        (pod(), pod(activeDeadlineSeconds=5)),
        (pod(activeDeadlineSeconds=5), pod(activeDeadlineSeconds=4)),
        (pod(), pod(tolerations=[{"key": "a", "operator": "Exists"}])),
        (
            pod(tolerations=[{"key": "a", "operator": "Exists", "effect": "NoExecute"}]),
            pod(tolerations=[{"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 3}]),
        ),
        (pod(schedulingGates=[{"name": "a"}]), pod()),
        (pod(schedulingGates=[{"name": "a"}]), pod(schedulingGates=[{"name": "a"}], nodeSelector={"x": "y"})),
        (pod(terminationGracePeriodSeconds=-1), pod(terminationGracePeriodSeconds=1)),
    ],
)
def test_allowed_updates(old: Document, new: Document) -> None:
    assert update_errors(KIND, old, new) == []


def test_refused_update_shows_the_difference() -> None:
    """Upstream: ValidatePodUpdate; its diff is go-cmp's, ours has the same frame (ours)."""
    (error,) = update_errors(KIND, pod(), pod(dnsPolicy="Default"))
    assert error.startswith(REFUSED)
    assert '- \tDNSPolicy: "ClusterFirst",\n+ \tDNSPolicy: "Default",\n' in error


@pytest.mark.parametrize(
    "old, new, expected",
    [
        (
            pod(),
            pod(containers=[{"name": "c", "image": "a"}, {"name": "d", "image": "a"}]),
            "spec.containers: Forbidden: pod updates may not add or remove containers",
        ),
        (
            pod(activeDeadlineSeconds=4),
            pod(activeDeadlineSeconds=5),
            "spec.activeDeadlineSeconds: Invalid value: 5: must be less than or equal to previous value",
        ),
        (
            pod(tolerations=[{"key": "a", "operator": "Exists"}]),
            pod(),
            "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds",
        ),
        (
            pod(),
            pod(schedulingGates=[{"name": "a"}]),
            "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'a'",
        ),
    ],
)
def test_refused_updates(old: Document, new: Document, expected: str) -> None:
    assert update_errors(KIND, old, new) == [expected]


def test_status_update() -> None:
    """Upstream: ValidateContainerStateTransition, podStatusStrategy."""
    old = prepared(pod(restartPolicy="Never"))
    old["status"]["containerStatuses"] = [{"name": "c", "state": terminated()}]
    new = copy.deepcopy(old)
    new["status"] = {"containerStatuses": [{"name": "c", "state": {"running": {}}}]}
    assert KIND.prepare_status and KIND.validate_status
    KIND.prepare_status(new, old, context())
    assert new["status"]["qosClass"] == "BestEffort"
    assert [str(error) for error in KIND.validate_status(new, old, context())] == [
        "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state"
    ]


def test_create_only_rules() -> None:
    assert create_errors(KIND, pod(nodeName="n", schedulingGates=[{"name": "a"}])) == [
        "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"
    ]
    ephemeral = [{"name": "debug", "image": "busybox"}]
    assert create_errors(KIND, pod(ephemeralContainers=ephemeral)) == [
        "spec.ephemeralContainers: Forbidden: cannot be set on create"
    ]


def test_warnings() -> None:
    document = defaulted(
        KIND,
        pod(
            nodeSelector={"beta.kubernetes.io/os": "linux"},
            terminationGracePeriodSeconds=-1,
            imagePullSecrets=[{"name": "a"}, {"name": "a"}],
            volumes=[{"name": "v", "gitRepo": {"repository": "x"}}],
            containers=[
                {
                    "name": "c",
                    "image": "a",
                    "env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}],
                    "ports": [{"containerPort": 80}, {"containerPort": 80}],
                    "resources": {"limits": {"memory": "1500m"}},
                }
            ],
        ),
    )
    assert KIND.warnings
    assert KIND.warnings(document, None) == [
        'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
        "spec.volumes[0].gitRepo: deprecated in v1.11",
        'spec.imagePullSecrets[1].name: duplicate name "a"',
        'spec.containers[0].resources.limits[memory]: fractional byte value "1500m" is invalid, must be an integer',
        'spec.containers[0].resources.requests[memory]: fractional byte value "1500m" is invalid, must be an integer',
        'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
        "spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]",
        "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1",
    ]
    assert KIND.warnings(document, document) == ()


@pytest.mark.parametrize("minor, served", [(32, False), (33, True)])
def test_resize_is_served_since_1_33(minor: int, served: bool) -> None:
    found = Catalog(Definitions.load(minor), [KIND]).find("", "v1", "pods")
    assert found and ("resize" in {each.name for each in found.kind.subresources}) is served

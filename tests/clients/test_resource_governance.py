"""LimitRange, ResourceQuota, and Deployments that say why: typed with each kubectl.

Expectations are what a kubeadm cluster printed for the same commands (examples/day11), with names, hashes,
times and versions left open.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.clients.conftest import Kubectl

EXAMPLES = Path(__file__).parents[2] / "examples" / "day11"

LIMITS_TABLE = """\
Name:                  limit-range-erp
Namespace:             erp
Type                   Resource  Min    Max   Default Request  Default Limit  Max Limit/Request Ratio
----                   --------  ---    ---   ---------------  -------------  -----------------------
Container              cpu       500m   2     500m             500m           2
Container              memory    512Mi  2Gi   512Mi            512Mi          2
Pod                    cpu       -      4     -                -              -
Pod                    memory    -      4Gi   -                -              -
PersistentVolumeClaim  storage   1Gi    50Gi  -                -              -
"""
QUOTA_TABLE = """\
Name:                    quota-erp
Namespace:               erp
Resource                 Used    Hard
--------                 ----    ----
limits.cpu               3900m   {cpu}
limits.memory            2304Mi  100Gi
persistentvolumeclaims   9       100
pods                     22      2
requests.cpu             3900m   {cpu}
requests.memory          2820Mi  100Gi
requests.nvidia.com/gpu  0       4
requests.storage         19Gi    200Gi
services                 15      100
"""
WORDPRESS = "erp-wordpress-deployment"


@pytest.fixture(scope="module")
def erp(kubectl: Kubectl) -> Iterator[Kubectl]:
    """The namespace erp with what the quota counts: 22 pods, 15 services, 9 claims."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "erp"}}
    kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all([namespace, *_erp_objects()]))
    yield kubectl
    kubectl("delete", "namespace", "erp")


def test_limit_range(erp: Kubectl) -> None:
    assert erp("apply", "-f", str(EXAMPLES / "case3-LimitRange.yaml")) == "limitrange/limit-range-erp created\n"
    listed = erp("get", "limitranges", "-n", "erp").splitlines()
    assert listed[0].split() == ["NAME", "CREATED", "AT"]
    assert re.fullmatch(r"limit-range-erp   \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", listed[1])
    described = _stripped(erp("describe", "limitranges", "limit-range-erp", "-n", "erp"))
    # kubectl walks a Go map for the rows of one type, so their order is not its own either.
    assert sorted(described.splitlines()) == sorted(LIMITS_TABLE.splitlines())
    assert described.splitlines()[:4] == LIMITS_TABLE.splitlines()[:4]


def test_deployment_within_the_limits_runs(erp: Kubectl) -> None:
    manifest = str(EXAMPLES / "case4-pod-requestRatio-limit.yaml")
    assert erp("apply", "-f", manifest) == f"deployment.apps/{WORDPRESS} created\n"
    erp("rollout", "status", f"deployment/{WORDPRESS}", "-n", "erp", "--timeout=30s")
    pods = [line for line in erp("get", "pod", "-n", "erp").splitlines() if line.startswith(WORDPRESS)]
    assert len(pods) == 1
    assert re.fullmatch(rf"{WORDPRESS}-[0-9a-z]+-[0-9a-z]{{5}} +2/2 +Running +0 +\d+s", pods[0])
    assert erp("delete", "-f", manifest).startswith(f'deployment.apps "{WORDPRESS}" deleted')


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (
            "case4-pod-requestRatio-limit.v2.yaml",
            "cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000",
        ),
        (
            "case5-pod-cpu-limit.yaml",
            "[maximum cpu usage per Container is 2, but limit is 4, maximum cpu usage per Pod is 4, but limit is 5]",
        ),
        (
            "case5-pod-cpu-limit.v2.yaml",
            "[maximum memory usage per Container is 2Gi, but limit is 8Gi, "
            "maximum memory usage per Pod is 4Gi, but limit is 9663676416]",
        ),
    ],
)
def test_deployment_says_why_its_pods_are_refused(erp: Kubectl, file: str, words: str) -> None:
    manifest = str(EXAMPLES / file)
    assert erp("apply", "-f", manifest) == f"deployment.apps/{WORDPRESS} created\n"
    erp("wait", "--for=condition=ReplicaFailure", f"deployment/{WORDPRESS}", "-n", "erp", "--timeout=30s")
    assert not [line for line in erp("get", "pod", "-n", "erp").splitlines() if line.startswith(WORDPRESS)]
    found = erp.json("get", "deployments", WORDPRESS, "-n", "erp")
    _assert_refused(found, WORDPRESS, words, replicas=1)
    _assert_defaulted(found, yaml.safe_load(Path(manifest).read_text()))
    shown = yaml.safe_load(erp("get", "deployments", WORDPRESS, "-n", "erp", "-o", "yaml"))
    assert shown["spec"] == found["spec"]
    erp("delete", "-f", manifest)


def test_deployment_that_makes_no_progress_times_out(erp: Kubectl) -> None:
    """The walkthrough waited ten minutes for this; the deadline is a field, so two seconds do."""
    manifest = yaml.safe_load((EXAMPLES / "case4-pod-requestRatio-limit.v2.yaml").read_text())
    manifest["spec"]["progressDeadlineSeconds"] = 2
    erp("apply", "-f", "-", stdin=yaml.safe_dump(manifest))
    erp("wait", "--for=condition=Progressing=False", f"deployment/{WORDPRESS}", "-n", "erp", "--timeout=30s")
    found = erp.json("get", "deployments", WORDPRESS, "-n", "erp")
    progressing = _condition(found, "Progressing")
    assert progressing["reason"] == "ProgressDeadlineExceeded"
    assert re.fullmatch(rf'ReplicaSet "{WORDPRESS}-[0-9a-z]+" has timed out progressing\.', progressing["message"])
    assert [c["type"] for c in found["status"]["conditions"]] == ["Available", "ReplicaFailure", "Progressing"]
    erp("delete", "deployment", WORDPRESS, "-n", "erp")


def test_quota(erp: Kubectl) -> None:
    """One module-long story: the table, the pods it refuses, a smaller quota, and what that refuses."""
    quota = str(EXAMPLES / "case6-resourceQuota-erp.yaml")
    assert erp("apply", "-f", quota) == "resourcequota/quota-erp created\n"
    _quota_counted(erp, "20")
    assert _stripped(erp("describe", "resourcequota", "quota-erp", "-n", "erp")) == QUOTA_TABLE.format(cpu="20")

    name = "erp-pod-limit-deployment"
    manifest = str(EXAMPLES / "case7-namespace-pod-limit-deployment.yaml")
    assert erp("apply", "-f", manifest) == f"deployment.apps/{name} created\n"
    erp("wait", "--for=condition=ReplicaFailure", f"deployment/{name}", "-n", "erp", "--timeout=30s")
    refusal = "exceeded quota: quota-erp, requested: pods=1, used: pods=22, limited: pods=2"
    _assert_refused(erp.json("get", "deployment", name, "-n", "erp"), name, refusal, replicas=5)
    assert erp("delete", "-f", manifest).startswith(f'deployment.apps "{name}" deleted')

    assert (
        erp("apply", "-f", str(EXAMPLES / "case6-resourceQuota-erp.v2.yaml"))
        == "resourcequota/quota-erp configured\n"
    )
    _quota_counted(erp, "1")
    assert _stripped(erp("describe", "resourcequota", "quota-erp", "-n", "erp")) == QUOTA_TABLE.format(cpu="1")

    name = "erp-cpu-limit-deployment"
    manifest = str(EXAMPLES / "case8-namespace-cpu-limit-deployment.yaml")
    assert erp("apply", "-f", manifest) == f"deployment.apps/{name} created\n"
    erp("wait", "--for=condition=ReplicaFailure", f"deployment/{name}", "-n", "erp", "--timeout=30s")
    refusal = (
        "exceeded quota: quota-erp, requested: limits.cpu=1,pods=1,requests.cpu=1, "
        "used: limits.cpu=3900m,pods=22,requests.cpu=3900m, limited: limits.cpu=1,pods=2,requests.cpu=1"
    )
    found = erp.json("get", "deployment", name, "-n", "erp")
    _assert_refused(found, name, refusal, replicas=found["spec"]["replicas"])


def _assert_refused(deployment: dict[str, Any], name: str, words: str, *, replicas: int) -> None:
    """The three conditions in the order and the words that the walkthrough shows."""
    conditions = deployment["status"]["conditions"]
    assert [(c["type"], c["status"], c["reason"]) for c in conditions] == [
        ("Progressing", "True", "NewReplicaSetCreated"),
        ("Available", "False", "MinimumReplicasUnavailable"),
        ("ReplicaFailure", "True", "FailedCreate"),
    ]
    assert re.fullmatch(rf'Created new replica set "{name}-[0-9a-z]+"', conditions[0]["message"])
    assert conditions[1]["message"] == "Deployment does not have minimum availability."
    pattern = rf'pods "{name}-[0-9a-z]+-[0-9a-z]{{5}}" is forbidden: (.*)'
    found = re.fullmatch(pattern, conditions[2]["message"])
    assert found, conditions[2]["message"]
    assert found[1] == words
    # terminatingReplicas: newer than the walkthrough's cluster.
    rest = {k: v for k, v in deployment["status"].items() if k not in ("conditions", "terminatingReplicas")}
    assert rest == {"observedGeneration": 1, "unavailableReplicas": replicas}


def _assert_defaulted(deployment: dict[str, Any], manifest: dict[str, Any]) -> None:
    """Every field the walkthrough shows beyond what was applied."""
    spec, given = deployment["spec"], manifest["spec"]
    assert {key: value for key, value in spec.items() if key not in ("template", "selector")} == {
        "progressDeadlineSeconds": 600,
        "replicas": given["replicas"],
        "revisionHistoryLimit": 10,
        "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}, "type": "RollingUpdate"},
    }
    template = spec["template"]["spec"]
    assert {key: value for key, value in template.items() if key != "containers"} == {
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
    }
    for container, source in zip(template["containers"], given["template"]["spec"]["containers"], strict=True):
        added = {"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}
        texts = {kind: {k: str(v) for k, v in amounts.items()} for kind, amounts in source["resources"].items()}
        assert container == {**source, **added, "resources": texts}
    assert deployment["metadata"]["generation"] == 1
    assert deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"


def _condition(deployment: dict[str, Any], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(c for c in deployment["status"]["conditions"] if c["type"] == kind)
    return found


def _quota_counted(kubectl: Kubectl, cpu: str) -> None:
    """Wait until the quota's status speaks of its present spec."""
    watch = [
        "get",
        "resourcequota",
        "quota-erp",
        "-n",
        "erp",
        "--watch",
        "-o",
        "jsonpath={.status.hard.limits\\.cpu}{'\\n'}",
    ]
    with subprocess.Popen(
        [str(kubectl.binary), *watch], stdout=subprocess.PIPE, text=True, env=kubectl.environment
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == cpu:
                break
        process.kill()


def _stripped(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.rstrip("\n").splitlines())


def _erp_objects() -> list[dict[str, Any]]:
    small = {"cpu": "100m", "memory": "128Mi"}
    pods = [_pod(f"small-{n}", {"requests": small, "limits": small}) for n in range(18)]
    pods += [
        _pod(f"wide-{n}", {"requests": {"cpu": "700m", "memory": "172Mi"}, "limits": {"cpu": "700m"}})
        for n in range(3)
    ]
    pods.append(_pod("plain", {}))
    services = [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": f"service-{n}", "namespace": "erp"},
            "spec": {"selector": {"app": f"a{n}"}, "ports": [{"port": 80}]},
        }
        for n in range(15)
    ]
    return pods + services + [_claim(f"claim-{n}", "3Gi" if n == 0 else "2Gi") for n in range(9)]


def _pod(name: str, resources: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "erp"},
        "spec": {"containers": [{"name": "main", "image": "nginx:1.22.0", "resources": resources}]},
    }


def _claim(name: str, size: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": "erp"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}},
    }

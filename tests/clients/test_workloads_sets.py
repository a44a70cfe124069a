"""StatefulSets and DaemonSets as kubectl shows and rolls them: what it prints is upstream's (`kubectl/pkg/cmd`)."""

from __future__ import annotations

import json
import re
import subprocess
from threading import Timer
from typing import Any

import pytest

from tests.clients import documents
from tests.clients.conftest import Kubectl, StartCluster, kubectl_of

Document = dict[str, Any]


def _workload(kind: str, name: str, **spec: Any) -> Document:
    found = documents.deployment(name)
    del found["spec"]["replicas"]
    return {**found, "kind": kind, "spec": {**found["spec"], **spec}}


def _stateful_set(name: str, replicas: int = 3, **spec: Any) -> Document:
    return _workload("StatefulSet", name, replicas=replicas, serviceName=name, **spec)


def _claim_template(name: str) -> Document:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"metadata": {"name": name}, "spec": spec}


def _create(kubectl: Kubectl, namespace: str, document: Document) -> None:
    kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(document))


def _rolled_out(kubectl: Kubectl, namespace: str, what: str) -> str:
    return kubectl("rollout", "status", what, "-n", namespace, "--timeout=30s")


def _lines(kubectl: Kubectl, *words: str) -> list[list[str]]:
    return [line.split() for line in kubectl(*words).splitlines()]


def _images(kubectl: Kubectl, namespace: str) -> dict[str, str]:
    pods = kubectl.json("get", "pods", "-n", namespace)["items"]
    return {pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"] for pod in pods}


def _wait(kubectl: Kubectl, namespace: str, what: str, path: str, *values: str) -> None:
    """Until the field has had each value, by watching; kubectl 1.20 has no `wait --for=jsonpath`."""
    command = [
        str(kubectl.binary),
        "get",
        *what.split(),
        "-n",
        namespace,
        "-w",
        "-o",
        f"jsonpath={{{path}}}{{'\\n'}}",
    ]
    missing = set(values)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=kubectl.environment) as watching:
        assert watching.stdout is not None
        deadline = Timer(30, watching.kill)
        deadline.start()
        try:
            for line in watching.stdout:
                missing.discard(line.strip())
                if not missing:
                    return
            raise AssertionError(f"{what} {path} was never {missing}")
        finally:
            deadline.cancel()
            watching.kill()


def test_a_stateful_set_is_rolled_and_scaled(kubectl: Kubectl, namespace: str) -> None:
    _create(kubectl, namespace, _stateful_set("web"))
    _rolled_out(kubectl, namespace, "sts/web")
    header, row = _lines(kubectl, "get", "sts", "-n", namespace)
    assert (header, row[:2]) == (["NAME", "READY", "AGE"], ["web", "3/3"])
    assert list(_images(kubectl, namespace)) == ["web-0", "web-1", "web-2"]

    assert (
        kubectl("set", "image", "sts/web", "main=nginx:2", "-n", namespace) == "statefulset.apps/web image updated\n"
    )
    told = _rolled_out(kubectl, namespace, "sts/web")
    assert told.splitlines()[-1] == "partitioned roll out complete: 3 new pods have been updated..."
    assert set(_images(kubectl, namespace).values()) == {"nginx:2"}

    history = kubectl("rollout", "history", "sts/web", "-n", namespace)
    assert [line.split() for line in history.splitlines()[1:] if line] == [
        ["REVISION", "CHANGE-CAUSE"],
        ["1", "<none>"],
        ["2", "<none>"],
    ]
    assert "nginx:1.22.0" in kubectl("rollout", "history", "sts/web", "--revision=1", "-n", namespace)
    assert kubectl("rollout", "undo", "sts/web", "-n", namespace) == "statefulset.apps/web rolled back\n"
    _rolled_out(kubectl, namespace, "sts/web")
    assert set(_images(kubectl, namespace).values()) == {"nginx:1.22.0"}
    kinds = {"StatefulSet"}
    revisions = kubectl.json("get", "controllerrevisions", "-n", namespace)["items"]
    assert sorted(each["revision"] for each in revisions) == [2, 3]
    assert {each["metadata"]["ownerReferences"][0]["kind"] for each in revisions} == kinds

    assert kubectl("scale", "sts", "web", "--replicas=1", "-n", namespace) == "statefulset.apps/web scaled\n"
    _wait(kubectl, namespace, "sts/web", ".status.replicas", "1")
    assert list(_images(kubectl, namespace)) == ["web-0"]


def test_a_stateful_set_s_events_and_claims(kubectl: Kubectl, namespace: str) -> None:
    document = _stateful_set(
        "db",
        2,
        podManagementPolicy="Parallel",
        volumeClaimTemplates=[_claim_template("data")],
        persistentVolumeClaimRetentionPolicy={"whenDeleted": "Retain", "whenScaled": "Delete"},
    )
    kubectl("create", "-n", namespace, "--validate=false", "-f", "-", stdin=json.dumps(document))
    _wait(kubectl, namespace, "sts/db", ".status.replicas", "2")
    assert [row[0] for row in _lines(kubectl, "get", "pvc", "-n", namespace)[1:]] == ["data-db-0", "data-db-1"]
    told = (
        "create Claim data-db-0 Pod db-0 in StatefulSet db success",
        "create Pod db-1 in StatefulSet db successful",
    )
    _wait(kubectl, namespace, "events --field-selector=involvedObject.name=db", ".message", *told)
    described = kubectl("describe", "sts", "db", "-n", namespace)
    for message in told:
        assert re.search(rf"Normal +SuccessfulCreate +\S+ +statefulset-controller +{message}", described), described
    kubectl("scale", "sts", "db", "--replicas=1", "-n", namespace)
    done = kubectl.run("wait", "--for=delete", "pvc/data-db-1", "-n", namespace, "--timeout=30s")
    assert done.returncode == 0 or re.search("not found|no matching", done.stderr), done.stderr
    assert [row[0] for row in _lines(kubectl, "get", "pvc", "-n", namespace)[1:]] == ["data-db-0"]


def test_a_daemon_set_is_rolled(kubectl: Kubectl, namespace: str) -> None:
    _create(kubectl, namespace, _workload("DaemonSet", "agent"))
    told = _rolled_out(kubectl, namespace, "ds/agent")
    assert told.splitlines()[-1] == 'daemon set "agent" successfully rolled out'
    header, row = _lines(kubectl, "get", "ds", "-n", namespace)
    assert " ".join(header) == "NAME DESIRED CURRENT READY UP-TO-DATE AVAILABLE NODE SELECTOR AGE"
    assert row[:7] == ["agent", "3", "3", "3", "3", "3", "<none>"]
    pods = kubectl.json("get", "pods", "-n", namespace)["items"]
    nodes = sorted(node["metadata"]["name"] for node in kubectl.json("get", "nodes")["items"])
    assert sorted(pod["spec"]["nodeName"] for pod in pods) == nodes

    restarted = kubectl("rollout", "restart", "ds/agent", "-n", namespace)
    assert restarted == "daemonset.apps/agent restarted\n"
    _rolled_out(kubectl, namespace, "ds/agent")
    after = kubectl.json("get", "pods", "-n", namespace)["items"]
    assert not {pod["metadata"]["name"] for pod in pods} & {pod["metadata"]["name"] for pod in after}
    assert kubectl("rollout", "undo", "ds/agent", "-n", namespace) == "daemonset.apps/agent rolled back\n"
    _rolled_out(kubectl, namespace, "ds/agent")
    history = kubectl("rollout", "history", "ds/agent", "-n", namespace)
    assert [line.split()[0] for line in history.splitlines()[1:] if line] == ["REVISION", "2", "3"]


def test_daemons_stay_on_a_cordoned_node_and_are_made_there(kubectl: Kubectl, namespace: str) -> None:
    """A cordon keeps others away; `drain` leaves daemons where they are (`--ignore-daemonsets`)."""
    node = kubectl.json("get", "nodes")["items"][0]["metadata"]["name"]
    kubectl("cordon", node)
    try:
        _create(kubectl, namespace, _workload("DaemonSet", "agent"))
        _create(kubectl, namespace, _stateful_set("web", 3, podManagementPolicy="Parallel"))
        _rolled_out(kubectl, namespace, "ds/agent")
        _rolled_out(kubectl, namespace, "sts/web")
        pods = kubectl.json("get", "pods", "-n", namespace)["items"]
        here = [pod["metadata"]["labels"]["app"] for pod in pods if pod["spec"]["nodeName"] == node]
        assert here == ["agent"]
        refused = kubectl.run("drain", node, "--pod-selector=app=agent")
        assert refused.returncode == 1 and "DaemonSet-managed" in refused.stderr
        kubectl("drain", node, "--pod-selector=app=agent", "--ignore-daemonsets")
        assert kubectl("get", "ds", "agent", "-n", namespace, "-o", "jsonpath={.status.numberAvailable}") == "3"
    finally:
        kubectl("uncordon", node)


@pytest.mark.parametrize("version", ["1.37"])
def test_a_node_added_later_gets_its_daemon(start_cluster: StartCluster, version: str) -> None:
    cluster = start_cluster("growing", "--simulate", "1")
    kubectl = kubectl_of(version, cluster)
    _create(kubectl, "default", _workload("DaemonSet", "agent"))
    _rolled_out(kubectl, "default", "ds/agent")
    cluster.command("down", "--name", "growing")
    cluster.command("up", "--name", "growing", "--simulate", "2")
    _wait(kubectl, "default", "ds/agent", ".status.numberAvailable", "2")
    pods = kubectl.json("get", "pods")["items"]
    assert sorted(pod["spec"]["nodeName"] for pod in pods) == ["node-1", "node-2"]

"""kubectl 1.37 speaks protobuf where it uses typed clients: to create, describe, drain, look at history.

What it makes is compared with what kubectl 1.32, which speaks JSON, makes by the same command.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.conftest import Kubectl, RunningCluster, kubectl_of

PROTOBUF = "application/vnd.kubernetes.protobuf"
NAMESPACES = {"1.37": "in-protobuf", "1.32": "in-json"}
_VARYING = ("uid", "resourceVersion", "creationTimestamp", "namespace", "clusterIP", "clusterIPs", "nodePort")
_COUNTED = ("status", "generation", "managedFields")


@pytest.fixture(scope="module")
def kubectls(cluster: RunningCluster) -> Iterator[dict[str, Kubectl]]:
    """Both, each with a namespace of its own."""
    found = {version: kubectl_of(version, cluster) for version in NAMESPACES}
    for version, kubectl in found.items():
        kubectl("create", "namespace", NAMESPACES[version])
    yield found
    for version, kubectl in found.items():
        kubectl("delete", "namespace", NAMESPACES[version])


def settled(document: Any) -> Any:
    """Without what is different each time, and what controllers write."""
    if isinstance(document, dict):
        passed_over = (*_VARYING, *(_COUNTED if "metadata" in document else ("generation",)))
        return {key: settled(value) for key, value in document.items() if key not in passed_over}
    return [settled(item) for item in document] if isinstance(document, list) else document


def in_protobuf(kubectl: Kubectl, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, which must have been sent or asked for in protobuf."""
    done = kubectl.run(*words, "-v=9")
    assert done.returncode == 0, done.stderr
    assert PROTOBUF in done.stderr, f"kubectl {words} spoke no protobuf"
    return done


CREATED = [
    "deployment web --image=nginx --replicas=0 --port=80",
    "configmap cm --from-literal=a=1 --from-literal=b=ü",
    "secret generic s --from-literal=p=pass",
    "secret docker-registry dr --docker-username=u --docker-password=p --docker-server=r",
    "serviceaccount sa",
    "quota q --hard=cpu=10,memory=1.5Gi,pods=20 --scopes=NotBestEffort",
    "role ro --verb=get,list --resource=pods,deployments.apps --resource-name=x",
    "rolebinding rb --role=ro --user=bob --group=g",
    "cronjob cj --image=busybox --schedule=@daily",
    "pdb pdb --selector=app=web --min-available=50%",
    "ingress ing --rule=foo.com/bar*=web:80,tls=my --class=none",
    "service clusterip cip --tcp=5678:8080",
    "service nodeport np --tcp=80:80",
    "service externalname en --external-name=x.com",
]


@pytest.mark.parametrize("command", CREATED, ids=lambda command: " ".join(command.split()[:2]))
def test_what_is_created_is_what_json_creates(kubectls: dict[str, Kubectl], command: str) -> None:
    words = command.split()
    kind = words[0]
    name = words[2] if kind in ("secret", "service") else words[1]
    found = {}
    for version, kubectl in kubectls.items():
        namespace = ("-n", NAMESPACES[version])
        if version == "1.37":
            in_protobuf(kubectl, "create", *words, *namespace)
        else:
            kubectl("create", *words, *namespace)
        found[version] = settled(kubectl.json("get", kind, name, *namespace))
    assert found["1.37"] == found["1.32"]


@pytest.mark.parametrize(
    "command",
    [
        "priorityclass {} --value=1000 --description=x --preemption-policy=Never",
        "clusterrole {} --verb=get --resource=nodes",
        "clusterrolebinding {} --clusterrole=view --group=g",
    ],
)
def test_kinds_of_the_cluster(kubectls: dict[str, Kubectl], command: str) -> None:
    found = {}
    for version, kubectl in kubectls.items():
        words = command.format(NAMESPACES[version]).split()
        kubectl("create", *words)
        found[version] = settled(kubectl.json("get", words[0], words[1]))
        kubectl("delete", words[0], words[1])
        assert found[version]["metadata"].pop("name") == NAMESPACES[version]
    assert found["1.37"] == found["1.32"]


def test_a_job_is_made_and_described(kubectls: dict[str, Kubectl]) -> None:
    kubectl = kubectls["1.37"]
    at = ("-n", NAMESPACES["1.37"])
    kubectl("create", "job", "j", "--image=busybox", *at, "--", "true")
    container = kubectl.json("get", "job", "j", *at)["spec"]["template"]["spec"]["containers"][0]
    assert (container["command"], container["image"]) == (["true"], "busybox")
    assert "busybox" in in_protobuf(kubectl, "describe", "job", "j", *at).stdout


def test_a_deployment_lives_its_life(kubectls: dict[str, Kubectl]) -> None:
    kubectl = kubectls["1.37"]
    at = ("-n", NAMESPACES["1.37"])
    in_protobuf(kubectl, "create", "deployment", "life", "--image=nginx:1", "--replicas=2", "--port=80", *at)
    kubectl("rollout", "status", "deployment/life", "--timeout=30s", *at)
    kubectl("expose", "deployment", "life", "--port=80", "--target-port=8080", *at)
    kubectl("scale", "deployment", "life", "--replicas=3", *at)
    in_protobuf(kubectl, "autoscale", "deployment", "life", "--min=1", "--max=5", "--cpu=80%", *at)
    kubectl("set", "image", "deployment/life", "nginx=nginx:2", *at)
    kubectl("rollout", "status", "deployment/life", "--timeout=30s", *at)
    history = in_protobuf(kubectl, "rollout", "history", "deployment/life", *at).stdout
    assert [line.split()[0] for line in history.splitlines()[2:] if line] == ["1", "2"]
    described = in_protobuf(kubectl, "describe", "deployment", "life", *at).stdout
    assert "nginx:2" in described and "ScalingReplicaSet" in described
    kubectl("rollout", "undo", "deployment/life", "--to-revision=1", *at)
    kubectl("rollout", "status", "deployment/life", "--timeout=30s", *at)
    target = kubectl.json("get", "hpa", "life", *at)["spec"]["metrics"][0]["resource"]["target"]
    assert target == {"type": "Utilization", "averageUtilization": 80}
    kubectl("delete", "deployment", "life", "--cascade=foreground", *at)
    assert kubectl("get", "pods", "-l", "app=life", "-o", "name", *at) == ""


def test_a_pod_comes_and_goes(kubectls: dict[str, Kubectl]) -> None:
    kubectl = kubectls["1.37"]
    at = ("-n", NAMESPACES["1.37"])
    kubectl("run", "solo", "--image=nginx", "--labels=a=b", "--env=X=1", "--port=80", *at)
    kubectl("expose", "pod", "solo", "--port=80", "--target-port=http", *at)
    kubectl("wait", "--for=condition=Ready", "pod/solo", "--timeout=30s", *at)
    assert "Successfully assigned" in in_protobuf(kubectl, "describe", "pod", "solo", *at).stdout
    kubectl("delete", "pod", "solo", "--grace-period=1", *at)


def test_a_node_is_drained(kubectls: dict[str, Kubectl]) -> None:
    kubectl = kubectls["1.37"]
    at = ("-n", NAMESPACES["1.37"])
    kubectl("run", "drained", "--image=nginx", *at)
    kubectl("wait", "--for=condition=Ready", "pod/drained", "--timeout=30s", *at)
    node = kubectl.json("get", "pod", "drained", *at)["spec"]["nodeName"]
    try:
        assert "drained" in in_protobuf(kubectl, "drain", node, "--force", "--ignore-daemonsets").stdout
        assert kubectl.run("get", "pod", "drained", *at).returncode == 1
        assert "Unschedulable:      true" in in_protobuf(kubectl, "describe", "node", node).stdout
    finally:
        kubectl("uncordon", node)


def test_events_are_watched(kubectls: dict[str, Kubectl]) -> None:
    """`kubectl events --watch` lists and watches with a typed client."""
    kubectl = kubectls["1.37"]
    at = ("-n", NAMESPACES["1.37"])
    watching = subprocess.Popen(
        ["timeout", "30", str(kubectl.binary), "events", "--watch", "-v=9", *at],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=kubectl.environment,
    )  # fmt: skip
    try:
        kubectl("run", "watched", "--image=nginx", *at)
        assert watching.stdout is not None
        assert any("Pod/watched" in line for line in watching.stdout)
    finally:
        watching.terminate()
        assert f"{PROTOBUF};stream=watch" in watching.communicate()[1]


def test_what_is_refused_is_told(kubectls: dict[str, Kubectl]) -> None:
    kubectl = kubectls["1.37"]
    at = ("-n", NAMESPACES["1.37"])
    kubectl("create", "configmap", "twice", *at)
    done = kubectl.run("create", "configmap", "twice", *at)
    assert (done.returncode, done.stderr.strip()) == (
        1,
        'error: failed to create configmap: configmaps "twice" already exists',
    )
    done = kubectl.run("create", "configmap", "Bad_Name", *at)
    assert "a lowercase RFC 1123 subdomain must consist of" in done.stderr

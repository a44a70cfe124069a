"""Where pods go, seen by kubectl: over zones, away from each other, and in the place of lesser ones. Words: scheduler
`plugins/interpodaffinity`, `plugins/podtopologyspread`, `framework/preemption`."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.clients.conftest import Kubectl, RunningCluster, StartCluster, kubectl_of

NODES = (("a1", "a"), ("a2", "a"), ("b1", "b"))
ZONE = "topology.kubernetes.io/zone"
HOST = "kubernetes.io/hostname"
SCHEDULER = """
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles:
- schedulerName: default-scheduler
- schedulerName: packer
  plugins:
    score: {disabled: [{name: "*"}], enabled: [{name: NodeResourcesFit}]}
  pluginConfig:
  - name: NodeResourcesFit
    args: {scoringStrategy: {type: MostAllocated}}
"""


@pytest.fixture(scope="module")
def zoned(start_cluster: StartCluster, tmp_path_factory: pytest.TempPathFactory) -> RunningCluster:
    """Three nodes of two cores in two zones, with a second scheduler profile."""
    directory = tmp_path_factory.mktemp("zoned")
    (directory / "scheduler.yaml").write_text(SCHEDULER)
    nodes = [{"name": name, "labels": {ZONE: zone}, "cpu": "2"} for name, zone in NODES]
    document = {"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "nodes": nodes}
    config = directory / "cluster.yaml"
    config.write_text(yaml.safe_dump({**document, "tiphys": {"schedulerConfig": "scheduler.yaml"}}))
    return start_cluster("zoned", "--config", str(config))


@pytest.fixture(scope="module")
def here(zoned: RunningCluster) -> Kubectl:
    return kubectl_of("1.32", zoned)


def _deployment(name: str, replicas: int, cpu: str = "100m", **spec: Any) -> dict[str, Any]:
    labels = {"app": name}
    container = {"name": "c", "image": "registry.example/c:1", "resources": {"requests": {"cpu": cpu}}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], **spec}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }


def _apply(kubectl: Kubectl, *documents: dict[str, Any]) -> None:
    kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(documents))


def _rolled_out(kubectl: Kubectl, name: str) -> list[str]:
    """The nodes of a Deployment's pods, once all are available."""
    kubectl("rollout", "status", f"deployment/{name}", "--timeout=30s")
    return [pod["spec"]["nodeName"] for pod in kubectl.json("get", "pods", "-l", f"app={name}")["items"]]


def test_evenly_over_zones(here: Kubectl) -> None:
    constraint = {
        "maxSkew": 1,
        "topologyKey": ZONE,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "spread"}},
    }
    _apply(here, _deployment("spread", 6, topologySpreadConstraints=[constraint]))
    zones = Counter(node[0] for node in _rolled_out(here, "spread"))
    assert zones == {"a": 3, "b": 3}
    here("delete", "deployment", "spread")


def test_one_pod_a_node_leaves_one_pending(here: Kubectl) -> None:
    term = {"topologyKey": HOST, "labelSelector": {"matchLabels": {"app": "lonely"}}}
    far = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    _apply(here, _deployment("lonely", 4, affinity=far))
    here("wait", "deployment/lonely", "--for=jsonpath={.status.readyReplicas}=3", "--timeout=30s")
    field = "--field-selector=status.phase=Pending"
    here("wait", "pod", "-l", "app=lonely", field, "--for=condition=PodScheduled=False", "--timeout=30s")
    (pending,) = here.json("get", "pods", "-l", "app=lonely", field)["items"]
    (condition,) = pending["status"]["conditions"]
    assert (condition["reason"], condition["message"]) == (
        "Unschedulable",
        "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules. no new claims to deallocate, "
        "preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.",
    )
    here("delete", "deployment", "lonely")


def test_the_greater_take_the_place_of_the_lesser(here: Kubectl) -> None:
    great = {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": "great"},
        "value": 1000,
    }
    _apply(here, great, _deployment("lesser", 3, cpu="1500m"))
    assert sorted(_rolled_out(here, "lesser")) == ["a1", "a2", "b1"]
    _apply(here, _deployment("greater", 1, cpu="1500m", priorityClassName="great", nodeSelector={ZONE: "b"}))
    assert _rolled_out(here, "greater") == ["b1"]
    (pod,) = here.json("get", "pods", "-l", "app=greater")["items"]
    events = here.json("get", "events", "--field-selector=reason=Preempted")["items"]
    assert [event["message"] for event in events] == [f"Preempted by pod {pod['metadata']['uid']} on node b1"]
    assert pod["status"].get("nominatedNodeName") in (None, "b1")
    failed = here.json("get", "events", "--field-selector=reason=FailedScheduling")["items"]
    about = [event["message"] for event in failed if event["involvedObject"]["uid"] == pod["metadata"]["uid"]]
    assert about[0] == (
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't match Pod's node affinity/selector."
    )
    lesser = here.json("get", "pods", "-l", "app=lesser")["items"]
    assert len([each for each in lesser if each["spec"].get("nodeName")]) == 2
    here("delete", "deployment", "lesser", "greater")


def test_another_profile_packs(here: Kubectl) -> None:
    _apply(here, _deployment("packed", 4, schedulerName="packer"))
    assert len(set(_rolled_out(here, "packed"))) == 1
    events = here.json("get", "events", "--field-selector=reason=Scheduled")["items"]
    assert "packer" in {event["source"]["component"] for event in events}
    here("delete", "deployment", "packed")


def test_gates_hold_a_pod(here: Kubectl) -> None:
    """SchedulingGates: nothing is tried until the last gate is gone."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "gated"},
        "spec": {
            "containers": [{"name": "c", "image": "registry.example/c:1"}],
            "schedulingGates": [{"name": "example.com/wait"}],
        },
    }
    here("apply", "-f", "-", stdin=json.dumps(pod))
    (condition,) = here.json("get", "pod", "gated")["status"]["conditions"]
    assert (condition["reason"], condition["message"]) == (
        "SchedulingGated",
        "Scheduling is blocked due to non-empty scheduling gates",
    )
    assert "SchedulingGated" in here("get", "pod", "gated")
    here("patch", "pod", "gated", "--type=json", "-p", '[{"op": "remove", "path": "/spec/schedulingGates"}]')
    here("wait", "pod/gated", "--for=condition=Ready", "--timeout=30s")
    here("delete", "pod", "gated")


def test_a_wrong_scheduler_file_is_refused_before_anything_starts(zoned: RunningCluster, tmp_path: Path) -> None:
    (tmp_path / "scheduler.yaml").write_text(SCHEDULER.replace("MostAllocated", "Fullest"))
    config = tmp_path / "cluster.yaml"
    document = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "tiphys": {"schedulerConfig": "scheduler.yaml"},
    }
    config.write_text(yaml.safe_dump(document))
    done = zoned.command("up", "--name", "wrong", "--config", str(config), check=False)
    assert done.returncode == 2
    assert "profiles[1].pluginConfig[0].args.scoringStrategy.type: must be one of LeastAllocated" in done.stderr

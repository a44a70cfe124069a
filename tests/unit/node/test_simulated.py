"""Simulated nodes: stages, addresses, statuses (shapes: kubelet `kubelet_pods.go`, `status/generate.go`)."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

import pytest

from tiphys.base.clock import SystemClock
from tiphys.base.http import Request, Response
from tiphys.base.user import User
from tiphys.client.client import Client
from tiphys.client.in_process import InProcessTransport
from tiphys.client.informer import Informer
from tiphys.node.simulated import pod_status
from tiphys.node.simulated.addresses import AddressPool, node_subnets
from tiphys.node.simulated.pods import SimulatedPods
from tiphys.node.simulated.stage import built_in, first, parse_stage

EXIT = "simulated.tiphys.dev/exit-code"


def _pod(phase: str = "Pending", **parts: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "p", "namespace": "n", "uid": "u", **parts.get("metadata", {})},
        "spec": {"restartPolicy": "Always", "containers": [{"name": "c", "image": "i"}], **parts.get("spec", {})},
        "status": {"phase": phase, **parts.get("status", {})},
    }


def _stage_of(pod: dict[str, Any]) -> str | None:
    stage = first(built_in(), pod)
    return stage.name if stage else None


def test_the_built_in_stages() -> None:
    job = {"ownerReferences": [{"kind": "Job", "controller": True}]}
    assert _stage_of(_pod()) == "run"
    assert _stage_of(_pod("Running")) is None
    assert _stage_of(_pod("Running", metadata=job)) == "complete"
    assert _stage_of(_pod("Running", metadata={"annotations": {EXIT: "3"}})) == "exit"
    assert _stage_of(_pod("Running", metadata={"deletionTimestamp": "now"})) == "delete"
    assert _stage_of(_pod("Succeeded")) is None


def test_delays_and_codes_come_from_annotations() -> None:
    stage = next(stage for stage in built_in() if stage.name == "exit")
    pod = _pod("Running", metadata={"annotations": {EXIT: "3", "simulated.tiphys.dev/run-seconds": "1.5"}})
    assert (stage.exit_code(pod), stage.delay(pod)) == (3, 1.5)
    nonsense = _pod("Running", metadata={"annotations": {EXIT: "x"}})
    assert (stage.exit_code(nonsense), stage.delay(nonsense)) == (1, 0.0)


@pytest.mark.parametrize(
    "document",
    [
        3,
        {"name": "x"},
        {"name": "x", "then": {"exit": 0, "delete": True}},
        {"name": "x", "when": {"phse": []}, "then": {"exit": 0}},
    ],
)
def test_a_stage_that_means_nothing_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match="stage"):
        parse_stage(document)


def test_running_then_exited() -> None:
    pod = _pod(spec={"restartPolicy": "Never"}, status={"conditions": [{"type": "PodScheduled", "status": "True"}]})
    running = pod_status.running(pod, "172.18.0.1", "10.244.0.2", 0)
    assert running["phase"] == "Running"
    assert {c["type"]: c["status"] for c in running["conditions"]} == {
        "PodReadyToStartContainers": "True",
        "Initialized": "True",
        "Ready": "True",
        "ContainersReady": "True",
        "PodScheduled": "True",
    }
    assert running["containerStatuses"][0]["state"] == {"running": {"startedAt": "1970-01-01T00:00:00Z"}}
    failed = pod_status.exited({**pod, "status": running}, 3, 60)
    assert failed["phase"] == "Failed"
    terminated = failed["containerStatuses"][0]["state"]["terminated"]
    assert (terminated["exitCode"], terminated["reason"]) == (3, "Error")
    assert {c["type"]: c["status"] for c in failed["conditions"]}["Ready"] == "False"
    assert pod_status.exited({**pod, "status": running}, 0, 60)["phase"] == "Succeeded"


def test_the_restart_policy_restarts() -> None:
    pod = _pod()
    running = pod_status.running(pod, "172.18.0.1", "10.244.0.2", 0)
    again = pod_status.exited({**pod, "status": running}, 1, 60)
    container = again["containerStatuses"][0]
    assert again["phase"] == "Running"
    assert container["restartCount"] == 1
    assert container["lastState"]["terminated"]["exitCode"] == 1
    assert "running" in container["state"]


def test_a_pod_told_to_go_has_failed_whatever_its_restart_policy() -> None:
    """Kubelet since 1.27: a pod that is being deleted gets a final phase."""
    pod = _pod()
    stopped = pod_status.stopped({**pod, "status": pod_status.running(pod, "172.18.0.1", "10.244.0.2", 0)}, 60)
    assert stopped["phase"] == "Failed"
    terminated = stopped["containerStatuses"][0]["state"]["terminated"]
    assert (terminated["exitCode"], terminated["reason"]) == (143, "Error")
    assert {c["type"]: c["status"] for c in stopped["conditions"]}["Ready"] == "False"
    assert pod_status.stopped(_pod(), 60)["containerStatuses"] == []


def test_readiness_gates_hold_ready_back() -> None:
    pod = _pod(spec={"readinessGates": [{"conditionType": "example.com/lb"}]})
    found = pod_status.running(pod, "172.18.0.1", "10.244.0.2", 0)["conditions"]
    assert {c["type"]: c["status"] for c in found}["Ready"] == "False"


def test_addresses_are_each_given_once() -> None:
    pool = AddressPool(IPv4Network("10.244.3.0/29"))
    first_one = pool.take("a")
    assert first_one == pool.take("a") == "10.244.3.2"
    taken = {pool.take(owner) for owner in "abcde"}
    assert len(taken) == 5
    with pytest.raises(LookupError):
        pool.take("f")
    pool.release("c")
    assert pool.take("f") == "10.244.3.4"


def test_each_node_has_a_subnet() -> None:
    subnets = list(node_subnets(IPv4Network("10.244.0.0/16")))
    assert (len(subnets), str(subnets[1])) == (256, "10.244.1.0/24")
    assert [str(subnet) for subnet in node_subnets(IPv4Network("10.0.0.0/28"))] == ["10.0.0.0/28"]


def test_an_ended_pod_leaves_its_address_to_others() -> None:
    client = Client(InProcessTransport(_unreachable, User("node")))
    informer = Informer(client, "v1", "pods")
    pods = SimulatedPods(client, informer, SystemClock(), [], {"node-1": "172.18.0.1"})
    pool = AddressPool(IPv4Network("10.244.3.0/30"))
    pods.add_node("node-1", pool)
    bound = _pod("Running", spec={"nodeName": "node-1"}, status={"podIP": "10.244.3.2"})
    informer.put("n/p", bound)
    pods.listen()
    with pytest.raises(LookupError):
        pool.take("other")
    pods._changed({**bound, "status": {**bound["status"], "phase": "Succeeded"}})
    assert pool.take("other") == "10.244.3.2"


async def _unreachable(request: Request) -> Response:
    raise AssertionError("nothing is asked of the API")

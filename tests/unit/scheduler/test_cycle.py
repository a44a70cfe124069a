"""Filtering, scoring and the words of refusal. Words: scheduler `framework/types.go` FitError and the plugins."""

from __future__ import annotations

import random

import pytest
from tests.unit.scheduler.world import World, node, pod

from tiphys.scheduler.cycle import Cycle, nodes_to_find
from tiphys.scheduler.framework import PodInfo
from tiphys.scheduler.profile import default_profile

CONTROL_PLANE = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}


def test_requests_against_allocatable() -> None:
    world = World(node("a", cpu="1"), node("b", cpu="2"))
    placed = [world.place(pod({"cpu": "600m"})) for _ in range(5)]
    assert sorted(str(node) for node in placed) == ["None", "a", "b", "b", "b"]


def test_spread_by_least_allocated() -> None:
    world = World(*(node(f"n{index}") for index in range(4)))
    placed = {world.place(pod({"cpu": "500m", "memory": "1Gi"})) for _ in range(4)}
    assert placed == {"n0", "n1", "n2", "n3"}


@pytest.mark.parametrize(
    ("minor", "words"),
    [
        (
            37,
            "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. no new claims to "
            "deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
        ),
        (
            30,
            "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, "
            "2 Insufficient cpu. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
        ),
    ],
)
def test_the_words_of_a_refusal(minor: int, words: str) -> None:
    world = World(node("m", taints=[CONTROL_PLANE]), node("a"), node("b"), minor=minor)
    assert world.why(pod({"cpu": "64"})) == words


def test_a_full_node_names_everything_that_lacks() -> None:
    world = World(node("a", cpu="1", memory="1Gi", pods="1"))
    assert world.place(pod({"cpu": "1", "memory": "1Gi"})) == "a"
    assert world.why(pod({"cpu": "1", "memory": "1Gi"})) == (
        "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 Too many pods. no new claims to "
        "deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
    )


def test_no_nodes_at_all() -> None:
    assert World().why(pod()) == "no nodes available to schedule pods"


def test_extended_resources() -> None:
    gpu = node("a")
    gpu["status"]["allocatable"]["nvidia.com/gpu"] = "1"
    world = World(gpu)
    assert world.place(pod({"nvidia.com/gpu": "1"})) == "a"
    assert world.why(pod({"nvidia.com/gpu": "1"})).startswith(
        "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."
    )


def test_selector_affinity_and_taints() -> None:
    world = World(
        node("ssd", labels={"disk": "ssd"}),
        node("hdd", labels={"disk": "hdd", "size": "9"}),
        node("m", taints=[CONTROL_PLANE]),
    )
    assert world.place(pod(nodeSelector={"disk": "ssd"})) == "ssd"
    required = {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [{"key": "size", "operator": "Gt", "values": ["8"]}]}]
        }
    }
    assert world.place(pod(affinity={"nodeAffinity": required})) == "hdd"
    preferred = {
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {
                "weight": 100,
                "preference": {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["hdd"]}]},
            }
        ]
    }
    assert world.place(pod(affinity={"nodeAffinity": preferred})) == "hdd"
    tolerant = pod(tolerations=[{"operator": "Exists"}], nodeSelector={"kubernetes.io/hostname": "m"})
    assert world.place(tolerant) == "m"
    assert "node(s) didn't match Pod's node affinity/selector" in world.why(pod(nodeSelector={"disk": "tape"}))


def test_soft_taints_are_avoided() -> None:
    soft = {"key": "old", "effect": "PreferNoSchedule"}
    world = World(node("old", taints=[soft]), node("new"))
    assert [world.place(pod()) for _ in range(3)] == ["new"] * 3


def test_a_cordoned_node() -> None:
    world = World(node("a", unschedulable=True))
    assert world.why(pod()).startswith("0/1 nodes are available: 1 node(s) were unschedulable.")


def test_host_ports_clash() -> None:
    world = World(node("a"))
    port = [{"containerPort": 80, "hostPort": 80}]
    assert world.place(pod(ports=port)) == "a"
    assert "node(s) didn't have free ports" in world.why(pod(ports=port))
    assert world.place(pod(ports=[{"containerPort": 80, "hostPort": 81}])) == "a"


def test_a_node_change_is_noticed() -> None:
    world = World(node("a", unschedulable=True))
    info = pod()
    assert world.cycle.run(info).node is None
    world.cache.set_node(node("a"))
    assert world.place(info) == "a"


def test_pods_of_an_unknown_node_are_counted_when_it_comes() -> None:
    world = World()
    world.cache.add_pod(pod({"cpu": "3"}), "late")
    world.cache.set_node(node("late", cpu="4"))
    assert world.place(pod({"cpu": "2"})) is None
    assert world.place(pod({"cpu": "1"})) == "late"


@pytest.mark.parametrize(("total", "wanted"), [(10, 10), (100, 100), (1000, 420), (5000, 500), (6000, 300)])
def test_sampling(total: int, wanted: int) -> None:
    """scheduler `schedule_one.go` numFeasibleNodesToFind."""
    assert nodes_to_find(total) == wanted


def test_what_is_kept_of_nodes_never_changes_an_outcome() -> None:
    """Ours: a cycle that remembers decides as one that looks at everything anew, while pods and nodes change."""
    source = random.Random(7)
    world = World(*(node(f"n{number}", cpu="4", pods="6") for number in range(8)))
    kept, fresh = (Cycle(world.cache, default_profile(), 37, random.Random(3)) for _ in range(2))
    placed: list[PodInfo] = []
    for step in range(300):
        ports = [{"containerPort": 80, "hostPort": 80}] if source.random() < 0.2 else None
        info = pod({"cpu": source.choice(["100m", "1", "3"])}, ports=ports)
        fresh._views.clear()
        fresh._verdicts.clear()
        outcome = kept.run(info)
        assert outcome == fresh.run(info)
        if outcome.node is not None:
            world.cache.add_pod(info, outcome.node)
            placed.append(info)
        if placed and source.random() < 0.6:
            world.cache.remove_pod(placed.pop(source.randrange(len(placed))).uid)
        if step % 20 == 0:
            taints = [CONTROL_PLANE] if source.random() < 0.5 else []
            world.cache.set_node(node(f"n{source.randrange(8)}", cpu=source.choice(["2", "4"]), taints=taints))
    assert 0 < len(placed) < 300


def _bound_for(*names: str) -> dict[str, object]:
    """As a DaemonSet's pods are."""
    fields = [{"key": "metadata.name", "operator": "In", "values": list(names)}]
    required = {"nodeSelectorTerms": [{"matchFields": fields}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


def test_a_pod_for_named_nodes_looks_at_no_others() -> None:
    world = World(*(node(f"n{index}") for index in range(3)))
    assert world.place(pod(affinity=_bound_for("n1", "gone"))) == "n1"
    assert world.cycle._verdicts and all(set(known) == {"n1"} for known in world.cycle._verdicts.values())


@pytest.mark.parametrize(
    ("minor", "words"),
    [
        (32, "1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]"),
        (31, "1 Insufficient cpu, 2 node is filtered out by the prefilter result"),
    ],
)
def test_the_words_for_nodes_that_were_not_named(minor: int, words: str) -> None:
    """schedule_one.go findNodesThatFitPod."""
    world = World(node("a"), node("b"), node("c"), minor=minor)
    preemption = "preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, "
    assert world.place(pod({"cpu": "1"}, affinity=_bound_for("b"))) == "b"
    told = world.why(pod({"cpu": "4"}, affinity=_bound_for("b")))
    claims = "no new claims to deallocate, " if minor >= 34 else ""
    assert (
        told == f"0/3 nodes are available: {words}. {claims}{preemption}2 Preemption is not helpful for scheduling."
    )

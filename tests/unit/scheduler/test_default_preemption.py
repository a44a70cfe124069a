"""DefaultPreemption. Rules and words: scheduler `plugins/defaultpreemption`, `framework/preemption`."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.scheduler.world import HOST, World, node, pod

from tiphys.scheduler.framework import Nomination, PodInfo

CPU = {"cpu": "1"}


def _world(*names: str, cpu: str = "2") -> World:
    return World(*(node(name, cpu=cpu) for name in names))


def _there(world: World, name: str, priority: int, requests: Any = None, **more: Any) -> PodInfo:
    info = pod(requests or CPU, priority=priority, **more)
    world.cache.add_pod(info, name)
    return info


def _nominate(world: World, info: PodInfo) -> Nomination:
    outcome = world.cycle.run(info)
    assert outcome.node is None
    return world.cycle.make_room(info, outcome.refusals)


def _victims(world: World, info: PodInfo) -> tuple[str, set[str]]:
    found = _nominate(world, info)
    return found.node, {victim.uid for victim in found.victims}


def _started(second: int) -> dict[str, str]:
    return {"startTime": f"2026-01-01T00:00:{second:02}Z"}


def test_the_least_important_go_and_no_more_than_needed() -> None:
    world = _world("a", cpu="3")
    _there(world, "a", 5)
    low, _ = _there(world, "a", 1), _there(world, "a", 3)
    assert _victims(world, pod(CPU, priority=10)) == ("a", {low.uid})
    assert len(world.cache.nodes["a"].pods) == 3


def test_among_equals_the_younger_goes() -> None:
    world = _world("a")
    _there(world, "a", 1, status=_started(1))
    young = _there(world, "a", 1, status=_started(2))
    assert _victims(world, pod(CPU, priority=10)) == ("a", {young.uid})


@pytest.mark.parametrize(
    ("on_a", "on_b", "wanted"),
    [
        ([5], [3], "b"),
        ([3, 3], [3], "b"),
        ([5, 1], [5, 2], "a"),
    ],
)
def test_which_node(on_a: list[int], on_b: list[int], wanted: str) -> None:
    """pickOneNodeForPreemption: the lowest highest priority, then the lowest sum, then the fewest pods."""
    world = _world("a", "b")
    for name, priorities in (("a", on_a), ("b", on_b)):
        for priority in priorities:
            _there(world, name, priority, {"cpu": f"{2000 // len(priorities)}m"})
    assert _nominate(world, pod({"cpu": "2"}, priority=10)).node == wanted


def test_the_latest_start_of_the_highest_breaks_ties() -> None:
    world = _world("a", "b", cpu="1")
    _there(world, "a", 1, status=_started(1))
    _there(world, "b", 1, status=_started(9))
    assert _nominate(world, pod(CPU, priority=10)).node == "b"


def _budget(allowed: int, labels: dict[str, str]) -> dict[str, Any]:
    return {
        "metadata": {"name": "budget", "namespace": "n"},
        "spec": {"selector": {"matchLabels": labels}},
        "status": {"disruptionsAllowed": allowed},
    }


def test_budgets_are_kept_where_possible() -> None:
    world = _world("a", "b", cpu="1")
    _there(world, "a", 1, labels={"app": "guarded"})
    _there(world, "b", 5)
    assert _nominate(world, pod(CPU, priority=10)).node == "a"
    world.cache.budgets["n/budget"] = _budget(0, {"app": "guarded"})
    assert _nominate(world, pod(CPU, priority=10)).node == "b"
    assert _nominate(world, pod(CPU, priority=10, nodeSelector={HOST: "a"})).node == "a"
    world.cache.budgets["n/budget"] = _budget(1, {"app": "guarded"})
    assert _nominate(world, pod(CPU, priority=10)).node == "a"


def test_guarded_pods_are_reprieved_first() -> None:
    world = _world("a")
    _there(world, "a", 1, labels={"app": "guarded"})
    free = _there(world, "a", 5)
    world.cache.budgets["n/budget"] = _budget(0, {"app": "guarded"})
    assert _victims(world, pod(CPU, priority=10)) == ("a", {free.uid})


def test_anti_affinity_is_resolved_by_preemption() -> None:
    term = {"topologyKey": HOST, "labelSelector": {"matchLabels": {"app": "web"}}}
    far = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    world = _world("a")
    low = _there(world, "a", 1, {"cpu": "100m"}, labels={"app": "web"})
    _there(world, "a", 1, {"cpu": "100m"}, labels={"app": "db"})
    assert _victims(world, pod(CPU, priority=10, affinity=far)) == ("a", {low.uid})
    assert world.reasons(pod(CPU, priority=10, affinity=far)) == {"a": "node(s) didn't match pod anti-affinity rules"}


def test_the_words() -> None:
    world = _world("a", "b")
    _there(world, "a", 1)
    _there(world, "b", 20, {"cpu": "2"})
    taken = "0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: "
    never = pod({"cpu": "2"}, priority=10, preemptionPolicy="Never")
    assert world.why(never) == taken + "not eligible due to preemptionPolicy=Never."
    _there(world, "a", 20)
    assert world.why(pod({"cpu": "2"}, priority=10)) == (
        taken + "0/2 nodes are available: 1 Insufficient cpu, 1 No preemption victims found for incoming pod."
    )
    assert world.why(pod({"cpu": "2"}, priority=30)) == "0/2 nodes are available: 2 Insufficient cpu."


def test_waits_for_its_victims() -> None:
    world = _world("a", cpu="1")
    condition = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}
    going = _there(world, "a", 1, deletionTimestamp="2026-01-01T00:00:00Z", status={"conditions": [condition]})
    info = pod(CPU, priority=10)
    world.cache.nominated.add(info, "a")
    found = _nominate(world, info)
    assert (found.words, found.kept) == (
        "preemption: not eligible due to a terminating pod on the nominated node.",
        True,
    )
    world.cache.remove_pod(going.uid)
    assert world.place(info) == "a"


def test_a_nominated_node_is_kept_for_its_pod() -> None:
    """Not from those of higher priority (RunFilterPluginsWithNominatedPods)."""
    world = _world("a", cpu="1")
    world.cache.nominated.add(pod(CPU, priority=10), "a")
    assert world.reasons(pod(CPU, priority=10)) == {"a": "Insufficient cpu"}
    assert world.place(pod({"cpu": "0"}, priority=1)) == "a"
    assert world.place(pod(CPU, priority=11)) == "a"
    assert world.cache.nodes["a"].requested["cpu"] == 1000

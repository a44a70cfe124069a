"""PodTopologySpread. Rules and words: scheduler `plugins/podtopologyspread/filtering.go` and `scoring.go`."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from tests.unit.scheduler.world import HOST, ZONE, World, node, pod, zoned

from tiphys.base.label_selector import from_labels

UNEVEN = "node(s) didn't match pod topology spread constraints"
UNLABELLED = f"{UNEVEN} (missing required label)"
WEB = {"app": "web"}


def _constraint(key: str = ZONE, skew: int = 1, *, soft: bool = False, **more: Any) -> dict[str, Any]:
    when = "ScheduleAnyway" if soft else "DoNotSchedule"
    return {
        "maxSkew": skew,
        "topologyKey": key,
        "whenUnsatisfiable": when,
        "labelSelector": {"matchLabels": WEB},
        **more,
    }


def _web(*constraints: dict[str, Any], **more: Any) -> Any:
    return pod(labels={**WEB, **more.pop("labels", {})}, topologySpreadConstraints=list(constraints), **more)


def _world() -> World:
    return World(zoned("a1", "a"), zoned("a2", "a"), zoned("b1", "b"), zoned("c1", "c"))


def test_evenly_over_zones() -> None:
    world = _world()
    zones = Counter(str(world.place(_web(_constraint())))[0] for _ in range(9))
    assert zones == {"a": 3, "b": 3, "c": 3}


def test_skew() -> None:
    world = _world()
    for _ in range(2):
        world.cache.add_pod(pod(labels=WEB), "b1")
    assert world.reasons(_web(_constraint())) == {"b1": UNEVEN}
    assert world.reasons(_web(_constraint(skew=2))) == {"b1": UNEVEN}
    assert world.reasons(_web(_constraint(skew=3))) == {}


def test_a_node_without_the_key() -> None:
    world = World(zoned("a1", "a"), node("bare"))
    assert world.reasons(_web(_constraint())) == {"bare": UNLABELLED}
    assert world.why(_web(_constraint(), nodeSelector={HOST: "bare"})).startswith(
        "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) didn't match pod "
        "topology spread constraints (missing required label)."
    )


def test_pods_that_do_not_count() -> None:
    """Of other namespaces, other labels, and those being deleted."""
    world = _world()
    world.cache.add_pod(pod(labels=WEB, namespace="other"), "a1")
    world.cache.add_pod(pod(labels={"app": "db"}), "a1")
    world.cache.add_pod(pod(labels=WEB, deletionTimestamp="2026-01-01T00:00:00Z"), "a1")
    assert world.reasons(_web(_constraint())) == {}
    world.cache.add_pod(pod(labels=WEB), "a1")
    assert world.reasons(_web(_constraint())) == {"a1": UNEVEN, "a2": UNEVEN}


@pytest.mark.parametrize(("minimum", "uneven"), [(1, set()), (3, set()), (4, {"a1", "a2", "b1", "c1"})])
def test_min_domains(minimum: int, uneven: set[str]) -> None:
    """With fewer domains than that the fewest are taken to be none."""
    world = _world()
    for name in ("a1", "b1", "c1"):
        world.cache.add_pod(pod(labels=WEB), name)
    assert set(world.reasons(_web(_constraint(minDomains=minimum)))) == uneven


def test_which_nodes_are_part_of_the_topology() -> None:
    """Those the node affinity lets through, unless it is to be ignored; those with taints too, unless not."""
    taint = {"key": "old", "effect": "NoSchedule"}
    nodes = [zoned("a1", "a"), zoned("b1", "b"), zoned("c1", "c", taints=[taint])]
    for each in nodes[:2]:
        each["metadata"]["labels"]["disk"] = "ssd"
    world = World(*nodes)
    for name in ("a1", "b1"):
        world.cache.add_pod(pod(labels=WEB), name)
    ssd = {"nodeSelector": {"disk": "ssd"}}
    assert "a1" not in world.reasons(_web(_constraint(), **ssd))
    assert world.reasons(_web(_constraint(nodeAffinityPolicy="Ignore"), **ssd))["a1"] == UNEVEN
    assert world.reasons(_web(_constraint()))["a1"] == UNEVEN
    assert "a1" not in world.reasons(_web(_constraint(nodeTaintsPolicy="Honor")))


def test_match_label_keys() -> None:
    world = _world()
    world.cache.add_pod(pod(labels={**WEB, "rev": "1"}), "a1")
    keyed = _constraint(matchLabelKeys=["rev"])
    assert world.reasons(_web(keyed, labels={"rev": "2"})) == {}
    assert set(world.reasons(_web(keyed, labels={"rev": "1"}))) == {"a1", "a2"}


def test_two_constraints() -> None:
    """Zone and host at once: a1 is even by zone but not by host."""
    world = _world()
    for name in ("a1", "b1", "c1"):
        world.cache.add_pod(pod(labels=WEB), name)
    reasons = world.reasons(_web(_constraint(), _constraint(HOST)))
    assert reasons == {"a1": UNEVEN, "b1": UNEVEN, "c1": UNEVEN}


def test_soft_constraints_only_prefer() -> None:
    world = _world()
    placed = Counter(str(world.place(_web(_constraint(soft=True))))[0] for _ in range(6))
    assert placed == {"a": 2, "b": 2, "c": 2}


def test_pods_of_a_controller_are_spread_by_default() -> None:
    """systemDefaultConstraints: by host name and zone, over what services and controllers select."""
    world = _world()
    world.cache.default_selector = lambda info: from_labels(WEB)
    placed = Counter(world.place(pod(labels=WEB)) for _ in range(8))
    assert placed == {"a1": 2, "a2": 2, "b1": 2, "c1": 2} or max(placed.values()) <= 3
    assert {str(name)[0] for name in placed} == {"a", "b", "c"}

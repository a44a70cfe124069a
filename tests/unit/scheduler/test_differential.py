"""Ours: what is kept and counted on the way never changes a verdict. Each is compared with one worked out by
a walk over all pods (the rules as in upstream's `filtering.go`, read plainly)."""

from __future__ import annotations

import random
from typing import Any

from tests.unit.scheduler.world import HOST, ZONE, World, node, pod

from tiphys.base.label_selector import from_document
from tiphys.scheduler.cache import Cache
from tiphys.scheduler.cycle import Cycle
from tiphys.scheduler.framework import NodeInfo, PodInfo
from tiphys.scheduler.profile import default_profile

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
APPS = ("web", "db", "cache")


def _term(source: random.Random) -> dict[str, Any]:
    term: dict[str, Any] = {"topologyKey": source.choice([HOST, ZONE, "rack"])}
    if source.random() < 0.8:
        term["labelSelector"] = {"matchLabels": {"app": source.choice(APPS)}}
    else:
        expression = {"key": "app", "operator": "NotIn", "values": [source.choice(APPS)]}
        term["labelSelector"] = {"matchExpressions": [expression]}
    term.update(source.choice([{}, {}, {"namespaces": ["m"]}, {"namespaceSelector": {"matchLabels": {"x": "1"}}}]))
    return term


def _affinity(source: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind in ("podAffinity", "podAntiAffinity"):
        if source.random() < 0.3:
            found[kind] = {REQUIRED: [_term(source) for _ in range(source.choice([1, 1, 2]))]}
        if source.random() < 0.3:
            found.setdefault(kind, {})[PREFERRED] = [{"weight": 7, "podAffinityTerm": _term(source)}]
    return found


def _spread(source: random.Random) -> list[dict[str, Any]]:
    return [
        {
            "maxSkew": source.choice([1, 2]),
            "topologyKey": key,
            "whenUnsatisfiable": source.choice(["DoNotSchedule", "ScheduleAnyway"]),
            "labelSelector": {"matchLabels": {"app": source.choice(APPS)}},
            "minDomains": source.choice([1, 3]),
            "nodeTaintsPolicy": source.choice(["Honor", "Ignore"]),
        }
        for key in source.sample([HOST, ZONE], source.choice([0, 0, 1, 2]))
    ]


def _random_pod(source: random.Random) -> PodInfo:
    spec: dict[str, Any] = {"affinity": _affinity(source)}
    constraints = _spread(source)
    if constraints:
        spec["topologySpreadConstraints"] = constraints
    if source.random() < 0.1:
        spec["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return pod(labels={"app": source.choice(APPS)}, namespace=source.choice(["n", "m"]), **spec)


def _random_node(source: random.Random, name: str) -> dict[str, Any]:
    labels = {ZONE: source.choice("abc")} if source.random() < 0.9 else {}
    if source.random() < 0.5:
        labels["rack"] = source.choice("12")
    return node(name, labels=labels, taints=[{"key": "t", "effect": "NoExecute"}] if source.random() < 0.1 else [])


def _concerns(cache: Cache, owner: PodInfo, term: dict[str, Any], other: PodInfo) -> bool:
    names, by_label = term.get("namespaces"), term.get("namespaceSelector")
    if names is None and by_label is None:
        names = [owner.namespace]
    inside = other.namespace in (names or ()) or (
        by_label is not None and from_document(by_label).matches(cache.namespaces.get(other.namespace, {}))
    )
    return inside and from_document(term["labelSelector"]).matches(other.labels)


def _required(info: PodInfo, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = info.pod["spec"]["affinity"].get(kind, {}).get(REQUIRED, [])
    return found


def _naive_affinity(cache: Cache, info: PodInfo, here: NodeInfo) -> str:
    placed = [(each, other) for each in cache.nodes.values() for other in each.pods.values()]

    def same(key: str, each: NodeInfo) -> bool:
        return key in here.labels and each.labels.get(key) == here.labels[key]

    near, far = _required(info, "podAffinity"), _required(info, "podAntiAffinity")
    liked = [(each, other) for each, other in placed if all(_concerns(cache, info, term, other) for term in near)]
    keys = [term["topologyKey"] for term in near]
    if any(key not in here.labels for key in keys):
        return "node(s) didn't match pod affinity rules"
    if not all(any(same(key, each) for each, _ in liked) for key in keys):
        counted = any(key in each.labels for each, _ in liked for key in keys)
        if counted or not all(_concerns(cache, info, term, info) for term in near):
            return "node(s) didn't match pod affinity rules"
    for each, other in placed:
        if any(same(term["topologyKey"], each) and _concerns(cache, info, term, other) for term in far):
            return "node(s) didn't match pod anti-affinity rules"
    for each, other in placed:
        terms = _required(other, "podAntiAffinity")
        if any(same(term["topologyKey"], each) and _concerns(cache, other, term, info) for term in terms):
            return "node(s) didn't satisfy existing pods anti-affinity rules"
    return ""


def _naive_spread(cache: Cache, info: PodInfo, here: NodeInfo) -> str:
    hard = [each for each in info.spread if each["whenUnsatisfiable"] == "DoNotSchedule"]
    keys = [each["topologyKey"] for each in hard]
    for constraint in hard:
        key, selector = constraint["topologyKey"], from_document(constraint["labelSelector"])
        if key not in here.labels:
            return "node(s) didn't match pod topology spread constraints (missing required label)"
        counts: dict[str, int] = {}
        for each in cache.nodes.values():
            honored = constraint["nodeTaintsPolicy"] == "Ignore" or not each.taints
            if all(wanted in each.labels for wanted in keys) and honored:
                amount = sum(
                    other.namespace == info.namespace and not other.terminating and selector.matches(other.labels)
                    for other in each.pods.values()
                )
                counts[each.labels[key]] = counts.get(each.labels[key], 0) + amount
        fewest = min(counts.values()) if counts and len(counts) >= constraint["minDomains"] else 0
        if counts.get(here.labels[key], 0) + selector.matches(info.labels) - fewest > constraint["maxSkew"]:
            return "node(s) didn't match pod topology spread constraints"
    return ""


def _naive(cache: Cache, info: PodInfo) -> dict[str, str]:
    found = {}
    for each in cache.nodes.values():
        tainted = "node(s) had untolerated taint(s)" if each.taints else ""
        found[each.name] = tainted or _naive_spread(cache, info, each) or _naive_affinity(cache, info, each)
    return {name: words for name, words in found.items() if words}


def _rebuilt(cache: Cache) -> Cache:
    """The same nodes and pods in the same order, counted from nothing."""
    fresh = Cache()
    for name, labels in cache.namespaces.items():
        fresh.set_namespace(name, labels)
    for each in cache.nodes.values():
        fresh.set_node(each.node)
        for info in each.pods.values():
            fresh.add_pod(info, each.name)
    return fresh


def test_counts_are_those_of_a_walk_over_all_pods() -> None:
    source = random.Random(11)
    world = World(*(_random_node(source, f"n{number}") for number in range(7)))
    world.cache.set_namespace("n", {})
    placed: list[PodInfo] = []
    refused = 0
    for step in range(500):
        info = _random_pod(source)
        expected = _naive(world.cache, info)
        assert world.reasons(info) == expected, step
        refused += len(expected)
        fresh = Cycle(_rebuilt(world.cache), default_profile(), 37, random.Random(step))
        kept = world.cycle
        kept.random, kept._start, fresh._start = random.Random(step), 0, 0
        chosen = kept.run(info).node
        assert chosen == fresh.run(info).node, step
        if chosen is not None:
            world.cache.add_pod(info, chosen)
            placed.append(info)
        if placed and source.random() < 0.7:
            world.cache.remove_pod(placed.pop(source.randrange(len(placed))).uid)
        if step % 7 == 0:
            name = f"n{source.randrange(7)}"
            if source.random() < 0.3:
                world.cache.remove_node(name)
            world.cache.set_node(_random_node(source, name))
        if step % 50 == 0:
            world.cache.set_namespace("m", {"x": source.choice(["1", "2"])})
    assert refused > 500 and len(placed) > 30


def test_making_room_leaves_no_trace() -> None:
    """Thinking pods away and back changes neither the counts nor what fits."""
    source = random.Random(5)
    world = World(*(_random_node(source, f"n{number}") for number in range(5)))
    for step in range(150):
        low = _random_pod(source)
        name = world.cycle.run(low).node
        if name is not None:
            world.cache.add_pod(low, name)
        high = pod(labels={"app": source.choice(APPS)}, affinity=_affinity(source), priority=9)
        outcome = world.cycle.run(high)
        if outcome.node is None:
            found = world.cycle.make_room(high, outcome.refusals)
            assert world.reasons(high) == _naive(world.cache, high), step
            if found.node:
                for victim in found.victims:
                    world.cache.remove_pod(victim.uid)
                assert found.node not in world.reasons(high), step

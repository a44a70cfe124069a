"""InterPodAffinity. Rules and words: scheduler `plugins/interpodaffinity/filtering.go` and `scoring.go`."""

from __future__ import annotations

from typing import Any

from tests.unit.scheduler.world import HOST, ZONE, World, pod, zoned

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
NEAR = "node(s) didn't match pod affinity rules"
FAR = "node(s) didn't match pod anti-affinity rules"
EXISTING = "node(s) didn't satisfy existing pods anti-affinity rules"
WEB = {"app": "web"}
DB = {"app": "db"}


def _term(labels: dict[str, str], key: str = ZONE, **more: Any) -> dict[str, Any]:
    return {"topologyKey": key, "labelSelector": {"matchLabels": labels}, **more}


def _near(*terms: dict[str, Any]) -> dict[str, Any]:
    return {"podAffinity": {REQUIRED: list(terms)}}


def _far(*terms: dict[str, Any]) -> dict[str, Any]:
    return {"podAntiAffinity": {REQUIRED: list(terms)}}


def _world() -> World:
    return World(zoned("a1", "a"), zoned("a2", "a"), zoned("b1", "b"))


def test_near_others_by_zone() -> None:
    world = _world()
    world.cache.add_pod(pod(labels=DB), "a1")
    wanting = pod(affinity=_near(_term(DB)))
    assert world.reasons(wanting) == {"b1": NEAR}
    assert world.place(wanting) in ("a1", "a2")


def test_nobody_is_near_yet() -> None:
    """Not for those who want others; for the first of those who want their own kind, anywhere is near, if the node
    has the key."""
    world = _world()
    assert set(world.reasons(pod(affinity=_near(_term(DB)))).values()) == {NEAR}
    own = pod(labels=WEB, affinity=_near(_term(WEB)))
    assert world.reasons(own) == {}
    unlabelled = pod(labels=WEB, affinity=_near(_term(WEB, "rack")))
    assert set(world.reasons(unlabelled).values()) == {NEAR}
    world.cache.add_pod(pod(labels=WEB), "b1")
    assert world.reasons(own) == {"a1": NEAR, "a2": NEAR}


def test_all_terms_are_met_by_one_pod() -> None:
    """A pod counts only if every term matches it (podMatchesAllAffinityTerms)."""
    world = _world()
    world.cache.add_pod(pod(labels=DB), "a1")
    world.cache.add_pod(pod(labels={"tier": "x"}), "a1")
    both = pod(affinity=_near(_term(DB), _term({"tier": "x"})))
    assert set(world.reasons(both).values()) == {NEAR}
    world.cache.add_pod(pod(labels={**DB, "tier": "x"}), "b1")
    assert world.place(both) == "b1"


def test_far_from_others_and_they_from_it() -> None:
    world = _world()
    lonely = pod(labels=WEB, affinity=_far(_term(WEB, HOST)))
    world.cache.add_pod(lonely, "a1")
    assert world.reasons(pod(labels=WEB, affinity=_far(_term(WEB, HOST)))) == {"a1": FAR}
    assert world.reasons(pod(labels=WEB)) == {"a1": EXISTING}
    assert world.reasons(pod(labels=DB)) == {}
    world.cache.remove_pod(lonely.uid)
    assert world.reasons(pod(labels=WEB)) == {}


def test_the_words_of_a_pod_too_many() -> None:
    world = _world()
    for name in ("a1", "a2", "b1"):
        world.cache.add_pod(pod(labels=WEB, affinity=_far(_term(WEB, HOST))), name)
    assert world.why(pod(labels=WEB, affinity=_far(_term(WEB, HOST)))) == (
        "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules. no new claims to deallocate, "
        "preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod."
    )
    assert world.why(pod(affinity=_near(_term({"app": "none"})))) == (
        "0/3 nodes are available: 3 node(s) didn't match pod affinity rules. no new claims to deallocate, "
        "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
    )


def test_namespaces() -> None:
    """Only one's own by default; named ones, or those with a label, which may change; `{}` is all of them."""
    world = _world()
    world.cache.set_namespace("n", {})
    world.cache.set_namespace("m", {"team": "x"})
    world.cache.add_pod(pod(labels=DB, namespace="m"), "a1")
    assert len(world.reasons(pod(affinity=_near(_term(DB))))) == 3
    assert world.place(pod(affinity=_near(_term(DB, HOST, namespaces=["m"])))) == "a1"
    by_label = _near(_term(DB, HOST, namespaceSelector={"matchLabels": {"team": "x"}}))
    assert world.place(pod(affinity=by_label)) == "a1"
    assert world.place(pod(affinity=_near(_term(DB, HOST, namespaceSelector={})))) == "a1"
    world.cache.set_namespace("m", {"team": "y"})
    assert len(world.reasons(pod(affinity=by_label))) == 3


def test_existing_pods_object_by_namespace_label() -> None:
    world = _world()
    world.cache.set_namespace("m", {"team": "x"})
    objector = pod(affinity=_far(_term(WEB, namespaceSelector={"matchLabels": {"team": "x"}})))
    world.cache.add_pod(objector, "a1")
    assert world.reasons(pod(labels=WEB)) == {}
    assert world.reasons(pod(labels=WEB, namespace="m")) == {"a1": EXISTING, "a2": EXISTING}


def test_match_label_keys() -> None:
    """`matchLabelKeys` narrows to pods with the same value, `mismatchLabelKeys` to those with another."""
    world = _world()
    world.cache.add_pod(pod(labels={**WEB, "rev": "1"}), "a1")
    same = _far(_term(WEB, HOST, matchLabelKeys=["rev"]))
    assert world.reasons(pod(labels={**WEB, "rev": "2"}, affinity=same)) == {}
    assert world.reasons(pod(labels={**WEB, "rev": "1"}, affinity=same)) == {"a1": FAR}
    other = _far(_term(WEB, HOST, mismatchLabelKeys=["rev"]))
    assert world.reasons(pod(labels={**WEB, "rev": "2"}, affinity=other)) == {"a1": FAR}
    assert world.reasons(pod(labels={**WEB, "rev": "1"}, affinity=other)) == {}


def _soft(kind: str, weight: int, term: dict[str, Any]) -> dict[str, Any]:
    return {kind: {PREFERRED: [{"weight": weight, "podAffinityTerm": term}]}}


def test_preferences_both_ways() -> None:
    for affinity, labels, wanted in (
        (_soft("podAffinity", 100, _term(DB, HOST)), {}, "b1"),
        (_soft("podAntiAffinity", 100, _term({"app": "other"}, ZONE)), {}, "b1"),
    ):
        world = _world()
        world.cache.add_pod(pod(labels=DB), "b1")
        world.cache.add_pod(pod(labels={"app": "other"}), "a2")
        assert world.place(pod(labels=labels, affinity=affinity)) == wanted
    for held, wanted in (
        (_soft("podAffinity", 100, _term(WEB, HOST)), "b1"),
        (_near(_term(WEB, HOST)), "b1"),
    ):
        world = _world()
        world.cache.add_pod(pod(affinity=held), "b1")
        assert world.place(pod(labels=WEB)) == wanted
    world = World(zoned("a1", "a"), zoned("b1", "b"))
    world.cache.add_pod(pod(affinity=_soft("podAntiAffinity", 100, _term(WEB, ZONE))), "b1")
    assert world.place(pod(labels=WEB)) == "a1"


def test_a_node_is_relabelled() -> None:
    world = _world()
    world.cache.add_pod(pod(labels=DB), "a1")
    wanting = pod(affinity=_near(_term(DB)))
    assert world.reasons(wanting) == {"b1": NEAR}
    world.cache.set_node(zoned("a1", "b"))
    assert world.reasons(wanting) == {"a2": NEAR}
    world.cache.remove_node("a1")
    assert world.reasons(wanting) == {"a2": NEAR, "b1": NEAR}

"""DefaultPreemption: a pod that fits nowhere takes the place of pods of lower priority
(plugins/defaultpreemption, framework/preemption).

On each node where it could help, all pods of lower priority are thought away; if the pod then fits, as many as
possible are thought back, those whose disruption budget would be broken first, then the more important. The node
where this does the least harm is nominated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tiphys.base.document import Document
from tiphys.scheduler.arguments import integer, only
from tiphys.scheduler.cache import Cache
from tiphys.scheduler.cycle import Cycle
from tiphys.scheduler.fit_error import available
from tiphys.scheduler.framework import NodeInfo, Nomination, PodInfo, Refusal
from tiphys.scheduler.term import selector_of

_NOT_HELPFUL = Refusal(("Preemption is not helpful for scheduling",))
_NO_VICTIMS = Refusal(("No preemption victims found for incoming pod",))
NEVER = "preemption: not eligible due to preemptionPolicy=Never."
WAITING = "preemption: not eligible due to a terminating pod on the nominated node."
STILL_TO_START = "9999"
"""Sorts after every start time: a pod without one has not begun."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node, and whom the pod would displace there, the most important first."""

    node: str
    victims: tuple[PodInfo, ...]
    violations: int
    """How many of them against their disruption budget."""


class DefaultPreemption:
    NAME = "DefaultPreemption"

    def __init__(self, percentage: int = 10, least: int = 100) -> None:
        """How many candidates are enough: this percentage of the nodes in question, and at least so many."""
        self._percentage = percentage
        self._least = least

    def configured(self, args: Mapping[str, Any]) -> DefaultPreemption:
        only(args, ("minCandidateNodesPercentage", "minCandidateNodesAbsolute"))
        percentage = integer(args, "minCandidateNodesPercentage", 10, 0, 100)
        return DefaultPreemption(percentage, integer(args, "minCandidateNodesAbsolute", 100, 0, 2**31 - 1))

    def post_filter(self, pod: PodInfo, refusals: Mapping[str, Refusal], cycle: Cycle) -> Nomination:
        cache = cycle.cache
        if pod.pod["spec"].get("preemptionPolicy") == "Never":
            return Nomination(words=NEVER, kept=True)
        if _waits_for_victims(pod, refusals, cache):
            return Nomination(words=WAITING, kept=True)
        candidates, why = self._dry_run(pod, refusals, cycle)
        if candidates:
            best = min(candidates, key=lambda candidate: _harm(candidate, cache))
            return Nomination(best.node, best.victims)
        reasons = Counter(reason for refusal in why.values() for reason in refusal.reasons)
        unhelpful = len(cache.nodes) - len(why)
        if unhelpful:
            reasons[_NOT_HELPFUL.reasons[0]] += unhelpful
        return Nomination(words=f"preemption: {available(len(cache.nodes), reasons)}.")

    def _dry_run(
        self, pod: PodInfo, refusals: Mapping[str, Refusal], cycle: Cycle
    ) -> tuple[list[Candidate], dict[str, Refusal]]:
        """Candidates, those that break no budget first, and why other nodes are none."""
        nodes = [cycle.cache.nodes[name] for name, refusal in refusals.items() if refusal.resolvable]
        enough = min(max(len(nodes) * self._percentage // 100, self._least), len(nodes))
        offset = cycle.random.randrange(len(nodes)) if nodes else 0
        kind, hard, why = list[Candidate](), list[Candidate](), dict[str, Refusal]()
        for place in range(len(nodes)):
            node = nodes[(offset + place) % len(nodes)]
            found = _candidate(pod, node, cycle)
            if isinstance(found, Refusal):
                why[node.name] = found
                continue
            (hard if found.violations else kind).append(found)
            if kind and len(kind) + len(hard) >= enough:
                break
        return kind + hard, why


def _waits_for_victims(pod: PodInfo, refusals: Mapping[str, Refusal], cache: Cache) -> bool:
    """Whether it preempted already and the victims are still there; not if its node became unfit meanwhile."""
    name = cache.nominated.node_of(pod.uid)
    node = cache.nodes.get(name or "")
    if node is None or (node.name in refusals and not refusals[node.name].resolvable):
        return False
    lower = (other for other in node.pods.values() if other.priority < pod.priority and other.terminating)
    return any(_was_preempted(cache.latest(other)) for other in lower)


def _was_preempted(pod: Document) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(
        (each.get("type"), each.get("status"), each.get("reason"))
        == ("DisruptionTarget", "True", "PreemptionByScheduler")
        for each in conditions
    )


def _candidate(pod: PodInfo, node: NodeInfo, cycle: Cycle) -> Candidate | Refusal:
    """Whom the pod would displace on the node, or why that does not help (SelectVictimsOnNode)."""
    cache = cycle.cache
    if not any(count for priority, count in node.priorities.items() if priority < pod.priority):
        return _NO_VICTIMS
    lower = [other for other in node.pods.values() if other.priority < pod.priority]
    lower.sort(key=lambda other: _importance(other, cache))
    with cache.pretence(node):
        for other in lower:
            cache.lift(other, node)
        refusal = cycle.fits(pod, node)
        if refusal is not None:
            return refusal
        guarded, free = _by_budget(lower, cache.budgets.values())
        broken = _not_reprieved(pod, node, guarded, cycle)
        others = _not_reprieved(pod, node, free, cycle)
    victims = sorted((*broken, *others), key=lambda other: _importance(other, cache))
    if not victims:
        return _NO_VICTIMS
    return Candidate(node.name, tuple(victims), len(broken))


def _not_reprieved(pod: PodInfo, node: NodeInfo, pods: Iterable[PodInfo], cycle: Cycle) -> list[PodInfo]:
    """Puts back those beside which the pod still fits; the others."""
    gone = []
    for other in pods:
        cycle.cache.put(other, node)
        if cycle.fits(pod, node) is not None:
            cycle.cache.lift(other, node)
            gone.append(other)
    return gone


def _by_budget(pods: Sequence[PodInfo], budgets: Iterable[Document]) -> tuple[list[PodInfo], list[PodInfo]]:
    """Pods whose going breaks a disruption budget, and the others (filterPodsWithPDBViolation)."""
    guards = [
        (budget["metadata"].get("namespace"), selector_of((budget.get("spec") or {}).get("selector")), budget)
        for budget in budgets
    ]
    left = [(budget.get("status") or {}).get("disruptionsAllowed") or 0 for _, _, budget in guards]
    guarded, free = list[PodInfo](), list[PodInfo]()
    for pod in pods:
        breaks = False
        for place, (namespace, selector, budget) in enumerate(guards if pod.labels else ()):
            if namespace != pod.namespace or selector.empty or not selector.matches(pod.labels):
                continue
            if pod.pod["metadata"]["name"] in ((budget.get("status") or {}).get("disruptedPods") or {}):
                continue
            left[place] -= 1
            breaks = breaks or left[place] < 0
        (guarded if breaks else free).append(pod)
    return guarded, free


def _importance(pod: PodInfo, cache: Cache) -> tuple[int, str]:
    """The more important first: higher priority, then earlier start (MoreImportantPod)."""
    return -pod.priority, _started(pod, cache)


def _started(pod: PodInfo, cache: Cache) -> str:
    return (cache.latest(pod).get("status") or {}).get("startTime") or STILL_TO_START


def _harm(candidate: Candidate, cache: Cache) -> tuple[int, int, int, int, tuple[int, ...]]:
    """Fewest budgets broken, lowest highest priority, lowest sum of priorities (made positive first, so that few low
    pods weigh less than many), fewest pods, latest start of the highest (pickOneNodeForPreemption)."""
    victims = candidate.victims
    highest = victims[0].priority
    earliest = min(_started(pod, cache) for pod in victims if pod.priority == highest)
    return (
        candidate.violations,
        highest,
        sum(pod.priority + 2**31 for pod in victims),
        len(victims),
        tuple(-ord(letter) for letter in earliest),
    )


PLUGIN = DefaultPreemption()

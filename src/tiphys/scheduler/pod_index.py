"""Counts of pods by sort, node and topology value, kept as pods come and go.

Pod affinity and topology spread ask how many pods of a sort are in a zone, and which pods already there object to a
new one. Upstream walks all pods for each pod it schedules; here an answer costs what its sort and its topology
values cost, however many pods there are: a sort asked for once is counted from then on.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from tiphys.base.label_selector import IN, Selector
from tiphys.scheduler.framework import NodeInfo, PodInfo
from tiphys.scheduler.term import Scope, Term

KEPT_SORTS = 20_000
"""More sorts than these asked for, and counting begins anew: far more than a large cluster has Deployments."""
REQUIRED_NEAR, REQUIRED_FAR, PREFERRED = range(3)
"""How a pod carries a term."""

Item = TypeVar("Item", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Sort:
    """Pods that all scopes cover; `alive`: that are not being deleted. Looked up often, so it is hashed once."""

    scopes: tuple[Scope, ...]
    alive: bool = False
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.scopes, self.alive)))

    def __hash__(self) -> int:
        return self._hash


class Tally:
    """How many pods of one sort are on each node, and at each value of the topology keys asked for. No zeros."""

    __slots__ = ("_by_value", "by_node")

    def __init__(self) -> None:
        self.by_node: dict[str, int] = {}
        self._by_value: dict[str, dict[str, int]] = {}

    def count(self, node: NodeInfo, amount: int) -> None:
        _add(self.by_node, node.name, amount)
        for key, values in self._by_value.items():
            value = node.labels.get(key)
            if value is not None:
                _add(values, value, amount)

    def at(self, key: str, nodes: Mapping[str, NodeInfo]) -> dict[str, int]:
        """Counts by the values of a topology key, of nodes that have it. Not to be changed."""
        known = self._by_value.get(key)
        if known is None:
            known = self._by_value[key] = {}
            for name, amount in self.by_node.items():
                value = nodes[name].labels.get(key)
                if value is not None:
                    _add(known, value, amount)
        return known

    def relabelled(self) -> None:
        self._by_value.clear()


class Files(Generic[Item]):
    """Items by the scope that says which pods they concern: found by namespace and by one label they demand."""

    def __init__(self) -> None:
        self._drawers: dict[tuple[str | None, tuple[str, str] | None], dict[Item, None]] = {}

    def add(self, scope: Scope, item: Item) -> None:
        self._drawers.setdefault(_drawer(scope), {})[item] = None

    def remove(self, scope: Scope, item: Item) -> None:
        drawer = self._drawers.get(_drawer(scope), {})
        drawer.pop(item, None)
        if not drawer:
            self._drawers.pop(_drawer(scope), None)

    def clear(self) -> None:
        self._drawers.clear()

    def concerning(self, pod: PodInfo) -> Iterator[Item]:
        """Those whose scope may cover the pod, which is for the caller to see."""
        if not self._drawers:
            return
        for namespace in (pod.namespace, None):
            for label in (*pod.labels.items(), None):
                yield from self._drawers.get((namespace, label), ())


class PodIndex:
    """Told of every pod that comes to or leaves a known node. `namespaces` are the labels of each."""

    def __init__(self, nodes: Mapping[str, NodeInfo], namespaces: Mapping[str, Mapping[str, str]]) -> None:
        self._nodes = nodes
        self._namespaces = namespaces
        self._sorts: dict[Sort, Tally] = {}
        self._files: Files[Sort] = Files()
        self._carried: dict[tuple[int, Term], Tally] = {}
        self._terms: tuple[Files[Term], ...] = (Files(), Files(), Files())

    def count(self, pod: PodInfo, node: NodeInfo, amount: int) -> None:
        """One pod more (1) or fewer (-1) on a node."""
        if self._sorts:
            for sort in self._files.concerning(pod):
                if self._is_of(sort, pod):
                    self._sorts[sort].count(node, amount)
        terms = pod.terms
        for how, carried in enumerate((terms.affinity, terms.anti_affinity, terms.preferred)):
            for term in carried:
                self._carry(how, term, node, amount)

    def tally(self, sort: Sort) -> Tally:
        """The counts of a sort; they stay true as long as they are kept here."""
        known = self._sorts.get(sort)
        if known is None:
            if len(self._sorts) >= KEPT_SORTS:
                self._forget()
            known = self._sorts[sort] = Tally()
            self._files.add(sort.scopes[0], sort)
            self._count_all(sort, known)
        return known

    def _count_all(self, sort: Sort, tally: Tally) -> None:
        """The one walk over all pods: 0.1 microseconds for each that lacks the label that is demanded."""
        key, value = _demanded(sort.scopes[0].selector) or ("", None)
        for node in self._nodes.values():
            amount = sum(
                1
                for pod in node.pods.values()
                if (value is None or pod.labels.get(key) == value) and self._is_of(sort, pod)
            )
            if amount:
                tally.count(node, amount)

    def objections(self, how: int, pod: PodInfo) -> list[tuple[Term, Tally]]:
        """The terms that pods on nodes carry so and that concern this pod, with where those pods are."""
        labels = self._namespaces.get(pod.namespace, {})
        return [
            (term, self._carried[how, term])
            for term in self._terms[how].concerning(pod)
            if term.scope.covers(pod.namespace, pod.labels, labels)
        ]

    def relabelled(self) -> None:
        """Labels of a node changed."""
        for tally in (*self._sorts.values(), *self._carried.values()):
            tally.relabelled()

    def namespaces_changed(self) -> None:
        """Labels of a namespace changed: what was counted by them is counted anew when asked for."""
        for sort in [
            sort for sort in self._sorts if any(not each.namespace_selector.nothing for each in sort.scopes)
        ]:
            del self._sorts[sort]
            self._files.remove(sort.scopes[0], sort)

    def _forget(self) -> None:
        self._sorts.clear()
        self._files.clear()

    def _is_of(self, sort: Sort, pod: PodInfo) -> bool:
        if sort.alive and pod.terminating:
            return False
        labels = self._namespaces.get(pod.namespace, {})
        return all(scope.covers(pod.namespace, pod.labels, labels) for scope in sort.scopes)

    def _carry(self, how: int, term: Term, node: NodeInfo, amount: int) -> None:
        tally = self._carried.get((how, term))
        if tally is None:
            tally = self._carried[how, term] = Tally()
            self._terms[how].add(term.scope, term)
        tally.count(node, amount)
        if not tally.by_node:
            del self._carried[how, term]
            self._terms[how].remove(term.scope, term)


def _add(counts: dict[str, int], key: str, amount: int) -> None:
    total = counts.get(key, 0) + amount
    if total:
        counts[key] = total
    else:
        counts.pop(key, None)


def _drawer(scope: Scope) -> tuple[str | None, tuple[str, str] | None]:
    one = len(scope.namespaces) == 1 and scope.namespace_selector.nothing
    return (next(iter(scope.namespaces)) if one else None), _demanded(scope.selector)


def _demanded(selector: Selector) -> tuple[str, str] | None:
    for each in selector.requirements:
        if each.operator in (IN, "=", "==") and len(each.values) == 1:
            return each.key, each.values[0]
    return None

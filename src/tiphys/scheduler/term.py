"""Which pods a pod wants near or far: the terms of its pod affinity (scheduler `framework/types.go` AffinityTerm)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from tiphys.base.document import Document
from tiphys.base.label_selector import IN, NOT_IN, NOTHING, Requirement, Selector, from_document
from tiphys.resource.node_selector import REQUIRED

PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


@dataclass(frozen=True, slots=True)
class Scope:
    """A sort of pods: those of some namespaces (by name or by label) that a selector selects."""

    namespaces: frozenset[str]
    namespace_selector: Selector
    selector: Selector

    def covers(self, namespace: str, labels: Mapping[str, str], namespace_labels: Mapping[str, str]) -> bool:
        """Whether a pod of this namespace (whose labels are given) and labels is of the sort."""
        if namespace not in self.namespaces and not self.namespace_selector.matches(namespace_labels):
            return False
        return self.selector.matches(labels)


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """Pods of the scope within one value of the topology key. The weight of a preferred anti-affinity is negative.

    Terms are told apart by identity; replicas share theirs.
    """

    topology_key: str
    scope: Scope
    weight: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """All of a pod's."""

    affinity: tuple[Term, ...] = ()
    anti_affinity: tuple[Term, ...] = ()
    preferred: tuple[Term, ...] = ()


NO_TERMS = Terms()


def read_terms(affinity: Document, namespace: str, labels: Mapping[str, str]) -> Terms:
    """The terms in `spec.affinity` of a pod; 5 microseconds for one read before. Types are checked by the API."""
    if not affinity.get("podAffinity") and not affinity.get("podAntiAffinity"):
        return NO_TERMS
    near, far = affinity.get("podAffinity") or {}, affinity.get("podAntiAffinity") or {}
    return _parsed(orjson.dumps((near, far, namespace, labels), option=orjson.OPT_SORT_KEYS))


def merged(selector: Selector, labels: Mapping[str, str], match: Iterable[str], mismatch: Iterable[str]) -> Selector:
    """The selector with `matchLabelKeys` and `mismatchLabelKeys` made into requirements of the pod's own values."""
    more = [Requirement(key, IN, (labels[key],)) for key in match if key in labels]
    more += [Requirement(key, NOT_IN, (labels[key],)) for key in mismatch if key in labels]
    if not more or selector.nothing:
        return selector
    every = {*selector.requirements, *more}
    return Selector(tuple(sorted(every, key=lambda each: (each.key, each.operator, each.values))))


def selector_of(document: Document | None) -> Selector:
    """A label selector; one that is not valid selects nothing."""
    try:
        return from_document(document)
    except ValueError:
        return NOTHING


@lru_cache(maxsize=1024)
def _parsed(text: bytes) -> Terms:
    near, far, namespace, labels = orjson.loads(text)

    def term(found: Document, weight: int = 0) -> Term:
        return _term(found, namespace, labels, weight)

    preferred = [term(each.get("podAffinityTerm") or {}, each["weight"]) for each in near.get(PREFERRED) or ()]
    preferred += [term(each.get("podAffinityTerm") or {}, -each["weight"]) for each in far.get(PREFERRED) or ()]
    return Terms(
        tuple(term(each) for each in near.get(REQUIRED) or ()),
        tuple(term(each) for each in far.get(REQUIRED) or ()),
        tuple(preferred),
    )


def _term(found: Document, namespace: str, labels: dict[str, str], weight: int) -> Term:
    names: list[Any] = found.get("namespaces") or []
    by_label = found.get("namespaceSelector")
    if not names and by_label is None:
        names = [namespace]
    match, mismatch = found.get("matchLabelKeys") or (), found.get("mismatchLabelKeys") or ()
    selector = merged(selector_of(found.get("labelSelector")), labels, match, mismatch)
    return Term(found.get("topologyKey") or "", Scope(frozenset(names), selector_of(by_label), selector), weight)

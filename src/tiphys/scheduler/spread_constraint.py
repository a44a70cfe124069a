"""Topology spread constraints, read (plugins/podtopologyspread `common.go`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import orjson

from tiphys.base.document import Document
from tiphys.base.label_selector import NOTHING, Selector
from tiphys.scheduler.framework import NodeInfo, PodInfo
from tiphys.scheduler.pod_index import Sort
from tiphys.scheduler.taints import tolerated
from tiphys.scheduler.term import Scope, merged, selector_of

HARD = "DoNotSchedule"
SOFT = "ScheduleAnyway"
HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"


@dataclass(frozen=True, slots=True)
class Constraint:
    """One constraint of one pod. `honors_*`: nodes that the pod's node affinity or a taint keeps it from are no part
    of the topology."""

    topology_key: str
    max_skew: int
    sort: Sort
    min_domains: int = 1
    honors_affinity: bool = True
    honors_taints: bool = False

    @property
    def selector(self) -> Selector:
        return self.sort.scopes[0].selector


def read_constraints(pod: PodInfo, action: str) -> tuple[Constraint, ...]:
    """Those of the pod that are hard or soft; replicas share theirs."""
    return _parsed(orjson.dumps((pod.spread, pod.namespace, pod.labels), option=orjson.OPT_SORT_KEYS), action)


@lru_cache(maxsize=1024)
def constraints_for(
    namespace: str, wanted: tuple[tuple[str, int], ...], selector: Selector
) -> tuple[Constraint, ...]:
    """Constraints that nobody wrote into the pod: (topology key, max skew), over what the selector selects."""
    sort = _sort(namespace, selector)
    return tuple(Constraint(key, skew, sort) for key, skew in wanted)


def is_eligible(pod: PodInfo, node: NodeInfo, constraint: Constraint, affine: bool) -> bool:
    """Whether the node is part of the constraint's topology (matchNodeInclusionPolicies)."""
    if constraint.honors_affinity and not affine:
        return False
    if not constraint.honors_taints:
        return True
    hard = (taint for taint in node.taints if taint.get("effect") in ("NoSchedule", "NoExecute"))
    return all(tolerated(taint, pod.tolerations) for taint in hard)


@lru_cache(maxsize=1024)
def _parsed(text: bytes, action: str) -> tuple[Constraint, ...]:
    found, namespace, labels = orjson.loads(text)
    return tuple(_constraint(each, namespace, labels) for each in found if each.get("whenUnsatisfiable") == action)


def _constraint(found: Document, namespace: str, labels: dict[str, str]) -> Constraint:
    keys = found.get("matchLabelKeys") or ()
    return Constraint(
        topology_key=found["topologyKey"],
        max_skew=found["maxSkew"],
        sort=_sort(namespace, merged(selector_of(found.get("labelSelector")), labels, keys, ())),
        min_domains=found.get("minDomains") or 1,
        honors_affinity=found.get("nodeAffinityPolicy", "Honor") == "Honor",
        honors_taints=found.get("nodeTaintsPolicy", "Ignore") == "Honor",
    )


def _sort(namespace: str, selector: Selector) -> Sort:
    return Sort((Scope(frozenset((namespace,)), NOTHING, selector),), alive=True)

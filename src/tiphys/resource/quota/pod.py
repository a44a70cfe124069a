"""Pods: how many, and what they request and may use (kubernetes `pkg/quota/v1/evaluator/core/pods.go`).

`count/pods` counts every stored pod; `pods` and the compute resources only those that have not come to their end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tiphys.base.clock import parse_rfc3339
from tiphys.base.document import Document
from tiphys.base.name_rules import label_key
from tiphys.base.quantity import Quantity
from tiphys.resource.pod_requests import HUGE_PAGES, pod_limits, pod_requests
from tiphys.resource.qos import BEST_EFFORT, pod_qos
from tiphys.resource.quota.evaluator import CREATE, UPDATE
from tiphys.resource.quota.object_count import ONE
from tiphys.resource.quota.scope import names_match
from tiphys.resource.resource_list import ResourceList, read

_REQUESTS = "requests."
_LIMITS = "limits."
_COMPUTE = ("cpu", "memory", "ephemeral-storage")
_NAMES = {
    "count/pods",
    "pods",
    *_COMPUTE,
    *(_REQUESTS + name for name in _COMPUTE),
    *(_LIMITS + name for name in _COMPUTE),
}
_PREFIXES = (HUGE_PAGES, _REQUESTS + HUGE_PAGES)
_MUST_BE_SET = {"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"}
"""What each container must say itself if a quota counts it; upstream calls it a mistake and adds no more."""


class PodEvaluator:
    group = ""
    plural = "pods"

    def handles(self, operation: str, subresource: str, new: Document | None, old: Document | None) -> bool:
        if subresource:
            return operation == UPDATE and subresource == "resize"
        return operation == CREATE

    def matching(self, names: Iterable[str]) -> list[str]:
        return sorted({name for name in names if name in _NAMES or name.startswith(_PREFIXES) or _extended(name)})

    def in_scope(self, requirement: Document, document: Document) -> bool:
        scope = requirement.get("scopeName")
        if scope in ("Terminating", "NotTerminating"):
            return _has_deadline(document) is (scope == "Terminating")
        if scope in ("BestEffort", "NotBestEffort"):
            return (pod_qos(document) == BEST_EFFORT) is (scope == "BestEffort")
        if scope == "PriorityClass":
            name = (document.get("spec") or {}).get("priorityClassName")
            return names_match(requirement, (name,) if name else ())
        return scope == "CrossNamespacePodAffinity" and _crosses_namespaces(document)

    def missing(self, required: Iterable[str], document: Document) -> str:
        wanted = sorted(_MUST_BE_SET.intersection(required))
        lacking: dict[str, set[str]] = {}
        for container in _containers(document) if wanted else ():
            resources = container.get("resources") or {}
            said = _compute_usage(read(resources.get("requests")), read(resources.get("limits")))
            for name in wanted:
                if name not in said:
                    lacking.setdefault(name, set()).add(container.get("name", ""))
        texts = [f"{name} for: {','.join(sorted(lacking[name]))}" for name in sorted(lacking)]
        return f"must specify {'; '.join(texts)}" if texts else ""

    def usage(self, document: Document, now: float) -> ResourceList:
        if not is_charged(document, now):
            return {"count/pods": ONE}
        used = _compute_usage(pod_requests(document, status=True), pod_limits(document, status=True))
        used["count/pods"] = ONE
        return used


def is_charged(pod: Document, now: float) -> bool:
    """Whether a pod still takes from quota: not finished, and not stuck in its deletion (QuotaV1Pod)."""
    if (pod.get("status") or {}).get("phase") in ("Failed", "Succeeded"):
        return False
    meta = pod.get("metadata") or {}
    deletion, grace = meta.get("deletionTimestamp"), meta.get("deletionGracePeriodSeconds")
    if deletion is None or grace is None:
        return True
    return now <= parse_rfc3339(deletion) + float(grace)


def _compute_usage(requests: Mapping[str, Quantity], limits: Mapping[str, Quantity]) -> ResourceList:
    """Requests and limits under the names that quotas know them by (podComputeUsageHelper)."""
    used: ResourceList = {"pods": ONE}
    for name in _COMPUTE:
        if name in requests:
            used[name] = used[_REQUESTS + name] = requests[name]
        if name in limits:
            used[_LIMITS + name] = limits[name]
    for name, amount in requests.items():
        if name.startswith(HUGE_PAGES):
            used[name] = used[_REQUESTS + name] = amount
        elif _is_extended_resource(name):
            used[_REQUESTS + name] = amount
    return used


def _is_native(name: str) -> bool:
    return "/" not in name or "kubernetes.io/" in name


def _extended(name: str) -> bool:
    """An extended resource can only be counted by what is requested of it: it is never overcommitted."""
    return name.startswith(_REQUESTS) and not _is_native(name)


def _is_extended_resource(name: str) -> bool:
    return not _is_native(name) and not name.startswith(_REQUESTS) and not label_key(_REQUESTS + name)


def _containers(pod: Document) -> list[Document]:
    spec = pod.get("spec") or {}
    return [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]


def _has_deadline(pod: Document) -> bool:
    deadline = (pod.get("spec") or {}).get("activeDeadlineSeconds")
    return isinstance(deadline, int) and deadline >= 0


def _crosses_namespaces(pod: Document) -> bool:
    """Whether an affinity term looks at pods of other namespaces (usesCrossNamespacePodAffinity)."""
    affinity = (pod.get("spec") or {}).get("affinity") or {}
    terms: list[Document] = []
    for rule in (affinity.get("podAffinity") or {}, affinity.get("podAntiAffinity") or {}):
        terms += rule.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
        weighted = rule.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        terms += [each.get("podAffinityTerm") or {} for each in weighted]
    return any(term.get("namespaces") or term.get("namespaceSelector") is not None for term in terms)


EVALUATOR = PodEvaluator()

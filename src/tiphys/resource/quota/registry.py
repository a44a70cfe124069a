"""Which evaluator knows a resource, and which evaluators a quota needs (kubernetes `pkg/quota/v1/install`)."""

from __future__ import annotations

from collections.abc import Iterable

from tiphys.resource.quota.evaluator import Evaluator
from tiphys.resource.quota.object_count import ObjectCount
from tiphys.resource.quota.persistent_volume_claim import EVALUATOR as _CLAIM
from tiphys.resource.quota.pod import EVALUATOR as _POD
from tiphys.resource.quota.service import EVALUATOR as _SERVICE

_ALIASED = ("configmaps", "replicationcontrollers", "resourcequotas", "secrets")
_EVALUATORS: tuple[Evaluator, ...] = (_POD, _SERVICE, _CLAIM, *(ObjectCount("", name, name) for name in _ALIASED))
_BY_RESOURCE = {(each.group, each.plural): each for each in _EVALUATORS}

_IGNORED = {
    ("", "bindings"),
    ("", "componentstatuses"),
    ("", "events"),
    ("events.k8s.io", "events"),
    ("authentication.k8s.io", "tokenreviews"),
    ("authentication.k8s.io", "selfsubjectreviews"),
    ("authorization.k8s.io", "subjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "localsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
}
"""Never counted: what is not stored, and events."""


def evaluator(group: str, plural: str) -> Evaluator | None:
    """The evaluator of a resource, None for what quota ignores. Resources without one of their own are counted."""
    found = _BY_RESOURCE.get((group, plural))
    if found is not None:
        return found
    return None if (group, plural) in _IGNORED else ObjectCount(group, plural)


def evaluators(hard: Iterable[str]) -> list[tuple[Evaluator, list[str]]]:
    """The evaluators that a quota with these resource names needs, each with its share of the names.

    `count/<plural>.<group>` is taken at its word: whether there is such a resource is for the caller to see.
    """
    names = set(hard)
    needed = [(each, matching) for each in _EVALUATORS if (matching := each.matching(names))]
    known = {name for _, matching in needed for name in matching}
    for name in sorted(names - known):
        prefix, _, resource = name.partition("/")
        plural, _, group = resource.partition(".")
        if prefix == "count" and plural and (group, plural) not in _IGNORED:
            needed.append((ObjectCount(group, plural), [name]))
    return needed

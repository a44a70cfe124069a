"""What a quota has used, counted from scratch (apiserver `quota.CalculateUsage`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tiphys.base.document import Document
from tiphys.base.quantity import ZERO
from tiphys.resource.quota.evaluator import Evaluator
from tiphys.resource.quota.registry import evaluators
from tiphys.resource.quota.scope import covers
from tiphys.resource.resource_list import ResourceList, accumulate, mask


def resources_to_list(quota: Document) -> list[tuple[str, str]]:
    """The (group, plural) of every resource whose objects the quota counts."""
    return [(each.group, each.plural) for each, _ in evaluators(_hard(quota))]


def calculate_usage(
    quota: Document, objects: Mapping[tuple[str, str], Sequence[Document]], now: float
) -> ResourceList:
    """What the quota's namespace uses of each of its hard resources that anything counts for, zeros included.

    `objects` holds the namespace's objects by (group, plural); a resource that is not in it does not exist, and
    what only it would count for is left out, as upstream leaves out what it cannot count. Raises QuantityError.
    """
    used: ResourceList = {}
    for evaluator, names in evaluators(_hard(quota)):
        found = objects.get((evaluator.group, evaluator.plural))
        if found is not None:
            accumulate(used, _sum(quota, evaluator, names, found, now))
    return used


def _sum(
    quota: Document, evaluator: Evaluator, names: list[str], objects: Sequence[Document], now: float
) -> ResourceList:
    total = dict.fromkeys(names, ZERO)
    for document in objects:
        if covers(quota, evaluator, document):
            accumulate(total, mask(evaluator.usage(document, now), names))
    return total


def _hard(quota: Document) -> list[str]:
    return list((quota.get("spec") or {}).get("hard") or {})

"""Lists of named amounts, as `requests`, `hard` and `used` are, and their arithmetic (apiserver `pkg/quota/v1`).

A list is a plain dict from resource name to Quantity; nothing here changes one it was given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tiphys.base.document import Document
from tiphys.base.quantity import ZERO, Quantity, parse

ResourceList = dict[str, Quantity]


def read(document: Document | None) -> ResourceList:
    """The list a document holds, `{"cpu": "500m"}`. Raises QuantityError."""
    return {name: parse(text) for name, text in document.items()} if document else {}


def write(resources: Mapping[str, Quantity]) -> Document:
    """The list as a document holds it, sorted by name."""
    return {name: str(resources[name]) for name in sorted(resources)}


def add(left: Mapping[str, Quantity], right: Mapping[str, Quantity]) -> ResourceList:
    """Sums by name; each keeps the format of `left` unless that is zero."""
    total = dict(left)
    accumulate(total, right)
    return total


def accumulate(total: ResourceList, more: Mapping[str, Quantity]) -> None:
    """Add `more` to `total` in place."""
    for name, amount in more.items():
        total[name] = total[name] + amount if name in total else amount


def raise_to(total: ResourceList, least: Mapping[str, Quantity]) -> None:
    """Lift each of `total` to at least the amount in `least`, in place."""
    for name, amount in least.items():
        if name not in total or amount > total[name]:
            total[name] = amount


def subtract_to_zero(left: Mapping[str, Quantity], right: Mapping[str, Quantity]) -> ResourceList:
    """Differences by name, none below zero (SubtractWithNonNegativeResult)."""
    rest = {name: amount - right.get(name, ZERO) for name, amount in left.items()}
    rest.update({name: ZERO for name in right if name not in left})
    return {name: amount if amount > ZERO else ZERO for name, amount in rest.items()}


def mask(resources: Mapping[str, Quantity], names: Iterable[str]) -> ResourceList:
    """Only the resources of these names."""
    wanted = set(names)
    return {name: amount for name, amount in resources.items() if name in wanted}


def without_zeros(resources: Mapping[str, Quantity]) -> ResourceList:
    return {name: amount for name, amount in resources.items() if amount.nanos}


def negative(resources: Mapping[str, Quantity]) -> list[str]:
    """The names of amounts below zero, sorted."""
    return sorted(name for name, amount in resources.items() if amount.nanos < 0)


def exceeding(used: Mapping[str, Quantity], hard: Mapping[str, Quantity]) -> list[str]:
    """The names of which `used` has more than `hard` allows, sorted (LessThanOrEqual)."""
    return sorted(name for name, limit in hard.items() if name in used and used[name] > limit)


def to_string(resources: Mapping[str, Quantity]) -> str:
    """`limits.cpu=1,pods=1,requests.cpu=1` (resourcequota.prettyPrint)."""
    return ",".join(f"{name}={resources[name]}" for name in sorted(resources))

"""One item of a LimitRange held against the amounts of one container, pod or claim.

The words and the order of the checks are upstream's (`limitranger/admission.go`: minConstraint, maxConstraint,
limitRequestRatioConstraint); resources are taken in the order of their names, where upstream's order is random.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tiphys.base.document import Document
from tiphys.base.quantity import Quantity
from tiphys.resource.resource_list import ResourceList, read


@dataclass(frozen=True, slots=True)
class Amounts:
    """What is requested and what it is limited to, by resource."""

    requests: ResourceList
    limits: ResourceList


_Check = Callable[[str, str, Quantity, Quantity | None, Quantity | None], str]
"""(kind, resource, bound, request, limit): what is wrong, empty if nothing."""


@dataclass(frozen=True, slots=True)
class Item:
    """A LimitRangeItem, read: each bound with its check, in the order they are checked in."""

    kind: str
    defaults: Document
    default_requests: Document
    bounds: tuple[tuple[str, Quantity, _Check], ...]


def read_item(item: Document) -> Item:
    """Raises QuantityError."""
    kind = item.get("type") or ""
    requests_only = kind == "PersistentVolumeClaim"
    checks: list[tuple[str, _Check]] = [("min", _minimum), ("max", _maximum_request if requests_only else _maximum)]
    if not requests_only:
        checks.append(("maxLimitRequestRatio", _ratio))
    bounds = [(name, bound, check) for key, check in checks for name, bound in sorted(read(item.get(key)).items())]
    return Item(kind, item.get("default") or {}, item.get("defaultRequest") or {}, tuple(bounds))


def violations(item: Item, amounts: Amounts, held: Amounts | None = None) -> list[str]:
    """Everything wrong by `item`. What already stood so in the stored object (`held`) is not checked again."""
    found = []
    for name, bound, check in item.bounds:
        request, limit = amounts.requests.get(name), amounts.limits.get(name)
        if held is not None and _stood(item, name, request, limit, held):
            continue
        if error := check(item.kind, name, bound, request, limit):
            found.append(error)
    return found


def _stood(item: Item, name: str, request: Quantity | None, limit: Quantity | None, held: Amounts) -> bool:
    """Whether neither has moved. A claim that requests nothing is never taken for one that was let pass."""
    if request is None and item.kind == "PersistentVolumeClaim":
        return False
    return (request, limit) == (held.requests.get(name), held.limits.get(name))


def _minimum(kind: str, name: str, bound: Quantity, request: Quantity | None, limit: Quantity | None) -> str:
    rule = f"minimum {name} usage per {kind} is {bound}"
    if request is None:
        return f"{rule}.  No request is specified"
    if request < bound:
        return f"{rule}, but request is {request}"
    return f"{rule}, but limit is {limit}" if limit is not None and limit < bound else ""


def _maximum(kind: str, name: str, bound: Quantity, request: Quantity | None, limit: Quantity | None) -> str:
    rule = f"maximum {name} usage per {kind} is {bound}"
    if limit is None:
        return f"{rule}.  No limit is specified"
    if limit > bound:
        return f"{rule}, but limit is {limit}"
    return f"{rule}, but request is {request}" if request is not None and request > bound else ""


def _maximum_request(kind: str, name: str, bound: Quantity, request: Quantity | None, limit: Quantity | None) -> str:
    rule = f"maximum {name} usage per {kind} is {bound}"
    if request is None:
        return f"{rule}.  No request is specified"
    return f"{rule}, but request is {request}" if request > bound else ""


def _ratio(kind: str, name: str, bound: Quantity, request: Quantity | None, limit: Quantity | None) -> str:
    rule = f"{name} max limit to request ratio per {kind} is {bound}"
    if request is None or request.is_zero:
        return f"{rule}, but no request is specified or request is 0"
    if limit is None or limit.is_zero:
        return f"{rule}, but no limit is specified or limit is 0"
    if abs(limit.nanos) * 10**9 <= abs(request.nanos) * bound.nanos:
        return ""
    return f"{rule}, but provided ratio is {_six_decimals(abs(limit.nanos), abs(request.nanos))}"


def _six_decimals(dividend: int, divisor: int) -> str:
    """The quotient to six decimals, half to even (ratioString; `%f` in older versions)."""
    millionths, rest = divmod(dividend * 10**6, divisor)
    if rest * 2 > divisor or (rest * 2 == divisor and millionths % 2):
        millionths += 1
    return f"{millionths // 10**6}.{millionths % 10**6:06d}"

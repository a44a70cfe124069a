"""Which slices to make, change and delete so that they hold what they should (reconcileByPortMapping, finalize).

What is in a slice stays there; what is new goes first to slices that change anyhow, then to one that has room for all
of it, then to new ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tiphys.base.document import Document
from tiphys.controllers.endpoint_slice import EndpointKey, endpoint_key, same_endpoint

MOST = 100
"""Endpoints in one slice (--max-endpoints-per-slice)."""
Labels = dict[str, str]
Desired = dict[EndpointKey, Document]


@dataclass
class Plan:
    """Whole slices; those to make have a generateName."""

    create: list[Document] = field(default_factory=list)
    update: list[Document] = field(default_factory=list)
    delete: list[Document] = field(default_factory=list)

    def add(self, other: Plan) -> None:
        self.create += other.create
        self.update += other.update
        self.delete += other.delete

    def reuse(self, usable: Callable[[Document], bool]) -> None:
        """Change what would be deleted into what would be made. `usable` says whether a slice may be."""
        kept = []
        for doomed in self.delete:
            if self.create and usable(doomed) and doomed["addressType"] == self.create[-1]["addressType"]:
                made = self.create.pop()
                made["metadata"] = {**made["metadata"], "name": doomed["metadata"]["name"]}
                self.update.append(made)
            else:
                kept.append(doomed)
        self.delete = kept


def pack(
    existing: list[Document],
    desired: Desired,
    labels_of: Callable[[Document], Labels | None],
    new: Callable[[], Document],
) -> Plan:
    """For slices of the same ports. `labels_of` gives new labels for a slice, or None if it has them; `new` an
    empty slice. `desired` is used up."""
    plan, unchanged = Plan(), []
    for slice_ in existing:
        kept, changed = _keep(slice_, desired)
        labels = labels_of(slice_)
        if changed and not kept:
            plan.delete.append(slice_)
        elif changed or labels is not None:
            plan.update.append(_with(slice_, kept, labels))
        else:
            unchanged.append(slice_)
    left = [desired[key] for key in sorted(desired)]
    for slice_ in sorted(plan.update, key=lambda each: -len(each["endpoints"])):
        left = _fill(slice_, left)
    while left:
        target = _closest(unchanged, len(left)) if len(left) < MOST else None
        if target is None:
            plan.create.append(new())
            left = _fill(plan.create[-1], left)
        else:
            unchanged.remove(target)
            plan.update.append(_with(target, list(target.get("endpoints") or ()), None))
            left = _fill(plan.update[-1], left)
    return plan


def _keep(slice_: Document, desired: Desired) -> tuple[list[Document], bool]:
    """The slice's endpoints as they should be, and whether that is a change. They are taken from `desired`."""
    had = slice_.get("endpoints") or []
    kept, changed = [], False
    for endpoint in had:
        wanted = desired.pop(endpoint_key(endpoint), None)
        if wanted is not None:
            same = same_endpoint(wanted, endpoint)
            kept.append(endpoint if same else wanted)
            changed = changed or not same
    return kept, changed or len(kept) != len(had)


def _with(slice_: Document, endpoints: list[Document], labels: Labels | None) -> Document:
    meta = slice_["metadata"] if labels is None else {**slice_["metadata"], "labels": labels}
    return {**slice_, "metadata": meta, "endpoints": endpoints}


def _fill(slice_: Document, left: list[Document]) -> list[Document]:
    """Put in what goes in; returns the rest."""
    room = max(0, MOST - len(slice_["endpoints"]))
    slice_["endpoints"] += left[:room]
    return left[room:]


def _closest(slices: list[Document], count: int) -> Document | None:
    """The slice that `count` more leave fullest (getSliceToFill)."""
    return min((each for each in slices if _room(each) >= count), key=_room, default=None)


def _room(slice_: Document) -> int:
    return MOST - len(slice_.get("endpoints") or ())

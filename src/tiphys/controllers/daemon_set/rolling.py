"""Which pods make place for the new revision, and where a new one is made beside the old (`daemon/update.go`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tiphys.base.document import Document
from tiphys.controllers.daemon_set.view import View

Pods = Mapping[str, Sequence[Document]]


@dataclass
class Replacement:
    """Old pods to delete, and nodes to make new ones on while the old still run."""

    delete: list[Document] = field(default_factory=list)
    create: list[str] = field(default_factory=list)


def plan(view: View, pods: Pods) -> Replacement:
    """One step of the rolling update, `pods` by node."""
    everywhere = {node: pods.get(node, ()) for node in sorted({*pods, *filter(view.starts, view.nodes)})}
    surge, unavailable = view.budget("maxSurge"), view.budget("maxUnavailable")
    if surge == 0:
        if unavailable == 0 and view.desired:
            unavailable = 1
        return _replace(view, everywhere, unavailable)
    return _surge(view, everywhere, surge)


def _pair(view: View, pods: Sequence[Document]) -> tuple[Document | None, Document | None, bool]:
    """(new, old, whether there is at most one of each); pods being deleted do not count (findUpdatedPodsOnNode)."""
    present = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    new = [pod for pod in present if view.is_new(pod)]
    old = [pod for pod in present if not view.is_new(pod)]
    if len(new) > 1 or len(old) > 1:
        return None, None, False
    return (new[0] if new else None), (old[0] if old else None), True


def _replace(view: View, pods: Pods, max_unavailable: int) -> Replacement:
    """Old pods that are not available go at once, others as far as the budget allows."""
    found = Replacement()
    candidates: list[Document] = []
    unavailable = 0
    for here in pods.values():
        new, old, tidy = _pair(view, here)
        if not tidy or (new is None) == (old is None):
            unavailable += 1
        elif new is not None:
            unavailable += not view.is_available(new)
        elif old is not None and not view.is_available(old):
            found.delete.append(old)
            unavailable += 1
        elif old is not None:
            candidates.append(old)
    found.delete += candidates[: max(0, max_unavailable - unavailable)]
    return found


def _surge(view: View, pods: Pods, max_surge: int) -> Replacement:
    """New pods beside the old: at once where the old is not available, elsewhere as far as the budget allows.

    Where no pod should be any more, the old one stays until enough others are available.
    """
    found = Replacement()
    candidates: list[str] = []
    leaving: list[Document] = []
    surging = available = 0
    for node, here in pods.items():
        new, old, tidy = _pair(view, here)
        if not tidy:
            surging += 1
            continue
        counted = old or new
        available += counted is not None and view.is_available(counted)
        if old is None:
            continue
        if new is not None:
            if view.is_available(new):
                found.delete.append(old)
            else:
                surging += 1
        elif not view.starts(node):
            (leaving if view.is_available(old) else found.delete).append(old)
        elif not view.is_available(old):
            found.create.append(node)
        else:
            candidates.append(node)
    found.delete += leaving[: max(0, available - view.desired)]
    found.create += candidates[: max(0, max_surge - surging)]
    return found

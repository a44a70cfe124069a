"""Taints and who tolerates them (component-helpers `scheduling/corev1`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tiphys.base.document import Document

NO_EXECUTE = "NoExecute"
NO_SCHEDULE = "NoSchedule"


def no_execute(node: Document | None) -> list[Document]:
    """The node's NoExecute taints."""
    taints = ((node or {}).get("spec") or {}).get("taints") or ()
    return [taint for taint in taints if taint.get("effect") == NO_EXECUTE]


def tolerates(toleration: Document, taint: Document) -> bool:
    """Toleration.ToleratesTaint: an empty effect or key means any."""
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("key") and toleration["key"] != taint.get("key"):
        return False
    operator = toleration.get("operator") or "Equal"
    if operator == "Exists":
        return True
    return operator == "Equal" and (toleration.get("value") or "") == (taint.get("value") or "")


def seconds_tolerated(taints: Iterable[Document], tolerations: Sequence[Document]) -> float | None:
    """How long a pod may stay on a node so tainted: 0 not at all, None for ever (getMinTolerationTime)."""
    shortest: float | None = None
    for taint in taints:
        match = next((each for each in tolerations if tolerates(each, taint)), None)
        if match is None:
            return 0.0
        seconds = match.get("tolerationSeconds")
        if seconds is not None:
            allowed = max(0.0, float(seconds))
            shortest = allowed if shortest is None else min(shortest, allowed)
    return shortest

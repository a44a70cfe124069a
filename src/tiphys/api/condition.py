"""Conditions of a status (k/k `api/pod/util.go` UpdatePodCondition)."""

from __future__ import annotations

from tiphys.base.document import Document


def set_condition(status: Document, condition: Document, now: str) -> None:
    """Replace the condition of that type or add it; its transition time stays while its status does."""
    conditions = status["conditions"] = list(status.get("conditions") or [])
    for index, old in enumerate(conditions):
        if old.get("type") == condition["type"]:
            same = old.get("status") == condition["status"]
            since = old.get("lastTransitionTime", now) if same else now
            conditions[index] = {"lastProbeTime": None, "lastTransitionTime": since, **condition}
            return
    conditions.append({"lastProbeTime": None, "lastTransitionTime": now, **condition})

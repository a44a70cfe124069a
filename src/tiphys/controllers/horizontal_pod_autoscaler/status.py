"""Conditions of an autoscaler."""

from __future__ import annotations

from tiphys.base.document import Document

ABLE, ACTIVE, LIMITED = "AbleToScale", "ScalingActive", "ScalingLimited"


def set_condition(conditions: list[Document], type_: str, status: bool, reason: str, message: str, now: str) -> None:
    """In its place; the time of transition changes with the status only (setConditionInList)."""
    new = {"type": type_, "status": str(status), "lastTransitionTime": now, "reason": reason, "message": message}
    for index, old in enumerate(conditions):
        if old.get("type") == type_:
            if old.get("status") == new["status"]:
                new["lastTransitionTime"] = old.get("lastTransitionTime") or now
            conditions[index] = new
            return
    conditions.append(new)

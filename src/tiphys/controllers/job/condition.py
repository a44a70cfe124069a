"""The conditions of a Job."""

from __future__ import annotations

from tiphys.base.clock import rfc3339
from tiphys.base.document import Document
from tiphys.controllers.condition import find

SUSPENDED = "Suspended"
FAILURE_TARGET = "FailureTarget"
SUCCESS_CRITERIA_MET = "SuccessCriteriaMet"


def new_condition(type_: str, reason: str, message: str, now: float, status: str = "True") -> Document:
    time = rfc3339(now)
    made: Document = {"type": type_, "status": status, "lastProbeTime": time, "lastTransitionTime": time}
    if reason:
        made["reason"] = reason
    if message:
        made["message"] = message
    return made


def true_condition(status: Document, type_: str) -> Document | None:
    """The condition of this type, if it holds."""
    found = find(status.get("conditions") or (), type_)
    return found if found is not None and found.get("status") == "True" else None


def ensure(status: Document, new: Document) -> bool:
    """Add the condition to a status or put it in the place of the one of its type; whether that changed anything.

    From no condition to a false one is no change (ensureJobConditionStatus).
    """
    conditions = list(status.get("conditions") or ())
    old = find(conditions, new["type"])
    if old is None:
        if new["status"] == "False":
            return False
        conditions.append(new)
    elif all((old.get(field) or "") == (new.get(field) or "") for field in ("status", "reason", "message")):
        return False
    else:
        conditions[conditions.index(old)] = new
    status["conditions"] = conditions
    return True

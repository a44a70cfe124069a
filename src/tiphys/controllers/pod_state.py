"""What controllers ask about a pod (`pkg/api/v1/pod`, `pkg/controller/controller_utils.go`)."""

from __future__ import annotations

from collections.abc import Iterable

from tiphys.base.clock import parse_rfc3339
from tiphys.base.document import Document

TERMINAL = ("Succeeded", "Failed")


def phase(pod: Document) -> str:
    return str((pod.get("status") or {}).get("phase") or "")


def is_terminal(pod: Document) -> bool:
    """Whether all its containers have ended for good."""
    return phase(pod) in TERMINAL


def is_active(pod: Document) -> bool:
    """Neither ended nor being deleted (controller.IsPodActive)."""
    return not pod["metadata"].get("deletionTimestamp") and not is_terminal(pod)


def is_terminating(pod: Document) -> bool:
    """Being deleted but not ended (controller.IsPodTerminating)."""
    return bool(pod["metadata"].get("deletionTimestamp")) and not is_terminal(pod)


def condition(document: Document, type_: str) -> Document | None:
    """The status condition of this type."""
    for each in (document.get("status") or {}).get("conditions") or ():
        if each.get("type") == type_:
            found: Document = each
            return found
    return None


def is_ready(pod: Document) -> bool:
    found = condition(pod, "Ready")
    return found is not None and found.get("status") == "True"


def ready_since(pod: Document) -> float:
    """When it became ready, seconds since the epoch; 0 if it is not ready or does not say."""
    found = condition(pod, "Ready")
    if found is None or found.get("status") != "True":
        return 0.0
    return time_of(found.get("lastTransitionTime"))


def is_available(pod: Document, min_ready_seconds: int, now: float) -> bool:
    """Ready for at least so long (podutil.IsPodAvailable)."""
    found = condition(pod, "Ready")
    if found is None or found.get("status") != "True":
        return False
    if min_ready_seconds == 0:
        return True
    since = time_of(found.get("lastTransitionTime"))
    return since > 0 and since + min_ready_seconds <= now


def next_availability(pods: Iterable[Document], min_ready_seconds: int, now: float) -> float | None:
    """Seconds until the next ready pod becomes available; None if none is to."""
    times = [ready_since(pod) + min_ready_seconds - now for pod in pods if is_ready(pod)]
    return min((seconds for seconds in times if seconds > 0), default=None)


def time_of(text: object) -> float:
    """Seconds since the epoch of a metav1.Time; 0 if absent."""
    if not isinstance(text, str) or not text:
        return 0.0
    try:
        return parse_rfc3339(text)
    except ValueError:
        return 0.0

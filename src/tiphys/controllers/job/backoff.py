"""How long to wait before the pod that replaces a failed one: 10 s, 20 s, 40 s … (`backoff_utils.go`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tiphys.base.document import Document
from tiphys.controllers.job import completion_index
from tiphys.controllers.pod_state import condition, time_of

FIRST_BACKOFF = 10.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """The failures since the last success, and the time of the last of them in seconds since the epoch."""

    failures: int = 0
    last_failure: float = 0.0

    def after(self, succeeded: Sequence[Document], failed: Iterable[Document]) -> Backoff:
        """The record with pods added that have ended since."""
        times = sorted(map(finished_at, failed))
        if not succeeded:
            return Backoff(self.failures + len(times), times[-1]) if times else self
        last_success = max(map(finished_at, succeeded))
        later = [time for time in times if time > last_success]
        return Backoff(len(later), later[-1]) if later else Backoff()

    def remaining(self, now: float, longest: float) -> float:
        """Seconds until the next pod may be made; 0 if it may be now."""
        return remaining(self.failures, self.last_failure, now, longest)


def remaining_for_index(last_failed: Document | None, now: float, longest: float) -> float:
    """The same for one index, told by the pod of it that failed last."""
    if last_failed is None:
        return 0.0
    return remaining(completion_index.all_failures(last_failed) + 1, finished_at(last_failed), now, longest)


def remaining(failures: int, last_failure: float, now: float, longest: float) -> float:
    if failures == 0:
        return 0.0
    wait = min(FIRST_BACKOFF * 2.0 ** min(failures - 1, 30), longest)
    return max(0.0, wait - (now - last_failure))


def finished_at(pod: Document) -> float:
    """When the pod ended: its last container's end, else since when it is not ready, else when its deletion was
    asked for, else its creation (getFinishedTime)."""
    meta = pod["metadata"]
    if ended := _containers_finished_at(pod):
        return ended
    ready = condition(pod, "Ready")
    if ready is not None and ready.get("status") == "False" and (since := time_of(ready.get("lastTransitionTime"))):
        return since
    if deleted := time_of(meta.get("deletionTimestamp")):
        return deleted - (meta.get("deletionGracePeriodSeconds") or 0)
    return time_of(meta.get("creationTimestamp"))


def _containers_finished_at(pod: Document) -> float:
    """0 unless all have ended and say when."""
    latest = 0.0
    for status in (pod.get("status") or {}).get("containerStatuses") or ():
        ended = time_of(((status.get("state") or {}).get("terminated") or {}).get("finishedAt"))
        if not ended:
            return 0.0
        latest = max(latest, ended)
    return latest

"""The words of `kubectl get jobs` (printJob in pkg/printers/internalversion)."""

from __future__ import annotations

from tiphys.base.clock import parse_rfc3339
from tiphys.base.document import Document
from tiphys.base.duration import human_duration


def job_status(job: Document, now: float) -> str:
    """The condition that holds: Complete, Failed, …; else whether it is leaving or running."""
    status = job.get("status") or {}
    true = {each.get("type") for each in status.get("conditions") or () if each.get("status") == "True"}
    for condition, words in (
        ("Complete", "Complete"),
        ("Failed", "Failed"),
    ):
        if condition in true:
            return words
    if job["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for condition in ("Suspended", "FailureTarget", "SuccessCriteriaMet"):
        if condition in true:
            return condition
    return "Running"


def completions(job: Document, now: float) -> str:
    """`1/3`, or `0/1 of 5` where any one of several will do."""
    spec = job.get("spec") or {}
    succeeded = (job.get("status") or {}).get("succeeded") or 0
    if spec.get("completions") is not None:
        return f"{succeeded}/{spec['completions']}"
    parallelism = spec.get("parallelism") or 0
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def duration(job: Document, now: float) -> str:
    """From start to completion, or until now; empty before the start."""
    status = job.get("status") or {}
    start, end = status.get("startTime"), status.get("completionTime")
    if not start:
        return ""
    return human_duration((parse_rfc3339(end) if end else now) - parse_rfc3339(start))

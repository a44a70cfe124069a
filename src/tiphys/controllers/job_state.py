"""What controllers ask about a Job (`pkg/controller/job/util`)."""

from __future__ import annotations

from tiphys.base.document import Document
from tiphys.controllers.controller_reference import ResourceKind

JOB = ResourceKind("batch/v1", "Job", "jobs")
COMPLETE = "Complete"
FAILED = "Failed"


def finished_condition(job: Document) -> Document | None:
    """The condition that says the Job has ended, Complete or Failed, if it has."""
    for each in (job.get("status") or {}).get("conditions") or ():
        if each.get("type") in (COMPLETE, FAILED) and each.get("status") == "True":
            found: Document = each
            return found
    return None


def is_finished(job: Document) -> bool:
    return finished_condition(job) is not None

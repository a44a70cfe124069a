"""Whether some indexes are enough for an Indexed Job to have succeeded (`success_policy.go`)."""

from __future__ import annotations

from tiphys.base.document import Document
from tiphys.controllers.job.completion_index import Intervals


def met(policy: Document | None, completions: int, succeeded: Intervals) -> str:
    """The message of the first rule that is met; empty if none is."""
    if policy is None or not succeeded:
        return ""
    for index, rule in enumerate(policy.get("rules") or ()):
        if _rule_met(rule, completions, succeeded):
            return f"Matched rules at index {index}"
    return ""


def _rule_met(rule: Document, completions: int, succeeded: Intervals) -> bool:
    count = rule.get("succeededCount")
    if rule.get("succeededIndexes") is None:
        return count is not None and succeeded.total() >= count
    required = Intervals.parse(rule["succeededIndexes"], completions)
    if not required:
        return False
    both = required.overlap(succeeded)
    return both == required.total() or (count is not None and both >= count)

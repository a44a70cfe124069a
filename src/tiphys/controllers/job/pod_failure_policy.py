"""Which failures of pods count, fail their index or the whole Job, or are ignored (`pod_failure_policy.go`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tiphys.base.document import Document
from tiphys.controllers.job.features import Features

IGNORE, COUNT, FAIL_INDEX, FAIL_JOB = "Ignore", "Count", "FailIndex", "FailJob"


@dataclass(frozen=True, slots=True)
class Match:
    """`action` of the rule that matched, empty if none did; `message` why the Job fails, if it does."""

    action: str = ""
    message: str = ""

    @property
    def counts(self) -> bool:
        return self.action != IGNORE


def match(policy: Document | None, pod: Document, features: Features) -> Match:
    """The first rule of the policy that matches a failed pod."""
    if policy is None or not features.pod_failure_policy:
        return Match()
    for index, rule in enumerate(policy.get("rules") or ()):
        action = rule.get("action") or ""
        why = _matches(rule, pod, action)
        if not why or (action == FAIL_INDEX and not features.backoff_limit_per_index):
            continue
        message = f"{why} matching {action} rule at index {index}" if action == FAIL_JOB else ""
        return Match(action, message)
    return Match()


def _matches(rule: Document, pod: Document, action: str) -> str:
    """What of the pod the rule matches, in upstream's words; empty if nothing."""
    meta, status = pod["metadata"], pod.get("status") or {}
    name = f"{meta.get('namespace')}/{meta['name']}"
    if (codes := rule.get("onExitCodes")) is not None:
        for field in ("containerStatuses", "initContainerStatuses"):
            if found := _container(status.get(field) or (), codes):
                container, code = found
                return f"Container {container} for pod {name} failed with exit code {code}"
        return ""
    patterns = rule.get("onPodConditions") or ()
    for condition in status.get("conditions") or ():
        if any(_is(condition, pattern) for pattern in patterns):
            return f"Pod {name} has condition {condition.get('type')}"
    return ""


def _is(condition: Document, pattern: Document) -> bool:
    return all(condition.get(field) == pattern.get(field) for field in ("type", "status"))


def _container(statuses: Iterable[Document], codes: Document) -> tuple[str, int] | None:
    """The first container that ended badly with a code the rule wants: its name and the code."""
    wanted, values = codes.get("containerName"), codes.get("values") or ()
    for status in statuses:
        terminated = (status.get("state") or {}).get("terminated")
        if terminated is None or (wanted is not None and wanted != status.get("name")):
            continue
        code = terminated.get("exitCode") or 0
        if code != 0 and (code in values) == (codes.get("operator") == "In"):
            return str(status.get("name")), code
    return None

"""Expectations: upstream's `pod_failure_policy_test.go`, `success_policy_test.go`, `backoff_utils_test.go`."""

from __future__ import annotations

from typing import Any

import pytest

from tiphys.base.clock import rfc3339
from tiphys.base.document import Document
from tiphys.controllers.job.backoff import Backoff, finished_at, remaining, remaining_for_index
from tiphys.controllers.job.completion_index import Intervals
from tiphys.controllers.job.features import features_of
from tiphys.controllers.job.pod_failure_policy import match
from tiphys.controllers.job.success_policy import met


def failed(code: int = 1, name: str = "main", conditions: Any = (), init: int | None = None) -> Document:
    def status(container: str, exit_code: int) -> Document:
        return {"name": container, "state": {"terminated": {"exitCode": exit_code}}}

    statuses = [status("side", 0), status(name, code), {"name": "running", "state": {"running": {}}}]
    found: Document = {"phase": "Failed", "containerStatuses": statuses, "conditions": list(conditions)}
    if init is not None:
        found["initContainerStatuses"] = [status("init", init)]
    return {"metadata": {"name": "p", "namespace": "default"}, "status": found}


def on_codes(action: str, operator: str, values: list[int], container: str | None = None) -> Document:
    codes: Document = {"operator": operator, "values": values}
    if container is not None:
        codes["containerName"] = container
    return {"action": action, "onExitCodes": codes}


DISRUPTED = {"type": "DisruptionTarget", "status": "True"}
ON_DISRUPTION = {"action": "Ignore", "onPodConditions": [DISRUPTED]}


@pytest.mark.parametrize(
    "rules, pod, action, message",
    [
        ([on_codes("FailJob", "In", [1, 2])], failed(5), "", ""),
        (
            [on_codes("Ignore", "In", [1]), on_codes("FailJob", "In", [2, 5])],
            failed(5),
            "FailJob",
            "Container main for pod default/p failed with exit code 5 matching FailJob rule at index 1",
        ),
        ([on_codes("Ignore", "NotIn", [5])], failed(5), "", ""),
        ([on_codes("Ignore", "NotIn", [1])], failed(5), "Ignore", ""),
        ([on_codes("Ignore", "NotIn", [1])], failed(0), "", ""),
        ([on_codes("Count", "In", [5], "other")], failed(5), "", ""),
        ([on_codes("Count", "In", [5], "main")], failed(5), "Count", ""),
        (
            [on_codes("FailJob", "In", [7])],
            failed(0, init=7),
            "FailJob",
            "Container init for pod default/p failed with exit code 7 matching FailJob rule at index 0",
        ),
        ([ON_DISRUPTION], failed(5), "", ""),
        ([ON_DISRUPTION], failed(5, conditions=[DISRUPTED]), "Ignore", ""),
        ([ON_DISRUPTION], failed(5, conditions=[{**DISRUPTED, "status": "False"}]), "", ""),
        (
            [{"action": "FailJob", "onPodConditions": [DISRUPTED]}],
            failed(5, conditions=[DISRUPTED]),
            "FailJob",
            "Pod default/p has condition DisruptionTarget matching FailJob rule at index 0",
        ),
        ([on_codes("FailIndex", "In", [5])], failed(5), "FailIndex", ""),
    ],
)
def test_failure_policy(rules: list[Document], pod: Document, action: str, message: str) -> None:
    found = match({"rules": rules}, pod, features_of(37))
    assert (found.action, found.message) == (action, message)
    assert found.counts == (action != "Ignore")


def test_failure_policy_by_version() -> None:
    """FailIndex came with JobBackoffLimitPerIndex, the policy itself with JobPodFailurePolicy."""
    rules = [on_codes("FailIndex", "In", [5]), on_codes("Ignore", "In", [5])]
    actions = [match({"rules": rules}, failed(5), features_of(minor)).action for minor in (25, 26, 29)]
    assert actions == ["", "Ignore", "FailIndex"]


@pytest.mark.parametrize(
    "rules, succeeded, message",
    [
        ([{"succeededIndexes": "0-2"}], "0,1", ""),
        ([{"succeededIndexes": "0-2"}], "0-3", "Matched rules at index 0"),
        ([{"succeededIndexes": "1,3", "succeededCount": 1}], "3", "Matched rules at index 0"),
        ([{"succeededIndexes": "0"}, {"succeededCount": 2}], "3,4", "Matched rules at index 1"),
        ([{"succeededCount": 3}], "3,4", ""),
        ([{"succeededIndexes": "x", "succeededCount": 1}], "3", ""),
        ([{"succeededCount": 0}], "", ""),
    ],
)
def test_success_policy(rules: list[Document], succeeded: str, message: str) -> None:
    assert met({"rules": rules}, 10, Intervals.parse(succeeded, 10)) == message


@pytest.mark.parametrize(
    "failures, elapsed, expected",
    [(0, 0, 0), (1, 0, 10), (1, 4, 6), (1, 11, 0), (2, 0, 20), (4, 30, 50), (7, 0, 600), (1000, 100, 500)],
)
def test_backoff_doubles(failures: int, elapsed: float, expected: float) -> None:
    assert remaining(failures, 1000.0, 1000.0 + elapsed, 600.0) == expected


def ended(at: float, **annotations: str) -> Document:
    terminated = {"terminated": {"finishedAt": rfc3339(at)}}
    return {"metadata": {"annotations": annotations}, "status": {"containerStatuses": [{"state": terminated}]}}


@pytest.mark.parametrize(
    "before, succeeded, failed_at, expected",
    [
        (Backoff(), [], [], Backoff()),
        (Backoff(), [], [20, 10], Backoff(2, 20)),
        (Backoff(3, 5), [], [20], Backoff(4, 20)),
        (Backoff(3, 5), [30], [], Backoff()),
        (Backoff(3, 5), [15], [10, 20, 25], Backoff(2, 25)),
        (Backoff(3, 5), [25], [10, 25], Backoff()),
    ],
)
def test_backoff_counts_from_the_last_success(
    before: Backoff, succeeded: list[float], failed_at: list[float], expected: Backoff
) -> None:
    assert before.after(list(map(ended, succeeded)), map(ended, failed_at)) == expected


def test_backoff_of_an_index() -> None:
    """By the annotations of the pod that failed last; ignored failures count here."""
    counts = {
        "batch.kubernetes.io/job-index-failure-count": "1",
        "batch.kubernetes.io/job-index-ignored-failure-count": "1",
    }
    assert remaining_for_index(ended(100, **counts), 110, 600) == 30
    assert remaining_for_index(None, 110, 600) == 0


@pytest.mark.parametrize(
    "pod, expected",
    [
        (ended(7), 7.0),
        ({"metadata": {"creationTimestamp": rfc3339(3)}}, 3.0),
        ({"metadata": {"deletionTimestamp": rfc3339(40), "deletionGracePeriodSeconds": 30}}, 10.0),
        (
            {
                "metadata": {"deletionTimestamp": rfc3339(40)},
                "status": {
                    "containerStatuses": [{"state": {"running": {}}}],
                    "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": rfc3339(8)}],
                },
            },
            8.0,
        ),
    ],
)
def test_finished_at(pod: Document, expected: float) -> None:
    assert finished_at(pod) == expected

"""Expectations: upstream's `pkg/controller/job/indexed_job_utils_test.go`, unless ours."""

from __future__ import annotations

from itertools import islice

import pytest

from tiphys.controllers.job.completion_index import Intervals, failures, index_of, name_prefix, with_environment


@pytest.mark.parametrize(
    "text, completions, shown, total",
    [
        ("", 10, "", 0),
        ("0", 10, "0", 1),
        ("1-3,5,7-8", 10, "1-3,5,7,8", 6),
        ("2-3,4-6", 10, "2-6", 5),
        ("1-3,8-12", 10, "1-3,8,9", 5),
        ("1,10", 10, "1", 1),
        ("a,2-b,4", 10, "4", 1),
    ],
)
def test_parsed(text: str, completions: int, shown: str, total: int) -> None:
    """What cannot be read is passed over; what is beyond the completions is cut off."""
    found = Intervals.parse(text, completions)
    assert (str(found), found.total()) == (shown, total)


def test_joined() -> None:
    assert str(Intervals.parse("0,2-4", 20) | Intervals.of([9, 1, 7, 8, 2])) == "0-4,7-9"


def test_contains() -> None:
    found = Intervals.parse("0,2-4,9", 20)
    assert [index for index in range(12) if index in found] == [0, 2, 3, 4, 9]
    assert 0 not in Intervals()


@pytest.mark.parametrize(
    "taken, count, expected",
    [("", 3, [0, 1, 2]), ("1,3-5", 4, [0, 2, 6, 7]), ("0-9", 2, []), ("0-8", 2, [9])],
)
def test_missing(taken: str, count: int, expected: list[int]) -> None:
    assert list(islice(Intervals.parse(taken, 10).missing(10), count)) == expected


@pytest.mark.parametrize("text, index", [("0", 0), ("12", 12), ("-1", None), ("x", None), ("", None), ("1.5", None)])
def test_index_of(text: str, index: int | None) -> None:
    assert index_of({"metadata": {"annotations": {"batch.kubernetes.io/job-completion-index": text}}}) == index


@pytest.mark.parametrize("text, count", [("3", 3), ("-1", 0), ("2147483648", 0), ("x", 0)])
def test_failures(text: str, count: int) -> None:
    assert failures({"metadata": {"annotations": {"batch.kubernetes.io/job-index-failure-count": text}}}) == count


def test_name_prefix() -> None:
    """Never longer than 58, and never without the index (podGenerateNameWithIndex)."""
    assert name_prefix("indexed-job", 1) == "indexed-job-1-"
    assert name_prefix("h" * 63, 42) == "h" * 54 + "-42-"


def test_environment_that_is_set_stays() -> None:
    own = {"name": "JOB_COMPLETION_INDEX", "value": "x"}
    template = {"spec": {"initContainers": [{"name": "i"}], "containers": [{"name": "c", "env": [own]}]}}
    made = with_environment(template, labelled=False)["spec"]
    assert made["containers"][0]["env"] == [own]
    path = made["initContainers"][0]["env"][0]["valueFrom"]["fieldRef"]["fieldPath"]
    assert path == "metadata.annotations['batch.kubernetes.io/job-completion-index']"
    assert template["spec"]["initContainers"] == [{"name": "i"}]

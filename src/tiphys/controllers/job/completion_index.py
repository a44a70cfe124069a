"""The indexes of an Indexed Job: on pods, and in its status as ordered ranges such as `1,3-5,7`
(`indexed_job_utils.go`)."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tiphys.base.document import Document

ANNOTATION = "batch.kubernetes.io/job-completion-index"
FAILURES = "batch.kubernetes.io/job-index-failure-count"
IGNORED_FAILURES = "batch.kubernetes.io/job-index-ignored-failure-count"
ENVIRONMENT = "JOB_COMPLETION_INDEX"
LONGEST_PREFIX = 58
"""Of a generated name, before its five random letters (names.MaxGeneratedNameLength)."""
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


def index_of(pod: Document) -> int | None:
    """The pod's completion index; None if it has none that means anything."""
    found = _integer((pod["metadata"].get("annotations") or {}).get(ANNOTATION))
    return found if found is not None and found >= 0 else None


def valid_index(pod: Document, completions: int) -> int | None:
    """The pod's completion index if it is one of the Job's."""
    index = index_of(pod)
    return index if index is not None and index < completions else None


def failures(pod: Document) -> int:
    """How many pods of its index failed before it and were counted."""
    return _count(pod, FAILURES)


def all_failures(pod: Document) -> int:
    """How many pods of its index failed before it, those that a policy ignores too."""
    return _count(pod, FAILURES) + _count(pod, IGNORED_FAILURES)


def ignored_failures(pod: Document) -> int:
    return _count(pod, IGNORED_FAILURES)


def name_prefix(job_name: str, index: int) -> str:
    """`<job>-<index>-`, cut short where it must be in the Job's name (podGenerateNameWithIndex)."""
    end = f"-{index}-"
    return job_name[: LONGEST_PREFIX - len(end)] + end


def with_environment(template: Document, labelled: bool) -> Document:
    """The template with JOB_COMPLETION_INDEX in every container that does not set it."""
    source = "labels" if labelled else "annotations"
    reference = {"fieldRef": {"fieldPath": f"metadata.{source}['{ANNOTATION}']"}}
    variable = {"name": ENVIRONMENT, "valueFrom": reference}
    spec = dict(template["spec"])
    for field in ("initContainers", "containers"):
        if spec.get(field):
            spec[field] = [_with_variable(container, variable) for container in spec[field]]
    return {**template, "spec": spec}


def _with_variable(container: Document, variable: Document) -> Document:
    present: Sequence[Document] = container.get("env") or ()
    if any(each.get("name") == ENVIRONMENT for each in present):
        return container
    return {**container, "env": [*present, variable]}


def _count(pod: Document, annotation: str) -> int:
    found = _integer((pod["metadata"].get("annotations") or {}).get(annotation))
    return found if found is not None and 0 <= found < 2**31 else 0


def _integer(text: Any) -> int | None:
    """strconv.Atoi."""
    return int(text) if isinstance(text, str) and _INTEGER.fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class Intervals:
    """A set of indexes as ranges (first, last) in order, none touching the next."""

    ranges: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, indexes: Iterable[int]) -> Intervals:
        return cls(tuple(_joined((index, index) for index in sorted(indexes))))

    @classmethod
    def parse(cls, text: str, completions: int) -> Intervals:
        """What `str` gave. Parts that cannot be read are passed over, what is beyond `completions` is cut off."""
        found = []
        for part in text.split(",") if text else ():
            limits = [_integer(limit) for limit in part.split("-")]
            first = limits[0]
            last = limits[1] if len(limits) > 1 else first
            if first is not None and first >= completions:
                break
            if first is not None and last is not None:
                found.append((first, min(last, completions - 1)))
        return cls(tuple(_joined(sorted(found))))

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __contains__(self, index: int) -> bool:
        at = bisect_right(self.ranges, (index, math.inf)) - 1
        return at >= 0 and index <= self.ranges[at][1]

    def __or__(self, other: Intervals) -> Intervals:
        return Intervals(tuple(_joined(sorted((*self.ranges, *other.ranges)))))

    def total(self) -> int:
        return sum(last - first + 1 for first, last in self.ranges)

    def overlap(self, other: Intervals) -> int:
        """How many indexes are in both."""
        return sum(
            max(0, min(last, other_last) - max(first, other_first) + 1)
            for first, last in self.ranges
            for other_first, other_last in other.ranges
        )

    def missing(self, completions: int) -> Iterator[int]:
        """The indexes below `completions` that are not in it, in order."""
        candidate = 0
        for first, last in self.ranges:
            yield from range(candidate, min(first, completions))
            candidate = max(candidate, last + 1)
        yield from range(candidate, completions)

    def __str__(self) -> str:
        """Two neighbours are `1,2`, three and more `1-3`."""
        return ",".join(_shown(first, last) for first, last in self.ranges)


def _joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    result: list[tuple[int, int]] = []
    for first, last in ranges:
        if result and first <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(result[-1][1], last))
        else:
            result.append((first, last))
    return result


def _shown(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first},{last}" if last == first + 1 else f"{first}-{last}"

"""Upstream: pkg/apis/batch/validation, pkg/registry/batch, printJob, printCronJob."""

from typing import Any

import pytest
from tests.unit.kinds.hooks import cells, context, create_errors, defaulted, update_errors

from tiphys.base.document import Document
from tiphys.kinds.batch import cron_job, job

UID = "1a2b"


def template(**spec: Any) -> Document:
    return {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "a"}], **spec}}


def a_job(pod: Document | None = None, **spec: Any) -> Document:
    return {"metadata": {"name": "pi", "uid": UID}, "spec": {"template": template(**(pod or {})), **spec}}


@pytest.mark.parametrize("minor", [25, 26, 27, 37])
def test_a_plain_job_is_valid(minor: int) -> None:
    assert create_errors(job.KIND, a_job(), minor) == []


def test_the_selector_is_generated() -> None:
    made = defaulted(job.KIND, a_job())
    assert job.KIND.prepare_create
    job.KIND.prepare_create(made, context())
    assert made["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": UID}}
    assert made["spec"]["template"]["metadata"]["labels"] == {
        "job-name": "pi",
        "batch.kubernetes.io/job-name": "pi",
        "controller-uid": UID,
        "batch.kubernetes.io/controller-uid": UID,
    }
    old = defaulted(job.KIND, a_job(), 26)
    job.KIND.prepare_create(old, context(26))
    assert old["spec"]["selector"] == {"matchLabels": {"controller-uid": UID}}


@pytest.mark.parametrize(
    "document, expected",
    [
        (
            a_job({"restartPolicy": "Always"}),
            ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
        ),
        (
            a_job(completionMode="Indexed", completions=None, parallelism=1),
            ["spec.completions: Required value: when completion mode is Indexed"],
        ),
        (a_job(parallelism=-1), ["spec.parallelism: Invalid value: -1: must be greater than or equal to 0"]),
        (
            a_job(completionMode="Odd"),
            ['spec.completionMode: Unsupported value: "Odd": supported values: "NonIndexed", "Indexed"'],
        ),
        (
            a_job(manualSelector=True),
            [
                "spec.selector: Required value",
                "spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`",
            ],
        ),
        (
            a_job({"restartPolicy": "OnFailure"}, podFailurePolicy={"rules": [{"action": "Odd"}]}),
            [
                'spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when '
                "podFailurePolicy is specified",
                'spec.podFailurePolicy.rules[0].action: Unsupported value: "Odd": supported values: "Count", '
                '"FailIndex", "FailJob", "Ignore"',
                'spec.podFailurePolicy.rules[0]: Invalid value: "": specifying one of OnExitCodes and '
                "OnPodConditions is required",
            ],
        ),
    ],
)
def test_job_errors(document: Document, expected: list[str]) -> None:
    assert create_errors(job.KIND, document) == expected


def updated(old: Document, **spec: Any) -> list[str]:
    before = defaulted(job.KIND, old)
    assert job.KIND.prepare_create
    job.KIND.prepare_create(before, context())
    after = {**before, "spec": {**before["spec"], **spec}}
    return update_errors(job.KIND, before, after)


def test_what_may_change_of_a_job() -> None:
    assert updated(a_job(), parallelism=3, suspend=True) == []
    assert updated(a_job(), completions=2) == ["spec.completions: Invalid value: 2: field is immutable"]
    indexed = a_job(completionMode="Indexed", completions=1, parallelism=1)
    assert updated(indexed, completions=3, parallelism=3) == []
    assert updated(indexed, completions=3) == [
        "spec.completions: Invalid value: 3: can only be modified in tandem with spec.parallelism"
    ]


def test_a_suspended_job_may_be_scheduled_elsewhere() -> None:
    """Upstream: AllowMutableSchedulingDirectives."""
    before = defaulted(job.KIND, a_job(suspend=True))
    assert job.KIND.prepare_create and job.KIND.validate_update
    job.KIND.prepare_create(before, context())
    pod = {**before["spec"]["template"]["spec"], "nodeSelector": {"a": "b"}}
    after = {**before, "spec": {**before["spec"], "template": {**before["spec"]["template"], "spec": pod}}}
    assert not job.KIND.validate_update(after, before, context())
    before["status"]["startTime"] = "2026-01-02T03:04:05Z"
    (error,) = job.KIND.validate_update(after, before, context())
    assert error.path == "spec.template" and error.detail == "field is immutable"


@pytest.mark.parametrize(
    "status, expected",
    [
        ({}, ("Running", "0/2", "")),
        (
            {
                "succeeded": 2,
                "startTime": "2026-01-02T03:00:00Z",
                "completionTime": "2026-01-02T03:01:07Z",
                "conditions": [{"type": "Complete", "status": "True"}],
            },
            ("Complete", "2/2", "67s"),
        ),
        (
            {"startTime": "2026-01-02T03:04:00Z", "conditions": [{"type": "Suspended", "status": "True"}]},
            ("Suspended", "0/2", "5s"),
        ),
    ],
)
def test_job_columns(status: Document, expected: tuple[str, str, str]) -> None:
    shown = cells(job.KIND, {**a_job(completions=2), "status": status})
    assert (shown["Status"], shown["Completions"], shown["Duration"]) == expected


def test_columns_by_version() -> None:
    assert "Status" not in [each.name for each in job.KIND.columns_at(30)]
    assert "Timezone" not in [each.name for each in cron_job.KIND.columns_at(29)]


def cron(schedule: str = "*/5 * * * *", **spec: Any) -> Document:
    return {
        "metadata": {"name": "hello"},
        "spec": {"schedule": schedule, "jobTemplate": {"spec": {"template": template()}}, **spec},
    }


@pytest.mark.parametrize(
    "document, expected",
    [
        (cron(), []),
        (cron(timeZone="Europe/Athens"), []),
        (cron(""), ["spec.schedule: Required value"]),
        (
            cron("* * * *"),
            ['spec.schedule: Invalid value: "* * * *": expected exactly 5 fields, found 4: [* * * *]'],
        ),
        (
            cron("TZ=UTC 0 0 * * *"),
            [
                'spec.schedule: Invalid value: "TZ=UTC 0 0 * * *": cannot use TZ or CRON_TZ in schedule, use '
                "timeZone field instead"
            ],
        ),
        (
            cron(timeZone="Local"),
            [
                'spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in '
                "https://www.iana.org/time-zones"
            ],
        ),
        (cron(timeZone="Nowhere/X"), ['spec.timeZone: Invalid value: "Nowhere/X": unknown time zone Nowhere/X']),
        (
            cron(concurrencyPolicy="Maybe"),
            ['spec.concurrencyPolicy: Unsupported value: "Maybe": supported values: "Allow", "Forbid", "Replace"'],
        ),
        (
            cron(jobTemplate={"spec": {"template": template(), "selector": {"matchLabels": {"a": "b"}}}}),
            [
                'spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` will be '
                "auto-generated"
            ],
        ),
        (
            {**cron(), "metadata": {"name": "a" * 53}},
            [f'metadata.name: Invalid value: "{"a" * 53}": must be no more than 52 characters'],
        ),
    ],
)
def test_cron_job_errors(document: Document, expected: list[str]) -> None:
    assert create_errors(cron_job.KIND, document) == expected


def test_a_zone_in_the_schedule_may_stay() -> None:
    old = cron("CRON_TZ=UTC 0 0 * * *")
    assert update_errors(cron_job.KIND, old, cron("CRON_TZ=UTC 1 0 * * *")) == []
    assert cron_job.KIND.warnings
    (warning,) = cron_job.KIND.warnings(old, None)
    assert warning.startswith('CRON_TZ or TZ used in "CRON_TZ=UTC 0 0 * * *" is not officially supported, see ')


def test_cron_job_columns() -> None:
    document = {**cron(suspend=False), "status": {"active": [{}], "lastScheduleTime": "2026-01-02T03:00:05Z"}}
    shown = cells(cron_job.KIND, document, wide=False)
    assert list(shown.values()) == ["*/5 * * * *", "<none>", "False", 1, "4m", "<unknown>"]

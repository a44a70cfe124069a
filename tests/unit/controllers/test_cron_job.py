"""CronJob: expectations cite `pkg/controller/cronjob/cronjob_controllerv2.go`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tiphys.base.clock import parse_rfc3339, rfc3339
from tiphys.base.document import Document
from tiphys.base.status import StatusError, forbidden
from tiphys.controllers.cron_job.controller import CONTROLLER

BATCH = "batch/v1"
SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
MINUTELY = "* * * * *"


def cron_job(schedule: str = MINUTELY, **spec: Any) -> Document:
    """As the API's defaults leave it."""
    template = {
        "metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}},
        "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}},
    }
    return {
        "apiVersion": BATCH,
        "kind": "CronJob",
        "metadata": {"name": "tick"},
        "spec": {
            "schedule": schedule,
            "concurrencyPolicy": "Allow",
            "suspend": False,
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 1,
            "jobTemplate": template,
            **spec,
        },
    }


class CronJobs:
    def __init__(self, cluster: Any) -> None:
        self.cluster = cluster

    async def create(self, document: Document) -> Document:
        made: Document = await self.cluster.client.create(BATCH, "cronjobs", document, "default")
        return made

    async def patch(self, spec: Document) -> None:
        await self.cluster.client.patch(BATCH, "cronjobs", "tick", {"spec": spec}, "default")

    @property
    def status(self) -> Document:
        return dict(self.cluster.api.of("cronjobs")[0].get("status") or {})

    @property
    def active(self) -> list[str]:
        return [each["name"] for each in self.status.get("active") or ()]

    @property
    def jobs(self) -> list[str]:
        return [job["metadata"]["name"] for job in self.cluster.api.of("jobs")]

    async def minutes(self, count: int) -> None:
        """Until so many minutes have begun and a little more."""
        for _ in range(count):
            await self.cluster.pass_time(60 - self.cluster.clock.now() % 60 + 1, step=30)

    async def end(self, name: str, type_: str = "Complete") -> None:
        now = rfc3339(self.cluster.clock.now())
        status: Document = {
            "startTime": now,
            "conditions": [{"type": type_, "status": "True", "lastTransitionTime": now}],
        }
        if type_ == "Complete":
            status["completionTime"] = now
        patch = {"status": status}
        await self.cluster.client.patch(BATCH, "jobs", name, patch, "default", subresource="status")
        await self.cluster.settle()


@pytest.fixture
def crons(cluster: Any) -> CronJobs:
    return CronJobs(cluster)


async def test_a_run_becomes_a_job(crons: CronJobs) -> None:
    async with crons.cluster.running(CONTROLLER):
        made = await crons.create(cron_job())
        await crons.cluster.settle()
        assert crons.jobs == [] and crons.status == {}
        await crons.minutes(1)
        await crons.cluster.api.until(lambda: crons.active)
        (job,) = crons.cluster.api.of("jobs")
        due = crons.status["lastScheduleTime"]
        meta = job["metadata"]
        assert meta["name"] == f"tick-{int(parse_rfc3339(due)) // 60}"
        assert meta["labels"] == {"a": "b"}
        assert meta["annotations"] == {"c": "d", SCHEDULED: due}
        (owner,) = meta["ownerReferences"]
        assert (owner["kind"], owner["uid"], owner["controller"]) == ("CronJob", made["metadata"]["uid"], True)
        assert job["spec"] == made["spec"]["jobTemplate"]["spec"]
        (reference,) = crons.status["active"]
        assert reference == {
            "kind": "Job",
            "apiVersion": BATCH,
            "namespace": "default",
            "name": meta["name"],
            "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"],
        }
        await crons.cluster.api.until(
            lambda: crons.cluster.messages("SuccessfulCreate") == [f"Created job {meta['name']}"]
        )
        await crons.end(meta["name"])
        await crons.cluster.api.until(lambda: crons.active == [])
        saw = f"Saw completed job: {meta['name']}, condition: Complete"
        await crons.cluster.api.until(lambda: crons.cluster.messages("SawCompletedJob") == [saw])
        assert crons.status["lastSuccessfulTime"] == crons.cluster.api.of("jobs")[0]["status"]["completionTime"]
        assert crons.cluster.messages("UnexpectedJob") == []


@pytest.mark.parametrize("minor, annotated", [(27, False), (28, True)])
async def test_the_scheduled_time_is_told_in_its_zone(crons: CronJobs, minor: int, annotated: bool) -> None:
    """CronJobsScheduledAnnotation came with 1.28."""
    async with crons.cluster.running(CONTROLLER, minor=minor):
        await crons.create(cron_job(timeZone="Asia/Shanghai"))
        await crons.minutes(1)
        await crons.cluster.api.until(lambda: crons.jobs)
    told = crons.cluster.api.of("jobs")[0]["metadata"]["annotations"].get(SCHEDULED)
    assert (told is not None) == annotated
    assert told is None or (
        told.endswith("+08:00") and parse_rfc3339(told) == parse_rfc3339(crons.status["lastScheduleTime"])
    )


@pytest.mark.parametrize(
    "policy, jobs, told",
    [
        ("Allow", 3, ""),
        ("Forbid", 1, "JobAlreadyActive"),
        ("Replace", 1, "SuccessfulDelete"),
    ],
)
async def test_concurrency(crons: CronJobs, policy: str, jobs: int, told: str) -> None:
    async with crons.cluster.running(CONTROLLER):
        await crons.create(cron_job(concurrencyPolicy=policy))
        await crons.minutes(1)
        (first,) = crons.jobs
        await crons.minutes(2)
        assert len(crons.jobs) == len(crons.active) == jobs
        assert (first in crons.jobs) == (policy != "Replace")
        if told:
            await crons.cluster.api.until(lambda: crons.cluster.messages(told))
    words = {
        "JobAlreadyActive": "Not starting job because prior execution is running and concurrency policy is Forbid",
        "SuccessfulDelete": f"Deleted job {first}",
    }
    assert not told or crons.cluster.messages(told)[0] == words[told]


async def test_history(crons: CronJobs) -> None:
    """The oldest go first; failures and successes are counted apart."""
    async with crons.cluster.running(CONTROLLER):
        await crons.create(cron_job(successfulJobsHistoryLimit=1, failedJobsHistoryLimit=0))
        for _ in range(3):
            await crons.minutes(1)
            await crons.end(crons.active[0])
        await crons.cluster.settle()
        assert len(crons.jobs) == 1 and crons.active == []
        await crons.minutes(1)
        (failed,) = crons.active
        await crons.end(failed, "Failed")
        await crons.cluster.api.until(lambda: failed not in crons.jobs)
        await crons.cluster.api.until(lambda: f"Deleted job {failed}" in crons.cluster.messages("SuccessfulDelete"))
        await crons.cluster.api.until(lambda: crons.active == [])
        assert len(crons.jobs) == 1


async def test_suspended(crons: CronJobs) -> None:
    """What falls into the suspension is made up for by one run."""
    async with crons.cluster.running(CONTROLLER):
        await crons.create(cron_job(suspend=True))
        await crons.minutes(3)
        assert crons.jobs == []
        await crons.patch({"suspend": False})
        await crons.cluster.api.until(lambda: len(crons.jobs) == 1)
        latest = crons.cluster.clock.now() // 60
        assert crons.jobs == [f"tick-{int(latest)}"]


async def test_too_many_missed_runs(crons: CronJobs) -> None:
    async with crons.cluster.running(CONTROLLER):
        await crons.create(cron_job(suspend=True))
        await crons.cluster.settle()
    crons.cluster.clock.skip(102 * 60)
    async with crons.cluster.running(CONTROLLER):
        await crons.patch({"suspend": False})
        await crons.cluster.api.until(lambda: crons.cluster.messages("TooManyMissedTimes"))
        words = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
        assert crons.cluster.messages("TooManyMissedTimes")[0] == words
        await crons.cluster.api.until(lambda: len(crons.jobs) == 1)


async def test_a_run_that_is_too_late_is_left_out(crons: CronJobs) -> None:
    """Only with the deadline: nothing is started that should have been long ago."""
    hour_from_now = datetime.fromtimestamp(crons.cluster.clock.now() + 3600, UTC)
    async with crons.cluster.running(CONTROLLER):
        await crons.create(cron_job(f"0 {hour_from_now.hour} * * *", suspend=True, startingDeadlineSeconds=30))
        await crons.cluster.settle()
    crons.cluster.clock.skip(3 * 3600)
    async with crons.cluster.running(CONTROLLER):
        await crons.patch({"suspend": False})
        await crons.cluster.settle()
        assert crons.jobs == []


@pytest.mark.parametrize(
    "document, reason, message",
    [
        (
            cron_job("x * * * *"),
            "UnparseableSchedule",
            'unparseable schedule: "x * * * *" : '
            'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax',
        ),
        (
            cron_job("0 0 31 2 *"),
            "InvalidSchedule",
            "invalid schedule: 0 0 31 2 * : time difference between two schedules is less than 1 second",
        ),
        (
            cron_job(timeZone="No/Where"),
            "UnknownTimeZone",
            'invalid timeZone: "No/Where": unknown time zone No/Where',
        ),
        (
            cron_job("TZ=UTC * * * * *"),
            "UnsupportedSchedule",
            'CRON_TZ or TZ used in schedule "TZ=UTC * * * * *" is not officially supported, see '
            "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details",
        ),
    ],
)
async def test_told_of_a_schedule(crons: CronJobs, document: Document, reason: str, message: str) -> None:
    async with crons.cluster.running(CONTROLLER):
        await crons.create(document)
        await crons.cluster.api.until(lambda: crons.cluster.messages(reason))
    assert crons.cluster.messages(reason)[0] == message


async def test_refused_jobs_are_told(crons: CronJobs) -> None:
    def refuse(info: Any, document: Document) -> StatusError | None:
        return forbidden("jobs.batch", "x", "no") if info.resource == "jobs" else None

    crons.cluster.api.refuse = refuse
    async with crons.cluster.running(CONTROLLER):
        await crons.create(cron_job())
        await crons.minutes(1)
        await crons.cluster.api.until(lambda: crons.cluster.messages("FailedCreate"))
        assert crons.cluster.messages("FailedCreate")[0] == 'Error creating job: jobs.batch "x" is forbidden: no'
        assert crons.status == {}
        crons.cluster.api.refuse = None
        await crons.minutes(1)
        await crons.cluster.api.until(lambda: crons.active)


async def test_a_job_that_went_missing(crons: CronJobs) -> None:
    async with crons.cluster.running(CONTROLLER):
        await crons.create(cron_job())
        await crons.minutes(1)
        (name,) = crons.active
        await crons.cluster.client.delete(BATCH, "jobs", name, "default")
        await crons.cluster.api.until(lambda: crons.active == [])
        await crons.cluster.api.until(lambda: crons.cluster.messages("MissingJob"))
    assert crons.cluster.messages("MissingJob") == [f"Active job went missing: {name}"]


async def test_a_job_of_another_s_making(crons: CronJobs) -> None:
    """`kubectl create job --from` makes a Job the CronJob controls."""
    async with crons.cluster.running(CONTROLLER):
        made = await crons.create(cron_job("0 0 1 1 *"))
        owner = {"apiVersion": BATCH, "kind": "CronJob", "name": "tick", "uid": made["metadata"]["uid"]}
        meta = {"name": "by-hand", "ownerReferences": [{**owner, "controller": True}]}
        await crons.cluster.client.create(BATCH, "jobs", {"metadata": meta, "spec": {}}, "default")
        await crons.cluster.api.until(lambda: crons.cluster.messages("UnexpectedJob"))
    words = "Saw a job that the controller did not create or forgot: by-hand"
    assert crons.cluster.messages("UnexpectedJob")[0] == words


async def test_a_run_is_not_started_twice(crons: CronJobs) -> None:
    """A controller that ended between making the Job and telling so: the next one takes the Job as its own."""
    async with crons.cluster.running(CONTROLLER):
        await crons.create(cron_job())
        await crons.minutes(1)
        await crons.cluster.api.until(lambda: crons.active)
    (name,) = crons.jobs
    bare = {**crons.cluster.api.of("cronjobs")[0], "status": {}}
    await crons.cluster.client.update_status(BATCH, "cronjobs", bare, "default")
    async with crons.cluster.running(CONTROLLER):
        await crons.cluster.api.until(lambda: crons.active == [name])
    assert crons.jobs == [name]

"""Job: expectations cite `pkg/controller/job/job_controller.go` and its tests."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tiphys.base.clock import parse_rfc3339
from tiphys.base.document import Document
from tiphys.controllers.job.controller import CONTROLLER

BATCH = "batch/v1"
TRACKING = "batch.kubernetes.io/job-tracking"
INDEX = "batch.kubernetes.io/job-completion-index"
FAILURES = "batch.kubernetes.io/job-index-failure-count"


def job(name: str = "work", restart: str = "Never", **spec: Any) -> Document:
    """As the API's defaults leave it."""
    defaults = {"parallelism": 1, "backoffLimit": 6, "completionMode": "NonIndexed", "suspend": False}
    if spec.get("completionMode") == "Indexed" or "parallelism" not in spec:
        defaults["completions"] = 1
    return {
        "apiVersion": BATCH,
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {
            **defaults,
            "podReplacementPolicy": "TerminatingOrFailed",
            "selector": {"matchLabels": {"job": name}},
            "template": {
                "metadata": {"labels": {"job": name}},
                "spec": {"restartPolicy": restart, "containers": [{"name": "c", "image": "i"}]},
            },
            **spec,
        },
    }


class Jobs:
    """What the tests do with a cluster."""

    def __init__(self, cluster: Any) -> None:
        self.cluster = cluster

    async def create(self, document: Document) -> Document:
        made: Document = await self.cluster.client.create(BATCH, "jobs", document, "default")
        return made

    async def patch(self, spec: Document, name: str = "work") -> None:
        await self.cluster.client.patch(BATCH, "jobs", name, {"spec": spec}, "default")

    @property
    def status(self) -> Document:
        found = self.cluster.api.of("jobs")
        return dict(found[0].get("status") or {}) if found else {}

    def conditions(self) -> list[tuple[str, str, str]]:
        """(type, reason, message) of those that hold."""
        return [
            (each["type"], each.get("reason", ""), each.get("message", ""))
            for each in self.status.get("conditions") or ()
            if each["status"] == "True"
        ]

    def pods(self, phase: str = "", *, leaving: bool = False) -> list[Document]:
        """Those of a phase (of any without one), being deleted or not."""
        return [
            pod
            for pod in self.cluster.api.of("pods")
            if bool(pod["metadata"].get("deletionTimestamp")) == leaving and phase in ("", pod["status"]["phase"])
        ]

    async def wait_pods(self, count: int, phase: str = "") -> list[Document]:
        await self.until(lambda: len(self.pods(phase)) == count)
        return self.pods(phase)

    async def until(self, condition: Callable[[], Any]) -> Any:
        return await self.cluster.api.until(condition)

    async def end(self, pod: Document, phase: str, code: int | None = None) -> None:
        await self.cluster.set_pod(pod, phase, ready=False)
        if code is not None:
            now = pod["metadata"]["creationTimestamp"]
            state = {"terminated": {"exitCode": code, "finishedAt": now}}
            status = {"containerStatuses": [{"name": "c", "state": state}]}
            name = pod["metadata"]["name"]
            await self.cluster.client.patch("v1", "pods", name, {"status": status}, "default", subresource="status")


@pytest.fixture
def jobs(cluster: Any) -> Jobs:
    return Jobs(cluster)


REACHED = "Reached expected number of succeeded pods"


@pytest.mark.parametrize(
    "minor, conditions",
    [
        (25, [("Complete", "", "")]),
        (30, [("Complete", "", "")]),
        (
            31,
            [
                ("SuccessCriteriaMet", "CompletionsReached", REACHED),
                ("Complete", "CompletionsReached", REACHED),
            ],
        ),
    ],
)
async def test_runs_until_enough_have_succeeded(jobs: Jobs, minor: int, conditions: Any) -> None:
    async with jobs.cluster.running(CONTROLLER, minor=minor):
        await jobs.create(job(completions=3, parallelism=2))
        first, second = await jobs.wait_pods(2)
        assert first["metadata"]["finalizers"] == [TRACKING]
        assert first["metadata"]["name"].startswith("work-")
        await jobs.until(lambda: jobs.status.get("active") == 2)
        assert jobs.status["startTime"] and jobs.status["ready"] == 0
        assert jobs.status.get("terminating") == (0 if minor >= 29 else None)
        await jobs.cluster.set_pod(first)
        await jobs.until(lambda: jobs.status.get("ready") == 1)
        await jobs.end(first, "Succeeded")
        await jobs.end(second, "Succeeded")
        (third,) = await jobs.wait_pods(1, "Pending")
        await jobs.end(third, "Succeeded")
        await jobs.until(lambda: "Complete" in [c[0] for c in jobs.conditions()])
        await jobs.until(lambda: jobs.cluster.messages("Completed") == ["Job completed"])
    assert jobs.conditions() == conditions
    status = jobs.status
    assert (status["succeeded"], "active" in status, "failed" in status) == (3, False, False)
    assert status["uncountedTerminatedPods"] == {}
    assert status["completionTime"] == status["conditions"][-1]["lastTransitionTime"]
    assert not any(pod["metadata"].get("finalizers") for pod in jobs.pods())
    assert len(jobs.cluster.messages("SuccessfulCreate")) == 3


async def test_without_completions_one_success_is_enough(jobs: Jobs) -> None:
    """The others may run to their end, and their failures are no matter."""
    async with jobs.cluster.running(CONTROLLER):
        await jobs.create(job(parallelism=3))
        one, two, three = await jobs.wait_pods(3)
        await jobs.end(one, "Succeeded")
        await jobs.until(lambda: jobs.status.get("succeeded") == 1)
        await jobs.end(two, "Failed")
        await jobs.until(lambda: jobs.status.get("failed") == 1)
        assert jobs.conditions() == [] and jobs.status["active"] == 1
        await jobs.end(three, "Succeeded")
        await jobs.until(lambda: [c[0] for c in jobs.conditions()][-1:] == ["Complete"])
    assert len(jobs.pods()) == 3


async def test_a_failed_pod_is_replaced_later_each_time(jobs: Jobs) -> None:
    """After 10 s, 20 s, 40 s (DefaultJobPodFailureBackOff)."""
    async with jobs.cluster.running(CONTROLLER):
        await jobs.create(job())
        for number, seconds in enumerate((10, 20, 40), start=1):
            (pod,) = await jobs.wait_pods(1, "Pending")
            await jobs.end(pod, "Failed")
            await jobs.until(lambda wanted=number: jobs.status.get("failed") == wanted)
            await jobs.cluster.pass_time(seconds - 2)
            assert jobs.pods("Pending") == []
            await jobs.cluster.pass_time(4)
            await jobs.wait_pods(1, "Pending")


EXCEEDED = "Job has reached the specified backoff limit"


@pytest.mark.parametrize("minor, types", [(30, ["Failed"]), (37, ["FailureTarget", "Failed"])])
async def test_too_many_failures(jobs: Jobs, minor: int, types: list[str]) -> None:
    """What still runs is deleted and counted as failed."""
    async with jobs.cluster.running(CONTROLLER, minor=minor), jobs.cluster.kubelet():
        await jobs.create(job(completions=2, parallelism=2, backoffLimit=0))
        running = await jobs.wait_pods(2, "Running")
        await jobs.end(running[0], "Failed")
        await jobs.until(lambda: "Failed" in [c[0] for c in jobs.conditions()])
        await jobs.until(lambda: jobs.cluster.messages("BackoffLimitExceeded") == [EXCEEDED])
        assert jobs.conditions() == [(type_, "BackoffLimitExceeded", EXCEEDED) for type_ in types]
        assert (jobs.status["failed"], jobs.status.get("active")) == (2, None)
        assert jobs.cluster.messages("SuccessfulDelete") == [f"Deleted pod: {running[1]['metadata']['name']}"]
        await jobs.until(lambda: len(jobs.cluster.api.of("pods")) == 1)


async def test_the_end_waits_for_terminating_pods(jobs: Jobs) -> None:
    """Since 1.31: FailureTarget at once, Failed when no pod is terminating any more."""
    async with jobs.cluster.running(CONTROLLER):
        await jobs.create(job(completions=1, parallelism=1, activeDeadlineSeconds=60))
        (pod,) = await jobs.wait_pods(1)
        await jobs.cluster.client.patch(
            "v1", "pods", pod["metadata"]["name"], {"metadata": {"finalizers": [TRACKING, "ours/hold"]}}, "default"
        )
        await jobs.cluster.set_pod(pod)
        await jobs.until(lambda: jobs.status.get("ready") == 1)
        await jobs.cluster.pass_time(61)
        target = ("FailureTarget", "DeadlineExceeded", "Job was active longer than specified deadline")
        await jobs.until(lambda: jobs.conditions() == [target])
        await jobs.until(lambda: jobs.status.get("terminating") == 1)
        await jobs.cluster.pass_time(5)
        assert jobs.conditions() == [target]
        patch = {"metadata": {"finalizers": []}}
        await jobs.cluster.client.patch("v1", "pods", pod["metadata"]["name"], patch, "default")
        await jobs.cluster.client.delete("v1", "pods", pod["metadata"]["name"], "default", grace_period=0)
        await jobs.until(lambda: jobs.conditions()[1:] == [("Failed", *target[1:])])
    assert jobs.status["terminating"] == 0


async def test_restarts_count_where_containers_are_restarted(jobs: Jobs) -> None:
    """pastBackoffLimitOnFailure."""
    async with jobs.cluster.running(CONTROLLER), jobs.cluster.kubelet():
        await jobs.create(job(restart="OnFailure", backoffLimit=2))
        (pod,) = await jobs.wait_pods(1, "Running")
        for restarts in (1, 2):
            assert jobs.conditions() == []
            status = {"containerStatuses": [{"name": "c", "restartCount": restarts, "state": {"running": {}}}]}
            name = pod["metadata"]["name"]
            await jobs.cluster.client.patch("v1", "pods", name, {"status": status}, "default", subresource="status")
            await jobs.cluster.pass_time(2)
        await jobs.until(lambda: ("Failed", "BackoffLimitExceeded", EXCEEDED) in jobs.conditions())


@pytest.mark.parametrize("minor, source", [(27, "annotations"), (28, "labels")])
async def test_indexed(jobs: Jobs, minor: int, source: str) -> None:
    """PodIndexLabel came with 1.28."""
    async with jobs.cluster.running(CONTROLLER, minor=minor):
        await jobs.create(job(completions=4, parallelism=3, completionMode="Indexed"))
        pods = await jobs.wait_pods(3)
        assert [pod["metadata"]["annotations"][INDEX] for pod in pods] == ["0", "1", "2"]
        assert [pod["spec"]["hostname"] for pod in pods] == ["work-0", "work-1", "work-2"]
        assert all(pod["metadata"]["name"].startswith(f"work-{n}-") for n, pod in enumerate(pods))
        assert [pod["metadata"]["labels"].get(INDEX) for pod in pods] == [
            str(n) if minor >= 28 else None for n in range(3)
        ]
        (variable,) = pods[0]["spec"]["containers"][0]["env"]
        reference = {"fieldRef": {"fieldPath": f"metadata.{source}['{INDEX}']"}}
        assert variable == {"name": "JOB_COMPLETION_INDEX", "valueFrom": reference}
        await jobs.end(pods[2], "Succeeded")
        await jobs.until(lambda: jobs.status.get("completedIndexes") == "2")
        (last,) = [pod for pod in await jobs.wait_pods(3, "Pending") if pod["spec"]["hostname"] == "work-3"]
        await jobs.end(last, "Succeeded")
        await jobs.until(lambda: jobs.status.get("completedIndexes") == "2,3")
        await jobs.end(pods[0], "Succeeded")
        await jobs.until(lambda: jobs.status.get("completedIndexes") == "0,2,3")
        assert jobs.status["succeeded"] == 3
        await jobs.end(pods[1], "Succeeded")
        await jobs.until(lambda: "Complete" in [c[0] for c in jobs.conditions()])
    assert (jobs.status["completedIndexes"], jobs.status["succeeded"]) == ("0-3", 4)


async def test_indexes_fail_on_their_own(jobs: Jobs) -> None:
    """backoffLimitPerIndex: an index that has failed too often is given up, the others go on."""
    async with jobs.cluster.running(CONTROLLER):
        spec = {"completions": 2, "parallelism": 2, "completionMode": "Indexed", "backoffLimitPerIndex": 1}
        await jobs.create(job(backoffLimit=2**31 - 1, **spec))
        zero, one = await jobs.wait_pods(2)
        assert zero["metadata"]["annotations"][FAILURES] == "0"
        await jobs.end(zero, "Failed")
        await jobs.cluster.pass_time(3)
        # The failed pod keeps its finalizer until its count has passed to the next.
        assert jobs.cluster.api.of("pods")[0]["metadata"]["finalizers"] == [TRACKING]
        await jobs.cluster.pass_time(9)
        (again,) = [p for p in await jobs.wait_pods(2, "Pending") if p["metadata"]["annotations"][INDEX] == "0"]
        assert again["metadata"]["annotations"][FAILURES] == "1"
        await jobs.until(lambda: jobs.status.get("failed") == 1)
        await jobs.end(again, "Failed")
        await jobs.until(lambda: jobs.status.get("failedIndexes") == "0")
        await jobs.end(one, "Succeeded")
        await jobs.until(lambda: "Failed" in [c[0] for c in jobs.conditions()])
    assert jobs.conditions()[-1] == ("Failed", "FailedIndexes", "Job has failed indexes")
    assert (jobs.status["completedIndexes"], jobs.status["failed"]) == ("1", 2)


async def test_too_many_failed_indexes(jobs: Jobs) -> None:
    async with jobs.cluster.running(CONTROLLER), jobs.cluster.kubelet():
        spec = {"completions": 3, "parallelism": 3, "completionMode": "Indexed"}
        await jobs.create(job(backoffLimit=2**31 - 1, backoffLimitPerIndex=0, maxFailedIndexes=0, **spec))
        pods = await jobs.wait_pods(3, "Running")
        await jobs.end(pods[1], "Failed")
        await jobs.until(lambda: "Failed" in [c[0] for c in jobs.conditions()])
    message = "Job has exceeded the specified maximal number of failed indexes"
    assert jobs.conditions()[-1] == ("Failed", "MaxFailedIndexesExceeded", message)
    assert jobs.status["failedIndexes"] == "1"


async def test_success_policy(jobs: Jobs) -> None:
    """The pods that are left over are deleted, and are no failures."""
    async with jobs.cluster.running(CONTROLLER), jobs.cluster.kubelet():
        policy = {"rules": [{"succeededIndexes": "1"}]}
        await jobs.create(job(completions=3, parallelism=3, completionMode="Indexed", successPolicy=policy))
        pods = await jobs.wait_pods(3, "Running")
        await jobs.end(pods[1], "Succeeded")
        await jobs.until(lambda: "Complete" in [c[0] for c in jobs.conditions()])
    assert jobs.conditions() == [
        ("SuccessCriteriaMet", "SuccessPolicy", "Matched rules at index 0"),
        ("Complete", "SuccessPolicy", "Matched rules at index 0"),
    ]
    assert (jobs.status["completedIndexes"], jobs.status["succeeded"]) == ("1", 1)


async def test_failure_policy(jobs: Jobs) -> None:
    policy = {
        "rules": [
            {"action": "Ignore", "onExitCodes": {"operator": "In", "values": [3]}},
            {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}},
        ]
    }
    async with jobs.cluster.running(CONTROLLER):
        await jobs.create(job(podFailurePolicy=policy, podReplacementPolicy="Failed"))
        (pod,) = await jobs.wait_pods(1)
        await jobs.end(pod, "Failed", 3)
        await jobs.cluster.pass_time(12)
        (pod,) = await jobs.wait_pods(1, "Pending")
        assert jobs.status.get("failed") is None
        await jobs.end(pod, "Failed", 42)
        await jobs.until(lambda: "Failed" in [c[0] for c in jobs.conditions()])
    name = pod["metadata"]["name"]
    message = f"Container c for pod default/{name} failed with exit code 42 matching FailJob rule at index 1"
    assert jobs.conditions() == [(t, "PodFailurePolicy", message) for t in ("FailureTarget", "Failed")]


async def test_a_terminating_pod_is_replaced_by_policy(jobs: Jobs) -> None:
    """podReplacementPolicy: Failed waits until the pod has ended."""
    async with jobs.cluster.running(CONTROLLER):
        await jobs.create(job(podReplacementPolicy="Failed"))
        (pod,) = await jobs.wait_pods(1)
        await jobs.cluster.set_pod(pod)
        await jobs.cluster.client.delete("v1", "pods", pod["metadata"]["name"], "default")
        await jobs.until(lambda: jobs.status.get("terminating") == 1)
        await jobs.cluster.pass_time(15)
        assert jobs.pods() == [] and jobs.status.get("failed") is None
        await jobs.end(pod, "Failed")
        await jobs.until(lambda: jobs.status.get("failed") == 1)
        await jobs.cluster.pass_time(12)
        await jobs.wait_pods(1, "Pending")


async def test_a_deleted_pod_has_failed(jobs: Jobs) -> None:
    """Even if nobody ever says how it ended (isPodFailed)."""
    async with jobs.cluster.running(CONTROLLER):
        await jobs.create(job())
        (pod,) = await jobs.wait_pods(1)
        await jobs.cluster.client.delete("v1", "pods", pod["metadata"]["name"], "default")
        await jobs.until(lambda: jobs.status.get("failed") == 1)
        await jobs.cluster.pass_time(12)
        (new,) = await jobs.wait_pods(1)
        assert new["metadata"]["uid"] != pod["metadata"]["uid"]


@pytest.mark.parametrize("minor, keeps_start", [(35, True), (36, False)])
async def test_suspended_and_resumed(jobs: Jobs, minor: int, keeps_start: bool) -> None:
    """A suspended Job has no startTime since 1.36 (MutableSchedulingDirectivesForSuspendedJobs)."""
    async with jobs.cluster.running(CONTROLLER, minor=minor), jobs.cluster.kubelet():
        await jobs.create(job(suspend=True))
        await jobs.until(lambda: jobs.conditions() == [("Suspended", "JobSuspended", "Job suspended")])
        await jobs.until(lambda: jobs.cluster.messages("Suspended") == ["Job suspended"])
        assert "startTime" not in jobs.status and jobs.pods() == []
        await jobs.patch({"suspend": False})
        await jobs.wait_pods(1, "Running")
        await jobs.until(lambda: jobs.status.get("active") == 1)
        (condition,) = jobs.status["conditions"]
        assert (condition["status"], condition["reason"], condition["message"]) == (
            "False",
            "JobResumed",
            "Job resumed",
        )
        started = parse_rfc3339(jobs.status["startTime"])
        await jobs.patch({"suspend": True})
        await jobs.until(lambda: jobs.conditions())
        await jobs.until(lambda: jobs.cluster.api.of("pods") == [])
        assert (jobs.status.get("active"), jobs.status.get("failed")) == (None, None)
        assert ("startTime" in jobs.status) == keeps_start
        await jobs.cluster.pass_time(30)
        await jobs.patch({"suspend": False})
        await jobs.wait_pods(1, "Running")
        await jobs.until(lambda: jobs.cluster.messages("Resumed"))
        assert parse_rfc3339(jobs.status["startTime"]) >= started + 30


async def test_deadline(jobs: Jobs) -> None:
    async with jobs.cluster.running(CONTROLLER, minor=30), jobs.cluster.kubelet():
        await jobs.create(job(activeDeadlineSeconds=60))
        await jobs.wait_pods(1, "Running")
        await jobs.cluster.pass_time(55)
        assert jobs.conditions() == []
        await jobs.cluster.pass_time(10)
        message = "Job was active longer than specified deadline"
        await jobs.until(lambda: jobs.conditions() == [("Failed", "DeadlineExceeded", message)])
        assert jobs.status["failed"] == 1


async def test_fewer_in_parallel(jobs: Jobs) -> None:
    """Pods that are too many are neither failures nor successes."""
    async with jobs.cluster.running(CONTROLLER):
        await jobs.create(job(completions=5, parallelism=4))
        pods = await jobs.wait_pods(4)
        for pod in pods[:2]:
            await jobs.cluster.set_pod(pod)
        await jobs.until(lambda: jobs.status.get("ready") == 2)
        await jobs.patch({"parallelism": 2})
        left = await jobs.wait_pods(2)
        assert [p["metadata"]["uid"] for p in left] == [p["metadata"]["uid"] for p in pods[:2]]
        await jobs.until(lambda: jobs.status.get("active") == 2)
    assert "failed" not in jobs.status


async def test_a_new_controller_counts_every_pod_once(jobs: Jobs) -> None:
    """The old one ended after it had noted a pod, before or after it took the finalizer off."""
    async with jobs.cluster.running(CONTROLLER):
        await jobs.create(job(completions=5, parallelism=3))
        pods = await jobs.wait_pods(3)
        await jobs.until(lambda: jobs.status.get("active") == 3)
    noted, freed, unseen = pods
    for pod in pods:
        await jobs.end(pod, "Succeeded")
    name = freed["metadata"]["name"]
    await jobs.cluster.client.patch("v1", "pods", name, {"metadata": {"finalizers": []}}, "default")
    document = copy.deepcopy(jobs.cluster.api.of("jobs")[0])
    document["status"]["uncountedTerminatedPods"] = {
        "succeeded": [noted["metadata"]["uid"], freed["metadata"]["uid"]]
    }
    await jobs.cluster.client.update_status(BATCH, "jobs", document, "default")
    async with jobs.cluster.running(CONTROLLER):
        await jobs.until(lambda: jobs.status.get("succeeded") == 3)
        await jobs.until(lambda: jobs.status.get("active") == 2)
        assert jobs.status["uncountedTerminatedPods"] == {}
        await jobs.cluster.pass_time(3)
        assert (jobs.status["succeeded"], len(jobs.pods("Pending"))) == (3, 2)
    assert unseen["metadata"]["uid"] not in str(jobs.status)


async def test_never_makes_too_many(jobs: Jobs) -> None:
    async with jobs.cluster.running(CONTROLLER):
        await jobs.create(job(completions=60, parallelism=20))
        for _ in range(200):
            for pod in jobs.pods("Pending"):
                await jobs.end(pod, "Succeeded")
            if "Complete" in [c[0] for c in jobs.conditions()]:
                break
            revision = jobs.cluster.api.revision
            await jobs.until(lambda seen=revision: jobs.cluster.api.revision > seen)
        assert jobs.status["succeeded"] == 60
        assert jobs.cluster.api.requests.count(("create", "pods")) == 60


async def test_pods_of_a_job_that_is_gone_are_let_go(jobs: Jobs) -> None:
    async with jobs.cluster.running(CONTROLLER):
        await jobs.create(job())
        await jobs.wait_pods(1)
        await jobs.cluster.client.delete(BATCH, "jobs", "work", "default")
        await jobs.until(lambda: not jobs.pods()[0]["metadata"].get("finalizers"))


async def test_an_orphan_is_adopted_and_tracked(jobs: Jobs) -> None:
    orphan = {"metadata": {"name": "orphan", "labels": {"job": "work"}}, "spec": {"containers": []}}
    await jobs.cluster.client.create("v1", "pods", orphan, "default")
    async with jobs.cluster.running(CONTROLLER):
        made = await jobs.create(job())
        await jobs.until(lambda: jobs.status.get("active") == 1)
        (pod,) = jobs.pods()
        assert pod["metadata"]["ownerReferences"][0]["uid"] == made["metadata"]["uid"]
        await jobs.until(lambda: jobs.pods()[0]["metadata"].get("finalizers") == [TRACKING])
        await jobs.end(pod, "Succeeded")
        await jobs.until(lambda: jobs.status.get("succeeded") == 1)


@pytest.mark.parametrize("minor, pods", [(31, 1), (32, 0)])
async def test_managed_by_another(jobs: Jobs, minor: int, pods: int) -> None:
    """JobManagedBy came with 1.32."""
    async with jobs.cluster.running(CONTROLLER, minor=minor):
        await jobs.create(job(managedBy="example.com/other"))
        await jobs.cluster.pass_time(3)
    assert len(jobs.pods()) == pods and bool(jobs.status) == bool(pods)

"""Jobs and CronJobs by kubectl: what each command prints is upstream's own (`kubectl/pkg/cmd`)."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.clients.conftest import Kubectl

EXIT = "simulated.tiphys.dev/exit-code"
SECONDS = "simulated.tiphys.dev/run-seconds"
TRACKING = "batch.kubernetes.io/job-tracking"


class Work:
    """kubectl in one namespace."""

    def __init__(self, kubectl: Kubectl, namespace: str) -> None:
        self.kubectl = kubectl
        self.namespace = namespace

    def __call__(self, *words: str, stdin: str = "") -> str:
        return self.kubectl("-n", self.namespace, *words, stdin=stdin)

    def json(self, *words: str) -> Any:
        return self.kubectl.json(*words, "-n", self.namespace)

    def apply(self, name: str, annotations: dict[str, str] | None = None, **spec: Any) -> None:
        template = {
            "metadata": {"annotations": annotations or {}},
            "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox:1.36"}]},
        }
        document = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}}
        self("apply", "-f", "-", stdin=yaml.safe_dump({**document, "spec": {"template": template, **spec}}))

    def wait(self, what: str, condition: str) -> None:
        assert self("wait", f"--for=condition={condition}", what, "--timeout=30s") == f"{what} condition met\n"

    def pods(self, job: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.json("get", "pods", "-l", f"job-name={job}")["items"]
        return found

    def reasons(self, name: str) -> set[tuple[str, str]]:
        """(type, reason) of the object's events."""
        found = self.json("get", "events", "--field-selector", f"involvedObject.name={name}")["items"]
        return {(event["type"], event["reason"]) for event in found}


@pytest.fixture
def work(kubectl: Kubectl, namespace: str) -> Work:
    return Work(kubectl, namespace)


def test_a_job_runs_and_is_deleted_with_its_pods(work: Work) -> None:
    assert work("create", "job", "once", "--image=busybox:1.36", "--", "true") == "job.batch/once created\n"
    work.wait("job.batch/once", "complete")
    header, line = work("get", "jobs").splitlines()
    assert header.split() == ["NAME", "STATUS", "COMPLETIONS", "DURATION", "AGE"]
    assert re.fullmatch(r"once +Complete +1/1 +\d+s +\d+s", line)
    (pod,) = work.pods("once")
    assert pod["status"]["phase"] == "Succeeded" and "finalizers" not in pod["metadata"]
    status = work.json("get", "job", "once")["status"]
    assert (status["succeeded"], status["ready"], status["terminating"]) == (1, 0, 0)
    assert status["uncountedTerminatedPods"] == {}
    assert re.search(r"Pods Statuses: +0 .*1 Succeeded / 0 Failed", work("describe", "job", "once"))
    work("delete", "job", "once")
    pod_name = pod["metadata"]["name"]
    done = work.kubectl.run("wait", "--for=delete", f"pod/{pod_name}", "-n", work.namespace, "--timeout=30s")
    assert done.returncode == 0 or "not found" in done.stderr or "no matching resources" in done.stderr
    assert work.pods("once") == []


def test_deleted_while_it_runs(work: Work) -> None:
    """The tracking finalizer does not keep the pods of a Job that is gone."""
    work.apply("long", {SECONDS: "3600"}, parallelism=2, completions=2)
    work("wait", "--for=condition=ready", "pods", "-l", "job-name=long", "--timeout=30s")
    assert [pod["metadata"]["finalizers"] for pod in work.pods("long")] == [[TRACKING]] * 2
    work("delete", "job", "long")
    work.kubectl.run("wait", "--for=delete", "pods", "-l", "job-name=long", "-n", work.namespace, "--timeout=30s")
    assert work.pods("long") == []


def test_a_job_that_fails(work: Work) -> None:
    work.apply("broken", {EXIT: "3"}, backoffLimit=0)
    work.wait("job.batch/broken", "failed")
    assert re.search(r"broken +Failed +0/1", work("get", "jobs"))
    conditions = work.json("get", "job", "broken")["status"]["conditions"]
    assert [(each["type"], each["reason"]) for each in conditions] == [
        ("FailureTarget", "BackoffLimitExceeded"),
        ("Failed", "BackoffLimitExceeded"),
    ]
    (pod,) = work.pods("broken")
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 3


def test_a_failure_policy(work: Work) -> None:
    rule = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}
    work.apply("judged", {EXIT: "42"}, podFailurePolicy={"rules": [rule]})
    work.wait("job.batch/judged", "failed")
    condition = work.json("get", "job", "judged")["status"]["conditions"][-1]
    name = work.pods("judged")[0]["metadata"]["name"]
    words = (
        f"Container main for pod {work.namespace}/{name} failed with exit code 42 matching FailJob rule at index 0"
    )
    assert (condition["reason"], condition["message"]) == ("PodFailurePolicy", words)


def test_indexed(work: Work) -> None:
    work.apply("shards", completions=5, parallelism=2, completionMode="Indexed")
    work.wait("job.batch/shards", "complete")
    status = work.json("get", "job", "shards")["status"]
    assert (status["completedIndexes"], status["succeeded"]) == ("0-4", 5)
    pods = work.pods("shards")
    assert sorted(pod["spec"]["hostname"] for pod in pods) == [f"shards-{n}" for n in range(5)]
    third = work.json("get", "pods", "-l", "batch.kubernetes.io/job-completion-index=3")["items"]
    assert len(third) == 1 and third[0]["metadata"]["name"].startswith("shards-3-")


def test_suspended_and_resumed(work: Work) -> None:
    work.apply("later", suspend=True)
    work.wait("job.batch/later", "suspended")
    assert re.search(r"later +Suspended +0/1", work("get", "jobs"))
    assert work.pods("later") == [] and "startTime" not in work.json("get", "job", "later")["status"]
    work("patch", "job", "later", "--type=merge", "-p", '{"spec":{"suspend":false}}')
    work.wait("job.batch/later", "complete")
    assert work.reasons("later") >= {("Normal", "Suspended"), ("Normal", "Resumed"), ("Normal", "Completed")}


def test_a_pod_that_is_deleted_is_replaced_when_it_has_ended(work: Work) -> None:
    work.apply("patient", {SECONDS: "3600"}, podReplacementPolicy="Failed", backoffLimit=0)
    work("wait", "--for=condition=ready", "pods", "-l", "job-name=patient", "--timeout=30s")
    work("delete", "pods", "-l", "job-name=patient", "--wait=false")
    work.wait("job.batch/patient", "failed")
    assert work.json("get", "job", "patient")["status"]["failed"] == 1


def test_gone_when_its_time_is_over(work: Work) -> None:
    work.apply("brief", ttlSecondsAfterFinished=0)
    done = work.kubectl.run("wait", "--for=delete", "job/brief", "-n", work.namespace, "--timeout=30s")
    assert done.returncode == 0 or "not found" in done.stderr or "no matching resources" in done.stderr
    assert work.json("get", "jobs")["items"] == []


def test_a_job_of_a_cron_job(work: Work) -> None:
    """kubectl 1.20 knows CronJob by the version that 1.25 took away."""
    if work.kubectl.version == "1.20":
        refused = work.kubectl.run("create", "job", "x", "--from=cronjob/nightly", "-n", work.namespace)
        assert refused.returncode == 1
        return
    made = work("create", "cronjob", "nightly", "--image=busybox:1.36", "--schedule=30 3 * * *", "--", "true")
    assert made == "cronjob.batch/nightly created\n"
    header, line = work("get", "cronjobs").splitlines()
    assert header.split() == ["NAME", "SCHEDULE", "TIMEZONE", "SUSPEND", "ACTIVE", "LAST", "SCHEDULE", "AGE"]
    assert re.fullmatch(r"nightly +30 3 \* \* \* +<none> +False +0 +<none> +\d+s", line)
    assert work("create", "job", "tonight", "--from=cronjob/nightly") == "job.batch/tonight created\n"
    work.wait("job.batch/tonight", "complete")
    job = work.json("get", "job", "tonight")
    assert job["metadata"]["ownerReferences"][0]["name"] == "nightly"
    assert job["metadata"]["annotations"] == {"cronjob.kubernetes.io/instantiate": "manual"}
    ended = "jsonpath={.status.lastSuccessfulTime}"
    work("wait", f"--for={ended}", "cronjob/nightly", "--timeout=30s")
    assert work("get", "cronjob", "nightly", "-o", ended) == job["status"]["completionTime"]
    work("delete", "cronjob", "nightly")
    work.kubectl.run("wait", "--for=delete", "job/tonight", "-n", work.namespace, "--timeout=30s")
    assert work.json("get", "jobs")["items"] == []

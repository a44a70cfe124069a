"""TTL after finished: expectations cite `pkg/controller/ttlafterfinished`."""

from __future__ import annotations

from typing import Any

from tiphys.base.clock import rfc3339
from tiphys.base.document import Document
from tiphys.controllers.ttl_after_finished import CONTROLLER

BATCH = "batch/v1"


async def ended(cluster: Any, name: str, ttl: int | None, type_: str = "Complete", status: str = "True") -> None:
    spec: Document = {} if ttl is None else {"ttlSecondsAfterFinished": ttl}
    condition = {"type": type_, "status": status, "lastTransitionTime": rfc3339(cluster.clock.now())}
    document = {
        "apiVersion": BATCH,
        "kind": "Job",
        "metadata": {"name": name},
        "spec": spec,
        "status": {"conditions": [condition]},
    }
    await cluster.client.create(BATCH, "jobs", document, "default")


def names(cluster: Any) -> list[str]:
    """Of Jobs that are not being deleted."""
    return [j["metadata"]["name"] for j in cluster.api.of("jobs") if not j["metadata"].get("deletionTimestamp")]


async def test_ended_jobs_go_when_their_time_is_over(cluster: Any) -> None:
    async with cluster.running(CONTROLLER):
        await ended(cluster, "at-once", 0)
        await ended(cluster, "failed", 60, "Failed")
        await ended(cluster, "stays", None)
        await ended(cluster, "runs", 0, "Suspended")
        await ended(cluster, "not-failed", 0, "Failed", "False")
        await cluster.api.until(lambda: "at-once" not in names(cluster))
        await cluster.pass_time(55)
        assert names(cluster) == ["failed", "not-failed", "runs", "stays"]
        await cluster.pass_time(10)
        await cluster.api.until(lambda: names(cluster) == ["not-failed", "runs", "stays"])
    # In the foreground: the Job is there until its pods are gone.
    assert [j["metadata"]["finalizers"] for j in cluster.api.of("jobs") if j["metadata"]["name"] == "failed"] == [
        ["foregroundDeletion"]
    ]


async def test_the_time_may_be_changed_meanwhile(cluster: Any) -> None:
    async with cluster.running(CONTROLLER):
        await ended(cluster, "job", 30)
        await cluster.pass_time(20)
        await cluster.client.patch(BATCH, "jobs", "job", {"spec": {"ttlSecondsAfterFinished": 100}}, "default")
        await cluster.pass_time(60)
        assert names(cluster) == ["job"]
        await cluster.pass_time(30)
        await cluster.api.until(lambda: names(cluster) == [])

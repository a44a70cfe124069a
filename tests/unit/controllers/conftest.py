"""A fake API, a client of it, and controllers run over them."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fake_api import FakeApi
from skippable_clock import SkippableClock

from tiphys.base.document import Document
from tiphys.base.names import RandomIds
from tiphys.base.status import StatusError
from tiphys.base.user import MASTERS, User
from tiphys.client.client import Client
from tiphys.client.in_process import InProcessTransport
from tiphys.controllers.contract import ControllerSpec
from tiphys.controllers.daemon_set.pod_template import target_node
from tiphys.controllers.runner import run_controllers


@dataclass
class Cluster:
    """The fake API and what tests do with it."""

    api: FakeApi
    client: Client
    clock: SkippableClock

    @asynccontextmanager
    async def running(
        self, *specs: ControllerSpec, minor: int = 37, options: dict[str, object] | None = None
    ) -> AsyncIterator[None]:
        task = asyncio.create_task(
            run_controllers(
                self.client, self.clock, RandomIds(random.Random(1)), minor=minor, options=options, specs=specs
            )
        )
        try:
            yield
            if task.done():
                task.result()
        finally:
            task.cancel()
            await asyncio.wait([task])

    def messages(self, reason: str) -> list[str]:
        return [event["message"] for event in self.api.of("events") if event["reason"] == reason]

    async def pass_time(self, seconds: float, step: float = 5.0) -> None:
        """Let the clock run on in steps, each with time for everyone to act on it."""
        while seconds > 0:
            await self.settle()
            self.clock.skip(min(step, seconds))
            seconds -= step
        await self.settle()

    async def settle(self) -> None:
        """Let all tasks run that can."""
        for _ in range(200):
            await asyncio.sleep(0)

    async def set_pod(self, pod: Document, phase: str = "Running", ready: bool = True, node: str = "n1") -> None:
        """As scheduler and kubelet would."""
        from tiphys.base.clock import rfc3339

        key = ("", "pods", pod["metadata"]["namespace"], pod["metadata"]["name"])
        if key not in self.api.objects:
            return
        current = self.api.objects[key]
        now = rfc3339(self.clock.now())
        status = {
            "phase": phase,
            "conditions": [{"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": now}],
        }
        if (current["spec"].get("nodeName")) != node:
            await self.client.patch("v1", "pods", key[3], {"spec": {"nodeName": node}}, key[2])
        await self.client.patch("v1", "pods", key[3], {"status": status}, key[2], subresource="status")

    async def let_go(self, name: str, namespace: str) -> None:
        """As a kubelet does when a pod's containers have ended; others may have been quicker."""
        try:
            await self.client.delete("v1", "pods", name, namespace, grace_period=0)
        except StatusError as error:
            if error.reason != "NotFound":
                raise

    @asynccontextmanager
    async def kubelet(self, ready: bool = True) -> AsyncIterator[None]:
        """Runs every new pod and lets go of every deleted one."""

        async def work() -> None:
            while True:
                for pod in self.api.of("pods"):
                    meta = pod["metadata"]
                    if meta.get("deletionTimestamp"):
                        await self.let_go(meta["name"], meta["namespace"])
                    elif pod["status"].get("phase") == "Pending":
                        await self.set_pod(pod, ready=ready, node=target_node(pod) or "n1")
                await self.api.until(
                    lambda: any(
                        pod["status"].get("phase") == "Pending" or pod["metadata"].get("deletionTimestamp")
                        for pod in self.api.of("pods")
                    ),
                    seconds=3600,
                )

        task = asyncio.create_task(work())
        try:
            yield
            if task.done():
                task.result()
        finally:
            task.cancel()
            await asyncio.wait([task])


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    clock = SkippableClock()
    api = FakeApi(clock, RandomIds(random.Random(7)))
    client = Client(InProcessTransport(api, User("test", (MASTERS,))))
    yield Cluster(api, client, clock)
    api.end_watches()

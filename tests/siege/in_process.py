"""The API server of a cluster without a socket, a disk or controllers: boot's own steps, as far as the pipeline."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from tiphys.base.http import Request
from tiphys.base.user import AUTHENTICATED, MASTERS, User
from tiphys.cluster import boot
from tiphys.cluster.boot import Cluster
from tiphys.cluster.directory import ClusterDirectory
from tiphys.cluster.settings import Settings

ADMIN = User("siege", (MASTERS, AUTHENTICATED))
PATIENCE = 5.0
"""Seconds within which every answer must come."""
NOT_ACCEPTABLE = 406
"""May come after the write: upstream too finds out that one object is no list when it writes the answer."""
UNSUPPORTED, TOO_NEW = 501, 504
_STEPS = ("state directory", "signing keys", "store", "schema", "API")
_GLIMPSE = 0.005


@dataclass(frozen=True)
class Asked:
    """One request, as a test may print it."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Answered:
    status: int
    content_type: str
    body: bytes

    @property
    def document(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class Besieged:
    """A pipeline under siege, and what it wrote to its log."""

    cluster: Cluster = field(repr=False)
    complaints: list[logging.LogRecord]

    async def ask(self, asked: Asked) -> Answered:
        """The answer; of a stream its first chunk, if there is one at once."""
        request = Request(asked.method, asked.path, asked.query, asked.headers, asked.body, ADMIN)
        response = await self.cluster.handler(request)
        if isinstance(response.body, bytes):
            return Answered(response.status, response.content_type, response.body)
        chunk = b""
        try:
            async with asyncio.timeout(_GLIMPSE):
                chunk = await anext(response.body)
        except (TimeoutError, StopAsyncIteration):
            pass
        await response.body.aclose()  # type: ignore[attr-defined]
        return Answered(response.status, "stream", chunk)

    async def besiege(self, asked: Asked) -> Answered:
        """`ask`, and all that must hold whatever is asked."""
        before, began = self.cluster.store.revision, time.monotonic()
        answered = await self.ask(asked)
        assert time.monotonic() - began < PATIENCE, f"{asked} takes too long"
        complaints, self.complaints[:] = list(self.complaints), []
        assert complaints == [], f"{asked}: {complaints[0].getMessage()} {complaints[0].exc_text}"
        _check_status(asked, answered)
        refused = answered.status >= 400 and answered.status != NOT_ACCEPTABLE
        dry = (
            "dryRun=All" in asked.query and asked.method != "DELETE"
        )  # its body, if any, counts instead of the query
        if refused or dry:
            assert self.cluster.store.revision == before, f"{asked}: {answered.status}, yet something changed"
        return answered


def _check_status(asked: Asked, answered: Answered) -> None:
    status = answered.status
    assert status < 500 or status in (UNSUPPORTED, TOO_NEW), f"{asked}: {answered.body!r}"
    if status < 400 or answered.content_type != "application/json":
        return
    said = answered.document
    assert said["kind"] == "Status", said
    assert (said["apiVersion"], said["status"], said["code"]) == ("v1", "Failure", status), said
    assert status != TOO_NEW or "Too large resource version" in said["message"], said


class _Complaints(logging.Handler):
    def __init__(self, found: list[logging.LogRecord]) -> None:
        super().__init__(logging.ERROR)
        self._found = found

    def emit(self, record: logging.LogRecord) -> None:
        self.format(record)  # leaves the traceback in exc_text
        self._found.append(record)


@asynccontextmanager
async def besieged(directory: Path, **settings: Any) -> AsyncIterator[Besieged]:
    """A pipeline of its own, over an empty memory store with the namespace `default` and its service account."""
    complaints: list[logging.LogRecord] = []
    handler = _Complaints(complaints)
    logging.getLogger("tiphys").addHandler(handler)
    async with AsyncExitStack() as stack:
        chosen = Settings(name="siege", store="memory://", **settings)
        cluster = Cluster(ClusterDirectory(directory, "siege"), chosen, stack)
        for name, step in boot.STEPS:
            if name in _STEPS:
                await step(cluster)
        found = Besieged(cluster, complaints)
        for path, name in (("namespaces", "default"), ("namespaces/default/serviceaccounts", "default")):
            body = orjson.dumps({"metadata": {"name": name}})
            made = await found.ask(Asked("POST", f"/api/v1/{path}", body=body))
            assert made.status == 201, made
        yield found
    logging.getLogger("tiphys").removeHandler(handler)

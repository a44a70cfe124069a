"""Events: what controllers, scheduler and nodes tell users they did (client-go `tools/record`).

Recording never waits and never fails: events go through a bounded queue to one writer, are correlated there
(`event_correlator.py`) and are dropped when the API refuses them.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque

from tiphys.base.clock import Clock, rfc3339
from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.client import Client
from tiphys.client.event_correlator import EventCorrelator
from tiphys.client.retry import is_not_found

log = logging.getLogger(__name__)

NORMAL = "Normal"
WARNING = "Warning"
LONGEST_QUEUE = 1000
TRIES = 12
RETRY_SECONDS = 10.0


class EventRecorder:
    """Records events as one component; `host` is the node's name for those that speak for a node."""

    def __init__(self, client: Client, component: str, clock: Clock, host: str = "") -> None:
        self._client = client
        self._clock = clock
        self._source = {"component": component, **({"host": host} if host else {})}
        self._correlator = EventCorrelator(clock)
        self._queue: deque[Document] = deque()
        self._dropped = 0
        self._last_name = 0
        self._writer: asyncio.Task[None] | None = None

    def event(self, about: Document, type_: str, reason: str, message: str, *, field_path: str = "") -> None:
        """Tell something about an object (a whole document: it is referred to by kind, name and uid).

        `type_` is Normal or Warning; `field_path` names a part, as `spec.containers{web}`.
        """
        if len(self._queue) >= LONGEST_QUEUE:
            self._dropped += 1
            return
        self._queue.append(self._document(reference(about, field_path), type_, reason, message))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.get_running_loop().create_task(self._write_all(), name="event recorder")

    async def drained(self) -> None:
        """Wait until every event recorded so far is written or dropped."""
        if self._writer is not None:
            await asyncio.wait([self._writer])

    async def close(self, timeout: float = 5.0) -> None:
        """Write what is queued, for `timeout` seconds at most."""
        if self._writer is not None:
            await asyncio.wait([self._writer], timeout=timeout)
            self._writer.cancel()

    def _document(self, about: Document, type_: str, reason: str, message: str) -> Document:
        now = self._clock.now()
        namespace = about.get("namespace") or "default"
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": self._name(about["name"], now), "namespace": namespace},
            "involvedObject": about,
            "reason": reason,
            "message": message,
            "source": self._source,
            "firstTimestamp": rfc3339(now),
            "lastTimestamp": rfc3339(now),
            "count": 1,
            "type": type_,
            "eventTime": None,
            "reportingComponent": self._source["component"],
            "reportingInstance": self._source.get("host", ""),
        }

    def _name(self, about: str, now: float) -> str:
        """`<name>.<nanoseconds in hexadecimal>`, as upstream names events; never the same twice."""
        self._last_name = max(int(now * 1e9), self._last_name + 1)
        return f"{about}.{self._last_name:x}"

    async def _write_all(self) -> None:
        while self._queue:
            correlated = self._correlator.correlate(self._queue.popleft())
            if correlated.event is not None:
                await self._persist(correlated.event, correlated.patch)
        if self._dropped:
            log.warning("%s: too many events at once, dropped %d", self._source["component"], self._dropped)
            self._dropped = 0

    async def _persist(self, event: Document, patch: Document | None) -> None:
        for attempt in range(TRIES):
            try:
                self._correlator.written(await self._write(event, patch))
                return
            except StatusError as error:
                level = logging.DEBUG if error.reason == "AlreadyExists" or error.code == 403 else logging.WARNING
                log.log(level, "server rejected event %s: %s", event["metadata"]["name"], error.message)
                return
            except OSError as error:
                log.warning("unable to write event, may retry: %s", error)
            except Exception:
                log.exception("unable to write event %s", event["metadata"]["name"])
                return
            await self._clock.sleep(RETRY_SECONDS * (random.random() if attempt == 0 else 1))

    async def _write(self, event: Document, patch: Document | None) -> Document:
        meta = event["metadata"]
        if patch is not None:
            try:
                return await self._client.patch(
                    "v1", "events", meta["name"], patch, meta["namespace"], kind="strategic"
                )
            except StatusError as error:
                if not is_not_found(error):
                    raise
        return await self._client.create("v1", "events", event, meta["namespace"])


def reference(about: Document, field_path: str = "") -> Document:
    """The ObjectReference to a document (client-go `tools/reference`)."""
    meta = about["metadata"]
    found = {
        "kind": about.get("kind"),
        "namespace": meta.get("namespace"),
        "name": meta.get("name"),
        "uid": meta.get("uid"),
        "apiVersion": about.get("apiVersion"),
        "resourceVersion": meta.get("resourceVersion"),
        "fieldPath": field_path,
    }
    return {field: value for field, value in found.items() if value}

"""On a Secret with a service account's token: the day somebody last showed that token (k/k
`pkg/serviceaccount/legacy.go` patchSecretWithLastUsedDate; upstream since 1.27).

Requests do not wait for it: `note` puts a secret in a queue, `run` works it off.
"""

from __future__ import annotations

import asyncio
import logging
import time

from tiphys.base.clock import Clock
from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.client import Client

log = logging.getLogger(__name__)

LABEL = "kubernetes.io/legacy-token-last-used"
SINCE = 27
_DAY = 86400


class LastUsed:
    """At most one note a day for each secret, and one at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._queue: asyncio.Queue[Document] = asyncio.Queue()
        self._waiting: set[str] = set()
        self._day = -1
        self._dates: tuple[str, str] = ("", "")

    def note(self, secret: Document) -> None:
        """The secret's token has just been used; its label may also be of tomorrow, where clocks differ."""
        day = int(self._clock.now() // _DAY)
        if day != self._day:
            self._day, self._dates = day, (_date(day), _date(day + 1))
        metadata = secret["metadata"]
        if (metadata.get("labels") or {}).get(LABEL) in self._dates or metadata["uid"] in self._waiting:
            return
        self._waiting.add(metadata["uid"])
        self._queue.put_nowait(secret)

    async def run(self, client: Client) -> None:
        """Write the notes until cancelled. What cannot be written is logged, and tried at the next use."""
        while True:
            metadata = (await self._queue.get())["metadata"]
            patch = {"metadata": {"uid": metadata["uid"], "labels": {LABEL: self._dates[0]}}}
            try:
                await client.patch("v1", "secrets", metadata["name"], patch, metadata["namespace"])
            except (StatusError, OSError) as error:
                log.info("cannot label secret %s/%s: %s", metadata["namespace"], metadata["name"], error)
            finally:
                self._waiting.discard(metadata["uid"])


def _date(day: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(day * _DAY))

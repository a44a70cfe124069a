"""The loop all controllers share: a queue of keys, workers, and one level-triggered `reconcile(key)`."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence

from tiphys.base.document import Document, namespaced_name
from tiphys.base.status import StatusError
from tiphys.client.informer import Informer
from tiphys.client.retry import NAMESPACE_TERMINATING, has_cause, is_conflict, is_not_found
from tiphys.client.work_queue import WorkQueue
from tiphys.controllers.contract import Context

log = logging.getLogger(__name__)


class Reconciler(ABC):
    """A controller whose work is told by keys. What `reconcile` raises is logged and tried again, later each time.

    `waits_for` are the informers that must have their first list before any work; `retries` is how often a key
    is tried before it is dropped until something wakes it again (0: for ever).
    """

    name = ""
    workers = 5
    retries = 0

    def __init__(self, context: Context, waits_for: Sequence[Informer]) -> None:
        self.context = context
        self.client = context.client
        self.clock = context.clock
        self.queue: WorkQueue[str] = WorkQueue(context.clock)
        self._waits_for = tuple(waits_for)

    @abstractmethod
    async def reconcile(self, key: str) -> None:
        """Bring what `key` names from the state it is in to the state it should be in."""

    def enqueue(self, document: Document) -> None:
        self.queue.add(namespaced_name(document))

    async def run(self) -> None:
        for informer in self._waits_for:
            await informer.synced()
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(self.workers):
                    group.create_task(self._work(), name=f"{self.name} worker {number}")
                self.start(group)
        finally:
            self.queue.shut_down()

    def start(self, group: asyncio.TaskGroup) -> None:  # noqa: B027
        """Where a controller adds tasks of its own, as a periodic look at everything."""

    async def _work(self) -> None:
        while True:
            key = await self.queue.get()
            try:
                await self.reconcile(key)
                self.queue.forget(key)
            except Exception as error:
                self._failed(key, error)
            finally:
                self.queue.done(key)

    def _failed(self, key: str, error: Exception) -> None:
        if isinstance(error, StatusError) and has_cause(error, NAMESPACE_TERMINATING):
            self.queue.forget(key)
            return
        if isinstance(error, (StatusError, OSError)):
            # To have looked at what has changed or gone since is nothing to tell anybody.
            expected = is_conflict(error) or is_not_found(error)
            log.log(logging.DEBUG if expected else logging.INFO, "%s: %s: %s", self.name, key, error)
        else:
            log.exception("%s: %s", self.name, key, exc_info=error)
        if self.retries and self.queue.failures(key) >= self.retries:
            log.warning("%s: dropping %s out of the queue: %s", self.name, key, error)
            self.queue.forget(key)
        else:
            self.queue.add_rate_limited(key)

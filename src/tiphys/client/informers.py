"""One informer per resource, shared by everyone in the process (client-go `informers` factory)."""

from __future__ import annotations

import asyncio
import logging

from tiphys.base.clock import Clock, SystemClock
from tiphys.base.document import Document
from tiphys.client.client import Client
from tiphys.client.informer import Informer

log = logging.getLogger(__name__)


class Informers:
    """`async with Informers(client) as informers`: those asked for run until the end of the block.

    An informer asked for inside the block starts at once; one asked for before starts with it.
    """

    def __init__(self, client: Client, clock: Clock | None = None) -> None:
        self.client = client
        self._clock = clock or SystemClock()
        self._whole: dict[tuple[str, str], Informer] = {}
        self._slim: dict[tuple[str, str], Informer] = {}
        self._tasks: dict[Informer, asyncio.Task[None]] = {}
        self._running = False

    def of(self, api_version: str, plural: str) -> Informer:
        """The informer of whole objects in all namespaces."""
        return self._shared(self._whole, api_version, plural, slim=False)

    def metadata_of(self, api_version: str, plural: str) -> Informer:
        """For those who need only who an object is and whom it belongs to: the informer of whole objects if
        there is one, else one that keeps identity, owners, finalizers and deletion time only."""
        whole = self._whole.get((api_version, plural))
        return whole or self._shared(self._slim, api_version, plural, slim=True)

    async def stop(self, informer: Informer) -> None:
        """End a metadata informer, when its resource is no longer served."""
        self._slim.pop((informer.api_version, informer.plural), None)
        task = self._tasks.pop(informer, None)
        if task is not None:
            await _cancel(task)

    async def synced(self) -> None:
        """Wait until every informer asked for so far has its first list."""
        for informer in [*self._whole.values(), *self._slim.values()]:
            await informer.synced()

    async def __aenter__(self) -> Informers:
        self._running = True
        for informer in [*self._whole.values(), *self._slim.values()]:
            self._start(informer)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._running = False
        tasks, self._tasks = list(self._tasks.values()), {}
        for task in tasks:
            await _cancel(task)

    def _shared(self, known: dict[tuple[str, str], Informer], api_version: str, plural: str, slim: bool) -> Informer:
        informer = known.get((api_version, plural))
        if informer is None:
            transform = identity if slim else None
            informer = Informer(self.client, api_version, plural, transform=transform, clock=self._clock)
            known[api_version, plural] = informer
            if self._running:
                self._start(informer)
        return informer

    def _start(self, informer: Informer) -> None:
        name = f"informer {informer.api_version} {informer.plural}"
        self._tasks[informer] = asyncio.get_running_loop().create_task(informer.run(), name=name)


_KEPT = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "ownerReferences",
    "finalizers",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)


def identity(document: Document) -> Document:
    """A document cut down to who it is and whom it belongs to."""
    meta = document["metadata"]
    return {
        "apiVersion": document.get("apiVersion"),
        "kind": document.get("kind"),
        "metadata": {field: meta[field] for field in _KEPT if field in meta},
    }


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass

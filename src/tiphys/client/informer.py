"""A local, current copy of one kind of object, kept by list and watch (client-go `tools/cache`).

Many users share one informer: they read `items` and indexes, and hear of changes through handlers, which are
plain functions called in order of arrival and must be quick (put a key in a queue). The documents are shared:
nobody may change them. A copy is behind the API by a moment; what must be certain is asked of the API.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from tiphys.base.clock import Clock, SystemClock
from tiphys.base.document import Document, namespaced_name
from tiphys.base.status import StatusError
from tiphys.client.backoff import Backoff
from tiphys.client.client import Client
from tiphys.client.indexer import Indexer

log = logging.getLogger(__name__)

Transform = Callable[[Document], Document]
GONE = (410, 504)
"""Expired, or a version from the future: resuming is no use, list anew."""
SHORTEST_WATCH = 1.0
WATCH_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Handlers:
    """What one user of an informer wants to hear: `add(new)`, `update(old, new)`, `delete(last)`."""

    add: Callable[[Document], object] | None = None
    update: Callable[[Document, Document], object] | None = None
    delete: Callable[[Document], object] | None = None


class Informer(Indexer):
    """Run it as a task (`run`), await `synced`, then read. `key` is `namespaced_name`.

    `transform` may cut a document down before it is kept; it must leave metadata.name, namespace,
    resourceVersion.
    """

    def __init__(
        self,
        client: Client,
        api_version: str,
        plural: str,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        transform: Transform | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__()
        self.client = client
        self.api_version = api_version
        self.plural = plural
        self.namespace = namespace
        self.label_selector = label_selector
        self.field_selector = field_selector
        self._transform = transform
        self._clock = clock or SystemClock()
        self._handlers: list[Handlers] = []
        self._synced = asyncio.Event()
        self._version = ""

    def get(self, namespace: str, name: str) -> Document | None:
        return self.items.get(f"{namespace}/{name}" if namespace else name)

    def add_handlers(
        self,
        add: Callable[[Document], object] | None = None,
        update: Callable[[Document, Document], object] | None = None,
        delete: Callable[[Document], object] | None = None,
    ) -> Handlers:
        """Hear of changes from now on; `add` is called at once for everything already here."""
        handlers = Handlers(add, update, delete)
        self._handlers.append(handlers)
        if add is not None:
            for document in list(self.items.values()):
                _call(add, document)
        return handlers

    def remove_handlers(self, handlers: Handlers) -> None:
        self._handlers.remove(handlers)

    @property
    def has_synced(self) -> bool:
        return self._synced.is_set()

    async def synced(self) -> None:
        """Wait for the first whole list."""
        await self._synced.wait()

    async def run(self) -> None:
        """List, then follow, for ever: resumes where a watch ended, lists anew where history is gone."""
        backoff = Backoff(self._clock)
        while True:
            began = self._clock.monotonic()
            try:
                if not self._version:
                    await self._relist()
                events = await self._follow()
                if events or self._clock.monotonic() - began >= SHORTEST_WATCH:
                    continue
                log.debug("%s: very short watch", self.plural)
            except StatusError as error:
                if error.code in GONE:
                    self._version = ""
                    if error.code == 410:
                        continue
                log.warning("%s: %s", self.plural, error.message)
            except (OSError, EOFError) as error:
                log.warning("%s: %s", self.plural, error)
            except Exception:
                # A document this client cannot read must not end the cluster's controllers.
                log.exception("%s: the informer failed and starts over", self.plural)
                self._version = ""
            await backoff.wait()

    async def _relist(self) -> None:
        found = await self.client.list_all(
            self.api_version,
            self.plural,
            self.namespace,
            label_selector=self.label_selector,
            field_selector=self.field_selector,
        )
        self._replace(found["items"])
        self._version = found["metadata"]["resourceVersion"]
        self._synced.set()

    def _replace(self, documents: list[Document]) -> None:
        current = {namespaced_name(document): document for document in documents}
        for key in [key for key in self.items if key not in current]:
            self._delete(key, None)
        for key, document in current.items():
            old = self.items.get(key)
            if old is None or _version(old) != _version(document):
                self._put(key, document)

    async def _follow(self) -> int:
        """One watch until it ends; returns how many events it brought."""
        count = 0
        watch = self.client.watch(
            self.api_version,
            self.plural,
            self.namespace,
            resource_version=self._version,
            label_selector=self.label_selector,
            field_selector=self.field_selector,
            timeout=WATCH_SECONDS + random.randrange(WATCH_SECONDS),
        )
        async with aclosing(watch) as events:
            async for kind, document in events:
                count += 1
                if kind in ("ADDED", "MODIFIED"):
                    self._put(namespaced_name(document), document)
                elif kind == "DELETED":
                    self._delete(namespaced_name(document), document)
                self._version = _version(document)
        return count

    def _put(self, key: str, document: Document) -> None:
        """An object deleted and made again between two looks is told as a deletion and an addition."""
        new = self._transform(document) if self._transform else document
        before = self.items.get(key)
        if before is not None and before["metadata"].get("uid") != new["metadata"].get("uid"):
            self._delete(key, None)
        old = self.put(key, new)
        for handlers in self._handlers:
            if old is None:
                if handlers.add is not None:
                    _call(handlers.add, new)
            elif handlers.update is not None:
                _call(handlers.update, old, new)

    def _delete(self, key: str, last: Document | None) -> None:
        old = self.discard(key)
        if old is None:
            return
        gone = old if last is None else self._transform(last) if self._transform else last
        for handlers in self._handlers:
            if handlers.delete is not None:
                _call(handlers.delete, gone)


def _version(document: Document) -> str:
    return str(document["metadata"].get("resourceVersion") or "")


def _call(function: Callable[..., object], *documents: Any) -> None:
    try:
        function(*documents)
    except Exception:
        log.exception("an informer's handler failed")

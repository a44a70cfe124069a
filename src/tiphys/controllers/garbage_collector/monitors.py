"""An informer for everything that can be deleted, listed and watched, as discovery has it."""

from __future__ import annotations

import logging

from tiphys.base.document import Document, namespaced_name
from tiphys.client.discovery import ServedResource, preferred_resources
from tiphys.client.informer import Handlers, Informer
from tiphys.controllers.contract import Context
from tiphys.controllers.garbage_collector.graph import Graph

log = logging.getLogger(__name__)

_VERBS = {"delete", "list", "watch"}
_IGNORED = {("", "events"), ("events.k8s.io", "events")}
"""They own nothing and go by themselves (garbagecollector.DefaultIgnoredResources)."""
_MAPPED = {"get"}


class Monitors:
    """`sync` brings them in line with discovery; `resources` finds a resource by apiVersion and kind."""

    def __init__(self, context: Context, graph: Graph) -> None:
        self._context = context
        self._graph = graph
        self._monitors: dict[tuple[str, str], tuple[Informer, Handlers]] = {}
        self.resources: dict[tuple[str, str], ServedResource] = {}

    async def sync(self) -> None:
        """Start what is new, stop what is gone, and wait until all have their first list."""
        served = await preferred_resources(self._context.client)
        for name, error in served.failures:
            log.warning("failed to discover %s: %s", name, error.message)
        self.resources = {(each.api_version, each.kind): each for each in served.resources if each.verbs >= _MAPPED}
        wanted = {
            (each.api_version, each.plural): each
            for each in served.resources
            if each.verbs >= _VERBS and (each.group, each.plural) not in _IGNORED
        }
        if not served.failures:
            for key in [key for key in self._monitors if key not in wanted]:
                await self._stop(key)
        for key, resource in wanted.items():
            if key not in self._monitors:
                self._start(key, resource)
        for monitor, _ in list(self._monitors.values()):
            await monitor.synced()

    def _start(self, key: tuple[str, str], resource: ServedResource) -> None:
        monitor = self._context.informers.metadata_of(*key)
        graph, kind = self._graph, resource.kind

        def add(document: Document) -> None:
            graph.observe(monitor, namespaced_name(document), kind, document, None)

        def update(old: Document, new: Document) -> None:
            before, now = old["metadata"], new["metadata"]
            if now.get("deletionTimestamp") or before.get("ownerReferences") != now.get("ownerReferences"):
                graph.observe(monitor, namespaced_name(new), kind, new, old)

        def delete(document: Document) -> None:
            graph.forget(document["metadata"]["uid"])

        self._monitors[key] = (monitor, monitor.add_handlers(add, update, delete))

    async def _stop(self, key: tuple[str, str]) -> None:
        monitor, handlers = self._monitors.pop(key)
        monitor.remove_handlers(handlers)
        await self._context.informers.stop(monitor)
        self._graph.forget_all(monitor)

"""The revisions of a DaemonSet: which one is current, and the past ones (constructHistory, cleanupHistory)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tiphys.base.document import Document
from tiphys.base.label_selector import Selector
from tiphys.base.status import StatusError
from tiphys.client.client import Client
from tiphys.controllers.controller_reference import ResourceKind
from tiphys.controllers.deployment.template_hash import template_hash
from tiphys.controllers.history import LABEL, History, data_of, new_revision, number_of

KIND = ResourceKind("apps/v1", "DaemonSet", "daemonsets")


class DaemonRevisions:
    def __init__(self, client: Client, history: History) -> None:
        self._client = client
        self._history = history

    async def sync(
        self, daemon_set: Document, selector: Selector, pods: Iterable[Document]
    ) -> tuple[Document, list[Document]]:
        """(current, past). The current one is made if it is new and numbered above all others; of several equal
        ones the last is kept, and `pods` are labelled as its own."""
        data = data_of(daemon_set)
        known = [await self._labelled(each) for each in await self._history.claimed(daemon_set, selector)]
        past = [each for each in known if each.get("data") != data]
        same = [each for each in known if each.get("data") == data]
        number = max(map(number_of, past), default=0) + 1
        if not same:
            return await self._snapshot(daemon_set, data, number), past
        current = max(same, key=number_of) if len(same) == 1 else await self._deduplicated(same, pods)
        if number_of(current) < number:
            await self._history.write({**current, "revision": number})
        return current, past

    async def forget(self, daemon_set: Document, past: Sequence[Document], pods: Iterable[Document]) -> None:
        """Keep revisionHistoryLimit past ones, and any that a pod is of."""
        limit = daemon_set["spec"].get("revisionHistoryLimit")
        if limit is None or len(past) <= limit:
            return
        live = {(pod["metadata"].get("labels") or {}).get(LABEL) for pod in pods}
        unused = [each for each in past if hash_of(each) not in live]
        await self._history.delete_oldest(unused, len(past) - limit)

    async def _labelled(self, revision: Document) -> Document:
        """One without the hash label takes its own name for it."""
        meta = revision["metadata"]
        labels = meta.get("labels") or {}
        if LABEL in labels:
            return revision
        return await self._history.write(
            {**revision, "metadata": {**meta, "labels": {**labels, LABEL: meta["name"]}}}
        )

    async def _deduplicated(self, same: Sequence[Document], pods: Iterable[Document]) -> Document:
        kept = max(reversed(same), key=number_of)
        for pod in pods:
            meta = pod["metadata"]
            if (meta.get("labels") or {}).get(LABEL) != hash_of(kept):
                labels = {"metadata": {"labels": {LABEL: hash_of(kept)}}}
                await self._client.patch("v1", "pods", meta["name"], labels, meta["namespace"])
        for each in same:
            if each is not kept:
                await self._history.delete(each)
        return kept

    async def _snapshot(self, daemon_set: Document, data: Document, number: int) -> Document:
        meta, template = daemon_set["metadata"], daemon_set["spec"]["template"]
        collisions = (daemon_set.get("status") or {}).get("collisionCount")
        hashed = template_hash(template, collisions)
        labels = {**((template.get("metadata") or {}).get("labels") or {}), LABEL: hashed}
        revision = new_revision(daemon_set, KIND, f"{meta['name']}-{hashed}", labels, data, number)
        made, equal = await self._history.create(revision, meta["namespace"])
        if equal:
            return made
        await self._count_collision(daemon_set, collisions)
        raise StatusError(409, "AlreadyExists", f'controllerrevisions.apps "{meta["name"]}-{hashed}" already exists')

    async def _count_collision(self, daemon_set: Document, collisions: int | None) -> None:
        """The next reconcile hashes to another name."""
        meta = daemon_set["metadata"]
        fresh = await self._client.get(KIND.api_version, KIND.plural, meta["name"], meta["namespace"])
        status = fresh.get("status") or {}
        if status.get("collisionCount") != collisions:
            found = f"found a stale collision count ({collisions or 0}, expected {status.get('collisionCount') or 0})"
            message = f'{found} of DaemonSet "{meta["name"]}" while processing; will retry until it is updated'
            raise StatusError(409, "Conflict", message)
        counted = {**fresh, "status": {**status, "collisionCount": (collisions or 0) + 1}}
        await self._client.update_status(KIND.api_version, KIND.plural, counted, meta["namespace"])


def hash_of(revision: Document) -> str:
    return str((revision["metadata"].get("labels") or {}).get(LABEL) or "")

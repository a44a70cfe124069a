"""ControllerRevisions: the templates a StatefulSet or DaemonSet has had (`pkg/controller/history`).

A revision holds a strategic merge patch that brings the template back, which is what `kubectl rollout undo` sends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import orjson

from tiphys.base.document import Document
from tiphys.base.label_selector import Selector
from tiphys.base.names import safe_encode
from tiphys.base.status import StatusError
from tiphys.client.client import Client
from tiphys.client.informer import Informer
from tiphys.client.retry import is_already_exists, is_not_found
from tiphys.controllers.contract import Context
from tiphys.controllers.controller_reference import (
    BY_CONTROLLER,
    Claimer,
    ResourceKind,
    controller_reference,
    index_by_controller,
    orphan_key,
)

REVISION = ResourceKind("apps/v1", "ControllerRevision", "controllerrevisions")
LABEL = "controller-revision-hash"
"""On pods: of which revision they are. A StatefulSet writes the revision's name, a DaemonSet its hash."""
HASH = "controller.kubernetes.io/hash"
LONGEST_PREFIX = 223
_ESCAPED = ((b"&", b"\\u0026"), (b"<", b"\\u003c"), (b">", b"\\u003e"))
_OFFSET = 2166136261
_PRIME = 16777619


def data_of(owner: Document) -> Document:
    """The patch that restores the owner's template, its keys sorted as Go sorts them (getPatch)."""
    template = {**owner["spec"]["template"], "$patch": "replace"}
    found: Document = orjson.loads(_sorted_json({"spec": {"template": template}}))
    return found


def template_of(revision: Document) -> Document:
    """The template a revision stands for. Raises StatusError if its data is no such patch."""
    data = revision.get("data")
    spec = data.get("spec") if isinstance(data, dict) else None
    template = spec.get("template") if isinstance(spec, dict) else None
    if not isinstance(template, dict) or not isinstance(template.get("spec"), dict):
        name = revision["metadata"]["name"]
        raise StatusError(500, "", f"the data of controller revision {name} is not a patch of spec.template")
    return {key: value for key, value in template.items() if key != "$patch"}


def data_hash(data: Document, collisions: int) -> str:
    """What the revision is named by (HashControllerRevision): FNV-1 of the patch and the collision count."""
    text = _sorted_json(data)
    for character, escaped in _ESCAPED:
        text = text.replace(character, escaped)
    found = _OFFSET
    for byte in text + str(collisions).encode():
        found = found * _PRIME & 0xFFFFFFFF ^ byte
    return safe_encode(str(found))


def revision_name(owner_name: str, hashed: str) -> str:
    return f"{owner_name[:LONGEST_PREFIX]}-{hashed}"


def number_of(revision: Document) -> int:
    return int(revision.get("revision") or 0)


def by_number(revisions: Iterable[Document]) -> list[Document]:
    """Oldest first (SortControllerRevisions)."""
    return sorted(revisions, key=_order)


def new_revision(
    owner: Document, kind: ResourceKind, name: str, labels: Document, data: Document, number: int
) -> Document:
    """A revision as it is created: it also carries the owner's annotations, where the change cause is."""
    meta: Document = {"name": name, "labels": labels, "ownerReferences": [controller_reference(owner, kind)]}
    if annotations := owner["metadata"].get("annotations"):
        meta["annotations"] = annotations
    made = {"apiVersion": REVISION.api_version, "kind": REVISION.kind, "metadata": meta}
    return {**made, "data": data, "revision": number}


class History:
    """The revisions of owners of one kind."""

    def __init__(self, context: Context, kind: ResourceKind) -> None:
        self._client: Client = context.client
        self._kind = kind
        self.informer: Informer = context.informers.of(REVISION.api_version, REVISION.plural)
        index_by_controller(self.informer)

    async def claimed(self, owner: Document, selector: Selector) -> list[Document]:
        """Those it controls, oldest first; orphans that match are adopted, what no longer matches is let go."""
        meta = owner["metadata"]
        owned = self.informer.indexed(BY_CONTROLLER, meta["uid"]).values()
        orphans = self.informer.indexed(BY_CONTROLLER, orphan_key(meta["namespace"])).values()
        claimer = Claimer(self._client, owner, self._kind, REVISION, selector)
        return by_number(await claimer.claim([*owned, *orphans]))

    async def create(self, revision: Document, namespace: str) -> tuple[Document, bool]:
        """(revision, whether it holds what was asked for): one of that name may be there with other data."""
        try:
            made = await self._client.create(REVISION.api_version, REVISION.plural, revision, namespace)
            return made, True
        except StatusError as error:
            if not is_already_exists(error):
                raise
        name = revision["metadata"]["name"]
        found = await self._client.get(REVISION.api_version, REVISION.plural, name, namespace)
        return found, found.get("data") == revision["data"]

    async def write(self, revision: Document) -> Document:
        namespace = revision["metadata"]["namespace"]
        return await self._client.update(REVISION.api_version, REVISION.plural, revision, namespace)

    async def delete(self, revision: Document) -> None:
        """Gone already is as good."""
        meta = revision["metadata"]
        try:
            await self._client.delete(REVISION.api_version, REVISION.plural, meta["name"], meta["namespace"])
        except StatusError as error:
            if not is_not_found(error):
                raise

    async def delete_oldest(self, revisions: Sequence[Document], count: int) -> None:
        """`count` of these, that nothing runs any more, beginning with the lowest number."""
        for revision in by_number(revisions)[: max(0, count)]:
            await self.delete(revision)


def _order(revision: Document) -> tuple[int, str, str]:
    meta = revision["metadata"]
    return (number_of(revision), meta.get("creationTimestamp") or "", meta["name"])


def _sorted_json(value: Document) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)

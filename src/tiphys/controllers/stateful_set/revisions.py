"""The two revisions a set is between: the current one and the one it is updated to (getStatefulSetRevisions)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tiphys.base.clock import Clock
from tiphys.base.document import Document
from tiphys.client.retry import retry_on_conflict
from tiphys.controllers.history import (
    HASH,
    History,
    data_hash,
    data_of,
    new_revision,
    number_of,
    revision_name,
    template_of,
)
from tiphys.controllers.stateful_set.identity import KIND


@dataclass(frozen=True, slots=True)
class Revisions:
    """What `rollout.py` goes by."""

    current: Document
    update: Document
    collisions: int

    @property
    def current_name(self) -> str:
        return str(self.current["metadata"]["name"])

    @property
    def update_name(self) -> str:
        return str(self.update["metadata"]["name"])

    @property
    def current_template(self) -> Document:
        return template_of(self.current)

    @property
    def update_template(self) -> Document:
        return template_of(self.update)


async def sync_revisions(
    history: History, stateful_set: Document, known: Sequence[Document], clock: Clock
) -> Revisions:
    """`known` are the set's revisions, oldest first. The update revision is made if it is new, and numbered anew if
    it is one of the past."""
    status = stateful_set.get("status") or {}
    collisions = int(status.get("collisionCount") or 0)
    data = data_of(stateful_set)
    equal = [revision for revision in known if revision.get("data") == data]
    number = number_of(known[-1]) + 1 if known else 1
    if equal and equal[-1] is known[-1]:
        update = known[-1]
    elif equal:
        update = await _renumber(history, equal[-1], number, clock)
    else:
        update, collisions = await _create(history, stateful_set, data, number, collisions)
    named = (each for each in known if each["metadata"]["name"] == status.get("currentRevision"))
    return Revisions(next(named, update), update, collisions)


async def _renumber(history: History, revision: Document, number: int, clock: Clock) -> Document:
    async def write() -> Document:
        meta = revision["metadata"]
        fresh = history.informer.get(meta["namespace"], meta["name"]) or revision
        return await history.write({**fresh, "revision": number})

    return await retry_on_conflict(write, clock)


async def _create(
    history: History, stateful_set: Document, data: Document, number: int, collisions: int
) -> tuple[Document, int]:
    """(revision, collisions): a name that is taken by other data is a collision, and another name is tried."""
    meta = stateful_set["metadata"]
    labels = dict((stateful_set["spec"]["template"].get("metadata") or {}).get("labels") or {})
    hashed = data_hash(data, collisions)
    while True:
        # The label keeps the first hash, only the name changes with collisions (CreateControllerRevision).
        name = revision_name(meta["name"], data_hash(data, collisions))
        revision = new_revision(stateful_set, KIND, name, {**labels, HASH: hashed}, data, number)
        made, equal = await history.create(revision, meta["namespace"])
        if equal:
            return made, collisions
        collisions += 1

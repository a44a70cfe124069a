"""Changing an object that is there: read, change, admit, validate, compare-and-swap, again if another was quicker
(apiserver `registry/generic/registry/store.go` Update)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tiphys.api import object_meta
from tiphys.api.allocation import allocate
from tiphys.api.call import Call
from tiphys.api.decode import defaulted
from tiphys.api.encoding import encode, to_store
from tiphys.api.facts import facts_of
from tiphys.api.kind import Kind
from tiphys.api.namespace import is_namespace, spec_finalizers
from tiphys.api.options import WriteOptions
from tiphys.api.query import unsigned_complaint
from tiphys.api.strategy import BeforeUpdate, before_update
from tiphys.base.document import Document
from tiphys.base.field_error import invalid_value
from tiphys.base.status import MODIFIED, bad_request, conflict, invalid, not_found
from tiphys.store.contract import KeyMissing, Record, RevisionMismatch

Produce = Callable[[Document], Document]
"""From a private copy of the object as it stands to the object wanted, both in the storage version."""

_DUPLICATES = (
    ".metadata.ownerReferences contains duplicate entries{}; API server dedups owner references in 1.20+, and may "
    "reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {}"
)
AFTER_ADMISSION = " after mutating admission happens"


@dataclass(frozen=True, slots=True)
class Change:
    """How to change an object. `uid` is a precondition; without `admitted` the change passes by admission."""

    produce: Produce
    options: WriteOptions
    before: BeforeUpdate = before_update
    uid: str = ""
    admitted: bool = True


async def apply(call: Call, change: Change) -> bytes:
    """The object's stored value after the change. Raises StatusError 404, 409, 422 and what admission refuses with.

    A change of nothing is not written: same bytes, same revision.
    """
    if call.kind.allocate is None:
        return await _apply(call, change)
    async with call.api.allocation.turn(call):
        return await _apply(call, change)


async def _apply(call: Call, change: Change) -> bytes:
    record = await call.api.store.get(call.key)
    warnings = len(call.warnings)
    while True:
        if record is None:
            raise not_found(call.kind.resource, call.info.name)
        del call.warnings[warnings:]
        try:
            return await _attempt(call, change, record)
        except RevisionMismatch as lost:
            record = lost.current
        except KeyMissing:
            record = None


async def _attempt(call: Call, change: Change, record: Record) -> bytes:
    api = call.api
    old = api.loads(record.value)
    _match_uid(call, change.uid, old)
    new = await call.aside(lambda: change.produce(api.loads(record.value)))
    metadata = new["metadata"]
    object_meta.normalize(metadata)
    if change.admitted:
        await _mutate(call, change, new, old)
    _match_version(call, metadata, record)
    object_meta.match_namespace(metadata, call.namespace)
    context = call.context(change.options)
    call.warnings += await call.aside(lambda: change.before(call.resource, new, old, context))
    if call.kind.allocate is not None:
        await allocate(call, change.options, new, old)
    if change.admitted and api.admission is not None:
        await api.admission.validate(call.attributes("UPDATE", change.options, new, old))
    return await _write(call, change, record, new, old)


async def _mutate(call: Call, change: Change, new: Document, old: Document) -> None:
    if call.api.admission is not None:
        await call.api.admission.admit(call.attributes("UPDATE", change.options, new, old))
        if call.kind.default:
            await call.aside(lambda: defaulted(call, change.options, new))
    dedup_owner_references(call, new["metadata"], AFTER_ADMISSION)


def dedup_owner_references(call: Call, metadata: Document, when: str = "") -> None:
    """Repeated owner references are left out, with a warning."""
    dropped = object_meta.dedup_owner_references(metadata)
    if dropped:
        call.warnings.append(_DUPLICATES.format(when, ", ".join(dropped)))


def _match_uid(call: Call, uid: str, old: Document) -> None:
    """storage.Preconditions.Check, worded as its StorageError is."""
    found = old["metadata"].get("uid", "")
    if uid and uid != found:
        raise conflict(call.kind.resource, call.info.name, invalid_object(call.key, "UID", uid, found))


def invalid_object(key: str, what: str, asked: str, found: str) -> str:
    """The text of a StorageError about a precondition that does not hold."""
    return (
        f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: "
        f"Precondition failed: {what} in precondition: {asked}, {what} in object meta: {found}"
    )


def _match_version(call: Call, metadata: Document, record: Record) -> None:
    """The optimistic lock: a version that is given must be the current one. Raises StatusError 400, 409, 422."""
    asked = metadata.get("resourceVersion") or ""
    if asked.strip("0"):
        complaint = unsigned_complaint(asked)
        if complaint:
            raise bad_request(complaint)
        if int(asked) != record.revision:
            raise conflict(call.kind.resource, call.info.name, MODIFIED)
    elif not call.kind.unconditional_update:
        error = invalid_value("metadata.resourceVersion", 0, "must be specified for an update")
        raise invalid(call.kind.group, call.kind.plural, call.info.name, [error])
    metadata["resourceVersion"] = str(record.revision)


async def _write(call: Call, change: Change, record: Record, new: Document, old: Document) -> bytes:
    store = call.api.store
    if should_delete(call.kind, new, old):
        value = encode(new)
        if change.options.dry_run:
            return value
        return (await store.delete(record.key, expected=record.revision, value=value)).value
    if new == old:
        return record.value
    value = to_store(new)
    if change.options.dry_run:
        return value
    return (await store.update(record.key, value, facts_of(call.kind, new), expected=record.revision)).value


def should_delete(kind: Kind, new: Document, old: Document) -> bool:
    """Whether this update takes away the last thing that kept a deleted object (ShouldDeleteDuringUpdate)."""
    before = old["metadata"]
    if not before.get("deletionTimestamp") or before.get("deletionGracePeriodSeconds"):
        return False
    if is_namespace(kind) and spec_finalizers(new):
        return False
    return not new["metadata"].get("finalizers")

"""Deleting one object: at once, gracefully, or when its finalizers are gone
(apiserver `registry/rest/delete.go`, `registry/generic/registry/store.go` Delete)."""

from __future__ import annotations

from dataclasses import dataclass

from tiphys.api.call import Call
from tiphys.api.delete_options import DeleteOptions
from tiphys.api.encoding import encode
from tiphys.api.facts import facts_of
from tiphys.api.kind import Kind
from tiphys.api.namespace import begin_termination, is_namespace, spec_finalizers
from tiphys.api.object_meta import FOREGROUND, ORPHAN
from tiphys.base.clock import parse_rfc3339, rfc3339
from tiphys.base.document import Document
from tiphys.base.status import conflict, not_found
from tiphys.store.contract import KeyMissing, Record, RevisionMismatch

_OF_POLICY = {"Foreground": [FOREGROUND], "Orphan": [ORPHAN], "Background": []}


@dataclass(frozen=True, slots=True)
class Deletion:
    """How far a delete got. `whole`: the object is answered even where a finished delete is told by a Status."""

    value: bytes
    finished: bool
    whole: bool = False


async def delete_object(call: Call, key: str, options: DeleteOptions, *, admitted: bool = True) -> Deletion:
    """Raises StatusError 404, 409 and what admission refuses with."""
    while True:
        record = await call.api.store.get(key)
        if record is None:
            raise not_found(call.kind.resource, call.info.name or key.rpartition("/")[2])
        try:
            return await _attempt(call, record, options, admitted)
        except (RevisionMismatch, KeyMissing):
            continue


async def _attempt(call: Call, record: Record, options: DeleteOptions, admitted: bool) -> Deletion:
    document = call.api.loads(record.value)
    _match_preconditions(call, record, document["metadata"], options)
    if is_namespace(call.kind):
        if not document["metadata"].get("deletionTimestamp"):
            return await _terminate(call, record, document, options, admitted)
        if spec_finalizers(document):
            return Deletion(record.value, False, whole=True)
    graceful = _begin_grace(call, document, options)
    if graceful is None:
        return Deletion(record.value, False)
    await _admit(call, record, options, admitted)
    set_finalizers(call.kind, document["metadata"], options)
    return await _finish(call, record, document, options, graceful)


async def _terminate(
    call: Call, record: Record, document: Document, options: DeleteOptions, admitted: bool
) -> Deletion:
    """The first delete of a namespace."""
    await _admit(call, record, options, admitted)
    begin_termination(document, rfc3339(call.api.clock.now()))
    set_finalizers(call.kind, document["metadata"], options)
    return Deletion(await _update(call, record, document, options), False, whole=True)


async def _finish(call: Call, record: Record, document: Document, options: DeleteOptions, graceful: bool) -> Deletion:
    """Remove the object if nothing keeps it, else write that it is being deleted."""
    metadata = document["metadata"]
    kept = bool(metadata.get("finalizers"))
    if kept and not graceful:
        _mark(call, metadata)
    if kept or (graceful and metadata["deletionGracePeriodSeconds"] > 0):
        return Deletion(await _update(call, record, document, options), False, whole=True)
    if options.dry_run:
        return Deletion(encode(document), True)
    value = encode(document) if graceful else None
    return Deletion((await call.api.store.delete(record.key, expected=record.revision, value=value)).value, True)


async def _admit(call: Call, record: Record, options: DeleteOptions, admitted: bool) -> None:
    admission = call.api.admission
    if admission is None or not admitted:
        return
    attributes = call.attributes("DELETE", options.as_write(), None, call.api.loads(record.value))
    await admission.admit(attributes)
    await admission.validate(attributes)


async def _update(call: Call, record: Record, document: Document, options: DeleteOptions) -> bytes:
    if options.dry_run or document == call.api.loads(record.value):
        return encode(document)
    facts = facts_of(call.kind, document)
    return (await call.api.store.update(record.key, encode(document), facts, expected=record.revision)).value


def _begin_grace(call: Call, document: Document, options: DeleteOptions) -> bool | None:
    """Set the time of a graceful deletion. False: the kind knows no grace, or it is over. None: it is under way
    already and not to be shortened (rest.BeforeDelete)."""
    if call.kind.grace_period is None:
        return False
    metadata, asked = document["metadata"], options.grace_period
    if asked is not None and asked < 0:
        asked = 1
    if metadata.get("deletionTimestamp"):
        return _shorten_grace(call, metadata, asked)
    period = call.kind.grace_period(document, asked)
    _count_generation(metadata)
    metadata["deletionTimestamp"] = rfc3339(call.api.clock.now() + period)
    metadata["deletionGracePeriodSeconds"] = period
    return True


def _shorten_grace(call: Call, metadata: Document, asked: int | None) -> bool | None:
    current = metadata.get("deletionGracePeriodSeconds") or 0
    if current <= 0:
        return False
    if asked is None or asked >= current:
        return None
    now, end = call.api.clock.now(), parse_rfc3339(metadata["deletionTimestamp"]) - current + asked
    if end < now:
        end, asked = now, min(asked, 1)
    metadata["deletionTimestamp"], metadata["deletionGracePeriodSeconds"] = rfc3339(end), asked
    return True


def _mark(call: Call, metadata: Document) -> None:
    """markAsDeleting: deleted as soon as the finalizers are gone."""
    now = call.api.clock.now()
    if not metadata.get("deletionTimestamp"):
        _count_generation(metadata)
    if not metadata.get("deletionTimestamp") or parse_rfc3339(metadata["deletionTimestamp"]) > now:
        metadata["deletionTimestamp"] = rfc3339(now)
    metadata["deletionGracePeriodSeconds"] = 0


def _count_generation(metadata: Document) -> None:
    if (metadata.get("generation") or 0) > 0:
        metadata["generation"] += 1


def set_finalizers(kind: Kind, metadata: Document, options: DeleteOptions) -> None:
    """The garbage collector's finalizers, as the policy has them (deletionFinalizersForGarbageCollection)."""
    before = metadata.get("finalizers") or []
    wanted = _garbage_collector_finalizer(kind, before, options)
    finalizers = [name for name in before if name not in (ORPHAN, FOREGROUND)] + wanted
    if set(finalizers) != set(before):
        metadata["finalizers"] = finalizers
    if not finalizers:
        metadata.pop("finalizers", None)


def _garbage_collector_finalizer(kind: Kind, before: list[str], options: DeleteOptions) -> list[str]:
    """What was asked for counts first, then what the object has, then the kind's default."""
    if options.orphan_dependents is not None:
        return [ORPHAN] if options.orphan_dependents else []
    if options.propagation is not None:
        return _OF_POLICY[options.propagation]
    present = [name for name in before if name in (ORPHAN, FOREGROUND)][:1]
    return present or ([ORPHAN] if kind.orphans_by_default else [])


def _match_preconditions(call: Call, record: Record, metadata: Document, options: DeleteOptions) -> None:
    """BeforeDelete fails early, worded so, and names the kind rather than the resource; namespaces do it apart."""
    kind, name = call.kind, metadata["name"]
    if is_namespace(kind):
        _match_of_namespace(record, metadata, options)
        return
    qualified = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    if options.uid and options.uid != metadata["uid"]:
        why = f"the UID in the precondition ({options.uid}) does not match the UID in record ({metadata['uid']}). "
        raise conflict(qualified, name, why + "The object might have been deleted and then recreated")
    if options.resource_version and options.resource_version != str(record.revision):
        why = (
            f"the ResourceVersion in the precondition ({options.resource_version}) does not match the "
            f"ResourceVersion in record ({record.revision}). The object might have been modified"
        )
        raise conflict(qualified, name, why)


def _match_of_namespace(record: Record, metadata: Document, options: DeleteOptions) -> None:
    wanted = (
        ("UID", options.uid, metadata["uid"]),
        ("ResourceVersion", options.resource_version, str(record.revision)),
    )
    for what, asked, found in wanted:
        if asked and asked != found:
            why = f"Precondition failed: {what} in precondition: {asked}, {what} in object meta: {found}"
            raise conflict("namespaces", metadata["name"], why)

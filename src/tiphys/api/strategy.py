"""What happens to an object between admission and the store (apiserver `registry/rest/create.go`, `update.go`).

The order is upstream's: put in what the system sets, let the kind prepare, then validate the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tiphys.api import object_meta
from tiphys.api.catalog import Resource
from tiphys.api.kind import Context, Kind, Subresource
from tiphys.base.clock import rfc3339
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, unique
from tiphys.base.names import generate_name
from tiphys.base.status import invalid

_KEPT_FROM_OLD = ("creationTimestamp", "deletionTimestamp")

BeforeUpdate = Callable[[Resource, Document, Document, Context], Sequence[str]]
"""(resource, new, old, context): changes `new`; returns warnings; raises StatusError 422."""


def fill_system_fields(document: Document, context: Context) -> None:
    """uid, creationTimestamp and, where asked for, a generated name."""
    metadata = document["metadata"]
    metadata["creationTimestamp"] = rfc3339(context.clock.now())
    metadata["uid"] = context.ids.uid()
    if metadata.get("generateName") and not metadata.get("name"):
        metadata["name"] = generate_name(metadata["generateName"], context.ids)


def before_create(resource: Resource, document: Document, context: Context) -> Sequence[str]:
    """BeforeCreate: prepare and validate. Returns warnings. Raises StatusError 422."""
    kind, metadata = resource.kind, document["metadata"]
    object_meta.match_namespace(metadata, context.namespace if kind.namespaced else "")
    if has_status(kind) and not kind.status_on_create:
        document.pop("status", None)
    if kind.has_generation:
        metadata["generation"] = 1
    if kind.finalizers_on_create:
        own = metadata.get("finalizers") or []
        metadata["finalizers"] = own + [name for name in kind.finalizers_on_create if name not in own]
    if kind.prepare_create:
        kind.prepare_create(document, context)
    errors = object_meta.validate(metadata, kind.namespaced, kind.name_errors)
    if kind.validate:
        errors += kind.validate(document, context)
    refuse(kind, metadata, errors)
    return kind.warnings(document, None) if kind.warnings else ()


def before_update(resource: Resource, new: Document, old: Document, context: Context) -> Sequence[str]:
    """BeforeUpdate for a write to the object itself: status is kept where it has a path of its own."""
    kind = resource.kind
    _keep_system_fields(new, old)
    if has_status(kind):
        _take(new, old, "status")
    if kind.prepare_update:
        kind.prepare_update(new, old, context)
    _count_generation(kind, new, old)
    errors = object_meta.validate_update(new["metadata"], old["metadata"])
    if kind.validate_update:
        errors += kind.validate_update(new, old, context)
    refuse(kind, new["metadata"], errors)
    return kind.warnings(new, old) if kind.warnings else ()


def before_status_update(resource: Resource, new: Document, old: Document, context: Context) -> Sequence[str]:
    """BeforeUpdate for a write to /status: everything but status and metadata is kept. Labels and annotations may
    be written with it, unless the kind's `prepare_status` has it otherwise (as upstream's status strategies)."""
    kind = resource.kind
    for name in sorted({*new, *old} - {"status", "metadata", "apiVersion", "kind"}):
        _take(new, old, name)
    _keep_system_fields(new, old)
    if kind.prepare_status:
        kind.prepare_status(new, old, context)
    errors = object_meta.validate_update(new["metadata"], old["metadata"])
    if kind.validate_status:
        errors += kind.validate_status(new, old, context)
    refuse(kind, new["metadata"], errors)
    return ()


def before_part_update(part: Subresource) -> BeforeUpdate:
    """BeforeUpdate for a write to a part of an object that has rules of its own."""

    def before(resource: Resource, new: Document, old: Document, context: Context) -> Sequence[str]:
        _keep_system_fields(new, old)
        if part.prepare:
            part.prepare(new, old, context)
        errors = object_meta.validate_update(new["metadata"], old["metadata"])
        if part.validate:
            errors += part.validate(new, old, context)
        refuse(resource.kind, new["metadata"], errors)
        return ()

    return before


def has_status(kind: Kind) -> bool:
    return any(each.name == "status" for each in kind.subresources)


def refuse(kind: Kind, metadata: Document, errors: Sequence[FieldError]) -> None:
    """Raises StatusError 422 if there is any error; one said twice is said once (ours: upstream repeats causes)."""
    if errors:
        raise invalid(kind.group, kind.kind, metadata.get("name") or "", unique(errors))


def _keep_system_fields(new: Document, old: Document) -> None:
    """What an update cannot change is silently kept; the uid only when none is sent."""
    metadata, before = new["metadata"], old["metadata"]
    _take(metadata, before, "generation")
    if not metadata.get("uid"):
        _take(metadata, before, "uid")
    for name in _KEPT_FROM_OLD:
        if before.get(name):
            metadata[name] = before[name]
    if before.get("deletionGracePeriodSeconds") is not None and metadata.get("deletionGracePeriodSeconds") is None:
        metadata["deletionGracePeriodSeconds"] = before["deletionGracePeriodSeconds"]


def _count_generation(kind: Kind, new: Document, old: Document) -> None:
    """One more for a change beyond metadata and status, unless the kind has counted itself."""
    metadata, before = new["metadata"], old["metadata"].get("generation") or 0
    if kind.has_generation and (metadata.get("generation") or 0) == before and _desired(new) != _desired(old):
        metadata["generation"] = before + 1


def _desired(document: Document) -> Document:
    return {key: value for key, value in document.items() if key not in ("metadata", "status", "apiVersion", "kind")}


def _take(new: Document, old: Document, name: str) -> None:
    if name in old:
        new[name] = old[name]
    else:
        new.pop(name, None)

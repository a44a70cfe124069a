"""DeleteOptions: from the body, or without one from the query (apimachinery `meta/v1/validation`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tiphys.api.call import Call
from tiphys.api.decode import decode_kind
from tiphys.api.options import META_GROUP, WriteOptions, dry_run_errors
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, invalid_value, unsupported
from tiphys.base.status import invalid

_POLICIES = ("Foreground", "Background", "Orphan")
_LENIENT = WriteOptions(field_validation="Ignore")


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """How to delete. None and empty mean that nothing was said."""

    grace_period: int | None = None
    uid: str = ""
    resource_version: str = ""
    orphan_dependents: bool | None = None
    propagation: str | None = None
    dry_run: bool = False
    document: Document = field(default_factory=dict)

    def as_write(self) -> WriteOptions:
        """What admission and hooks are told."""
        return WriteOptions(self.dry_run, document=self.document)


async def read_delete_options(call: Call) -> DeleteOptions:
    """Raises StatusError 400, 422."""
    if not call.request.body and not call.query:
        return delete_options({})
    if not call.request.body:
        return delete_options(_of_query(call))
    return delete_options(await decode_kind(call, _LENIENT, "", "v1", "DeleteOptions"))


def delete_options(given: Document) -> DeleteOptions:
    """Of a document, already type-checked. Raises StatusError 422."""
    errors = _errors(given)
    if errors:
        raise invalid(META_GROUP, "DeleteOptions", "", errors)
    preconditions = given.get("preconditions") or {}
    document = {key: value for key, value in given.items() if key not in ("apiVersion", "kind", "metadata")}
    return DeleteOptions(
        given.get("gracePeriodSeconds"),
        preconditions.get("uid") or "",
        preconditions.get("resourceVersion") or "",
        given.get("orphanDependents"),
        given.get("propagationPolicy"),
        bool(given.get("dryRun")),
        {"kind": "DeleteOptions", "apiVersion": f"{META_GROUP}/v1", **document},
    )


def _of_query(call: Call) -> Document:
    query = call.query
    preconditions = {name: query.text(name) for name in ("uid", "resourceVersion") if query.text(name)}
    given: dict[str, Any] = {
        "gracePeriodSeconds": query.integer("gracePeriodSeconds"),
        "orphanDependents": query.boolean("orphanDependents"),
        "propagationPolicy": query.text("propagationPolicy") if query.texts("propagationPolicy") else None,
        "dryRun": query.texts("dryRun") or None,
        "preconditions": preconditions or None,
    }
    return {key: value for key, value in given.items() if value is not None}


def _errors(given: Document) -> list[FieldError]:
    errors: list[FieldError] = []
    policy = given.get("propagationPolicy")
    if policy is not None and given.get("orphanDependents") is not None:
        detail = "orphanDependents and deletionPropagation cannot be both set"
        errors.append(invalid_value("propagationPolicy", policy, detail))
    if policy is not None and policy not in _POLICIES:
        errors.append(unsupported("propagationPolicy", policy, (*_POLICIES, "nil")))
    return errors + dry_run_errors(given.get("dryRun") or [])

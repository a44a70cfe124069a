"""ControllerRevision: a stored state of a StatefulSet's or DaemonSet's template (pkg/apis/apps)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.api.kind import Column, Context, Kind
from tiphys.base.document import Document, owner_reference
from tiphys.base.field_error import FieldError, invalid_value, required
from tiphys.kinds.shapes.columns import AGE, NONE, integer
from tiphys.kinds.shapes.field_checks import NEGATIVE, Errors, immutable


def _validate(revision: Document, context: Context) -> Sequence[FieldError]:
    errors: Errors = []
    if revision.get("data") is None:
        errors.append(required("data", "data is mandatory"))
    number = revision.get("revision") or 0
    if number < 0:
        errors.append(invalid_value("revision", number, NEGATIVE))
    return errors


def _validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    errors = list(_validate(new, context))
    immutable(new.get("data"), old.get("data"), "data", errors)
    return errors


def _controller(revision: Document, now: float) -> str:
    """`statefulset.apps/web`: the kind in lower case, its group, and the owner's name."""
    owner = owner_reference(revision)
    if owner is None:
        return NONE
    group, slash, _ = (owner.get("apiVersion") or "").rpartition("/")
    kind = (owner.get("kind") or "").lower()
    return f"{kind}.{group}/{owner.get('name') or ''}" if slash else f"{kind}/{owner.get('name') or ''}"


KIND = Kind(
    group="apps",
    kind="ControllerRevision",
    plural="controllerrevisions",
    has_generation=False,
    columns=(
        Column("Controller", _controller, description="Controller of the object"),
        Column("Revision", integer("revision")),
        AGE,
    ),
    validate=_validate,
    validate_update=_validate_update,
)

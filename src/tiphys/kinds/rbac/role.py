"""Role: what may be done in a namespace."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.api.kind import Context, Kind
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError
from tiphys.kinds.rbac.policy_rule import GROUP, rbac_name, rule_errors
from tiphys.kinds.shapes.columns import CREATED_AT


def default(document: Document, context: Context) -> None:
    """Upstream always writes the rules."""
    document.setdefault("rules", None)


def validate(document: Document, context: Context) -> Sequence[FieldError]:
    return rule_errors(document, namespaced=True)


def validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    return validate(new, context)


KIND = Kind(
    group=GROUP,
    kind="Role",
    plural="roles",
    columns=(CREATED_AT,),
    has_generation=False,
    default=default,
    validate=validate,
    validate_update=validate_update,
    name_errors=rbac_name,
    create_on_update=True,
)

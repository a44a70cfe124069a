"""RoleBinding: gives the permissions of a role to subjects, within a namespace."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.api.kind import Context, Kind
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError
from tiphys.kinds.rbac.policy_rule import GROUP, rbac_name
from tiphys.kinds.rbac.subject import binding_errors, changed_role_errors, columns, default

ROLE_KINDS = ("Role", "ClusterRole")


def validate(document: Document, context: Context) -> Sequence[FieldError]:
    return binding_errors(document, ROLE_KINDS)


def validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    return [*validate(new, context), *changed_role_errors(new, old)]


KIND = Kind(
    group=GROUP,
    kind="RoleBinding",
    plural="rolebindings",
    columns=columns("roleBinding"),
    has_generation=False,
    default=default,
    validate=validate,
    validate_update=validate_update,
    name_errors=rbac_name,
    create_on_update=True,
)

"""ClusterRole: what may be done in all namespaces and to what has none."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.api.kind import Context, Kind
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, required
from tiphys.kinds.rbac.policy_rule import GROUP, rbac_name, rule_errors
from tiphys.kinds.rbac.role import default
from tiphys.kinds.shapes.columns import CREATED_AT
from tiphys.kinds.shapes.label_selector_validation import label_selector


def validate(document: Document, context: Context) -> Sequence[FieldError]:
    errors = rule_errors(document, namespaced=False)
    aggregation = document.get("aggregationRule")
    if aggregation is None:
        return errors
    path, selectors = "aggregationRule.clusterRoleSelectors", aggregation.get("clusterRoleSelectors") or ()
    if not selectors:
        detail = "at least one clusterRoleSelector required if aggregationRule is non-nil"
        errors.append(required(path, detail))
    for index, selector in enumerate(selectors):
        label_selector(selector, f"{path}[{index}]", errors)
    return errors


def validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    return validate(new, context)


KIND = Kind(
    group=GROUP,
    kind="ClusterRole",
    plural="clusterroles",
    namespaced=False,
    columns=(CREATED_AT,),
    has_generation=False,
    default=default,
    validate=validate,
    validate_update=validate_update,
    name_errors=rbac_name,
    create_on_update=True,
)

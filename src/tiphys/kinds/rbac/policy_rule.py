"""Rules of roles, and the name rule that all RBAC kinds share (upstream's `pkg/apis/rbac/validation`)."""

from __future__ import annotations

from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, invalid_value, required
from tiphys.base.name_rules import as_name, path_segment

GROUP = "rbac.authorization.k8s.io"

rbac_name = as_name(path_segment)
"""Looser than other names: `system:nodes` is one."""


def rule_errors(document: Document, namespaced: bool) -> list[FieldError]:
    """What is wrong with the rules of a role (ValidatePolicyRule)."""
    errors: list[FieldError] = []
    for index, rule in enumerate(document.get("rules") or ()):
        errors += _rule_errors(rule, namespaced, f"rules[{index}]")
    return errors


def _rule_errors(rule: Document, namespaced: bool, path: str) -> list[FieldError]:
    errors = [] if rule.get("verbs") else [required(f"{path}.verbs", "verbs must contain at least one value")]
    urls, place = rule.get("nonResourceURLs"), f"{path}.nonResourceURLs"
    if urls:
        if namespaced:
            errors.append(invalid_value(place, urls, "namespaced rules cannot apply to non-resource URLs"))
        if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
            detail = "rules cannot apply to both regular resources and non-resource URLs"
            errors.append(invalid_value(place, urls, detail))
        return errors
    if not rule.get("apiGroups"):
        errors.append(required(f"{path}.apiGroups", "resource rules must supply at least one api group"))
    if not rule.get("resources"):
        errors.append(required(f"{path}.resources", "resource rules must supply at least one resource"))
    return errors

"""Affinity to nodes and to other pods (validateAffinity)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tiphys.base.document import Document
from tiphys.base.field_error import forbidden_field, invalid_value, required
from tiphys.base.name_rules import dns1123_label, dns1123_subdomain, label_value
from tiphys.kinds.shapes.field_checks import Errors, by_rule
from tiphys.kinds.shapes.label_selector_validation import label_name, label_selector

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
NOT_AN_OPERATOR = "not a valid selector operator"
IN_BOTH = "exists in both matchLabelKeys and labelSelector"
NO_SELECTOR = "must not be specified when labelSelector is not set"


def validate_affinity(affinity: Document, path: str, errors: Errors) -> None:
    if (node := affinity.get("nodeAffinity")) is not None:
        _node_affinity(node, f"{path}.nodeAffinity", errors)
    for kind in ("podAffinity", "podAntiAffinity"):
        if (rules := affinity.get(kind)) is not None:
            _pod_affinity(rules, f"{path}.{kind}", errors)


def _node_affinity(affinity: Document, path: str, errors: Errors) -> None:
    if (selector := affinity.get(REQUIRED)) is not None:
        validate_node_selector(selector, f"{path}.{REQUIRED}", errors)
    for index, term in enumerate(affinity.get(PREFERRED) or ()):
        here = f"{path}.{PREFERRED}[{index}]"
        _weight(term, here, errors)
        _node_term(term.get("preference") or {}, f"{here}.preference", errors, any_value=True)


def _weight(term: Document, path: str, errors: Errors) -> None:
    weight = term.get("weight") or 0
    if not 1 <= weight <= 100:
        errors.append(invalid_value(f"{path}.weight", weight, "must be in the range 1-100"))


def validate_node_selector(selector: Document, path: str, errors: Errors) -> None:
    """A node selector, here and in PersistentVolumes (ValidateNodeSelector)."""
    terms = selector.get("nodeSelectorTerms") or ()
    if not terms:
        errors.append(required(f"{path}.nodeSelectorTerms", "must have at least one node selector term"))
    for index, term in enumerate(terms):
        _node_term(term, f"{path}.nodeSelectorTerms[{index}]", errors)


def _node_term(term: Document, path: str, errors: Errors, *, any_value: bool = False) -> None:
    for index, requirement in enumerate(term.get("matchExpressions") or ()):
        _node_requirement(requirement, f"{path}.matchExpressions[{index}]", errors, any_value)
    for index, requirement in enumerate(term.get("matchFields") or ()):
        _field_requirement(requirement, f"{path}.matchFields[{index}]", errors)


def _node_requirement(requirement: Document, path: str, errors: Errors, any_value: bool) -> None:
    operator, values = requirement.get("operator") or "", requirement.get("values") or ()
    if operator in ("In", "NotIn"):
        if not values:
            words = "must be specified when `operator` is 'In' or 'NotIn'"
            errors.append(required(f"{path}.values", words))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            words = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            errors.append(forbidden_field(f"{path}.values", words))
    elif operator in ("Gt", "Lt"):
        if len(values) != 1:
            words = "must be specified single value when `operator` is 'Lt' or 'Gt'"
            errors.append(required(f"{path}.values", words))
    else:
        errors.append(invalid_value(f"{path}.operator", operator, NOT_AN_OPERATOR))
    label_name(requirement.get("key") or "", f"{path}.key", errors)
    if not any_value:
        for index, value in enumerate(values):
            by_rule(label_value, value, f"{path}.values[{index}]", errors)


def _field_requirement(requirement: Document, path: str, errors: Errors) -> None:
    operator, values = requirement.get("operator") or "", requirement.get("values") or ()
    if operator not in ("In", "NotIn"):
        errors.append(invalid_value(f"{path}.operator", operator, NOT_AN_OPERATOR))
    elif len(values) != 1:
        words = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        errors.append(required(f"{path}.values", words))
    key = requirement.get("key") or ""
    if key != "metadata.name":
        errors.append(invalid_value(f"{path}.key", key, "not a valid field selector key"))
        return
    for index, value in enumerate(values):
        by_rule(dns1123_subdomain, value, f"{path}.values[{index}]", errors)


def _pod_affinity(affinity: Document, path: str, errors: Errors) -> None:
    for index, term in enumerate(affinity.get(REQUIRED) or ()):
        _pod_term(term, f"{path}.{REQUIRED}[{index}]", errors)
    for index, weighted in enumerate(affinity.get(PREFERRED) or ()):
        here = f"{path}.{PREFERRED}[{index}]"
        _weight(weighted, here, errors)
        _pod_term(weighted.get("podAffinityTerm") or {}, f"{here}.podAffinityTerm", errors)


def _pod_term(term: Document, path: str, errors: Errors) -> None:
    selector = term.get("labelSelector")
    label_selector(selector, f"{path}.labelSelector", errors)
    label_selector(term.get("namespaceSelector"), f"{path}.namespaceSelector", errors)
    for name in term.get("namespaces") or ():
        by_rule(dns1123_label, name, f"{path}.namespace", errors)
    _label_keys(term, selector, path, errors)
    key = term.get("topologyKey") or ""
    if not key:
        errors.append(required(f"{path}.topologyKey", "can not be empty"))
    label_name(key, f"{path}.topologyKey", errors)


def _label_keys(term: Document, selector: Document | None, path: str, errors: Errors) -> None:
    match, mismatch = term.get("matchLabelKeys") or (), term.get("mismatchLabelKeys") or ()
    if not match and not mismatch:
        return
    _valid_keys(match, selector, f"{path}.matchLabelKeys", errors)
    _valid_keys(mismatch, selector, f"{path}.mismatchLabelKeys", errors)
    _not_selected_too(match, selector, path, errors)
    for index, key in enumerate(match):
        if key in mismatch:
            words = "exists in both matchLabelKeys and mismatchLabelKeys"
            errors.append(invalid_value(f"{path}.matchLabelKeys[{index}]", key, words))


def _valid_keys(keys: Sequence[str], selector: Document | None, path: str, errors: Errors) -> None:
    if keys and selector is None:
        errors.append(forbidden_field(path, NO_SELECTOR))
        return
    for index, key in enumerate(keys):
        label_name(key, f"{path}[{index}]", errors)


def _not_selected_too(keys: Collection[str], selector: Document | None, path: str, errors: Errors) -> None:
    """The keys have become expressions of the selector before this runs; so each may be there once, not twice."""
    places = {key: index for index, key in enumerate(keys)}
    seen = set((selector or {}).get("matchLabels") or ())
    for expression in (selector or {}).get("matchExpressions") or ():
        key = expression.get("key") or ""
        if key in places and key in seen:
            errors.append(invalid_value(f"{path}[{places[key]}]", key, IN_BOTH))
        seen.add(key)

"""How pods are to be spread over zones or nodes (validateTopologySpreadConstraints)."""

from __future__ import annotations

from collections import Counter

from tiphys.base.document import Document
from tiphys.base.field_error import duplicate, forbidden_field, invalid_value, required, unsupported
from tiphys.kinds.shapes.affinity_validation import IN_BOTH, NO_SELECTOR
from tiphys.kinds.shapes.field_checks import NOT_POSITIVE, Errors
from tiphys.kinds.shapes.label_selector_validation import label_name, label_selector

ACTIONS = ("DoNotSchedule", "ScheduleAnyway")
NODE_POLICIES = ("Honor", "Ignore")


def validate_topology_spread(constraints: list[Document], path: str, errors: Errors) -> None:
    later = Counter(_pair(constraint) for constraint in constraints)
    for index, constraint in enumerate(constraints):
        here = f"{path}[{index}]"
        _scalars(constraint, here, errors)
        _not_repeated(constraint, later, here, errors)
        _min_domains(constraint, f"{here}.minDomains", errors)
        for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            policy = constraint.get(field)
            if policy is not None and policy not in NODE_POLICIES:
                errors.append(unsupported(f"{here}.{field}", policy, NODE_POLICIES))
        _label_keys(constraint, f"{here}.matchLabelKeys", errors)
        label_selector(constraint.get("labelSelector"), f"{here}.labelSelector", errors)


def _scalars(constraint: Document, path: str, errors: Errors) -> None:
    skew, action = constraint.get("maxSkew") or 0, constraint.get("whenUnsatisfiable") or ""
    if skew <= 0:
        errors.append(invalid_value(f"{path}.maxSkew", skew, NOT_POSITIVE))
    if not constraint.get("topologyKey"):
        errors.append(required(f"{path}.topologyKey", "can not be empty"))
    if action not in ACTIONS:
        errors.append(unsupported(f"{path}.whenUnsatisfiable", action, ACTIONS))


def _pair(constraint: Document) -> tuple[str, str]:
    return constraint.get("topologyKey") or "", constraint.get("whenUnsatisfiable") or ""


def _not_repeated(constraint: Document, later: Counter[tuple[str, str]], path: str, errors: Errors) -> None:
    """All but the last of those alike are told. `later` counts the constraints from this one on."""
    pair = _pair(constraint)
    later[pair] -= 1
    if later[pair]:
        errors.append(duplicate(f"{path}.{{topologyKey, whenUnsatisfiable}}", f"{{{pair[0]}, {pair[1]}}}"))


def _min_domains(constraint: Document, path: str, errors: Errors) -> None:
    least, action = constraint.get("minDomains"), constraint.get("whenUnsatisfiable") or ""
    if least is None:
        return
    if least <= 0:
        errors.append(invalid_value(path, least, NOT_POSITIVE))
    if action != "DoNotSchedule":
        words = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
        errors.append(invalid_value(path, least, words))


def _label_keys(constraint: Document, path: str, errors: Errors) -> None:
    keys, selector = constraint.get("matchLabelKeys"), constraint.get("labelSelector")
    if not keys:
        return
    if selector is None:
        errors.append(forbidden_field(path, NO_SELECTOR))
    selected = set((selector or {}).get("matchLabels") or ())
    selected |= {each.get("key") or "" for each in (selector or {}).get("matchExpressions") or ()}
    for index, key in enumerate(keys):
        label_name(key, f"{path}[{index}]", errors)
        if key in selected:
            errors.append(invalid_value(f"{path}[{index}]", key, IN_BOTH))

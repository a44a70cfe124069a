"""PodDisruptionBudget (pkg/apis/policy, pkg/registry/policy/poddisruptionbudget)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tiphys.api.kind import STATUS, Column, Context, Kind
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, invalid_value, unsupported
from tiphys.kinds.shapes import go_syntax
from tiphys.kinds.shapes.columns import AGE, Cell, at, integer
from tiphys.kinds.shapes.field_checks import Errors, all_nonnegative
from tiphys.kinds.shapes.int_or_percent import at_most_100_percent, positive_int_or_percent
from tiphys.kinds.shapes.label_selector_validation import label_selector

_AMOUNTS = ("minAvailable", "maxUnavailable")
_COUNTS = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
EVICTION_POLICIES = ("AlwaysAllow", "IfHealthyBudget")
EVICTION_POLICY_SINCE = 27


def _prepare_create(budget: Document, context: Context) -> None:
    budget["status"] = dict.fromkeys(_COUNTS, 0)
    if context.minor < EVICTION_POLICY_SINCE:
        (budget.get("spec") or {}).pop("unhealthyPodEvictionPolicy", None)


def _validate(budget: Document, context: Context) -> Sequence[FieldError]:
    errors: Errors = []
    spec = budget.get("spec") or {}
    if all(spec.get(field) is not None for field in _AMOUNTS):
        words = "minAvailable and maxUnavailable cannot be both set"
        errors.append(invalid_value("spec", _shown(spec, context.minor), words))
    for field in _AMOUNTS:
        if (value := spec.get(field)) is not None:
            positive_int_or_percent(value, f"spec.{field}", context.minor, errors)
            at_most_100_percent(value, f"spec.{field}", context.minor, errors)
    label_selector(spec.get("selector"), "spec.selector", errors)
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy is not None and policy not in EVICTION_POLICIES:
        errors.append(unsupported("spec.unhealthyPodEvictionPolicy", policy, EVICTION_POLICIES))
    return errors


def _shown(spec: Document, minor: int) -> Any:
    fields = (
        ("MinAvailable", "*intstr.IntOrString", spec.get("minAvailable")),
        ("Selector", "*v1.LabelSelector", spec.get("selector")),
        ("MaxUnavailable", "*intstr.IntOrString", spec.get("maxUnavailable")),
        (
            "UnhealthyPodEvictionPolicy",
            "*policy.UnhealthyPodEvictionPolicyType",
            spec.get("unhealthyPodEvictionPolicy"),
        ),
    )
    return go_syntax.struct("policy.PodDisruptionBudgetSpec", fields, minor)


def _validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    return _validate(new, context)


def _validate_status(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    errors: Errors = []
    all_nonnegative(new.get("status") or {}, _COUNTS, "status", errors)
    return errors


def _amount(field: str) -> Cell:
    def cell(budget: Document, now: float) -> str:
        value = at(budget, f"spec.{field}")
        return "N/A" if value is None else str(value)

    return cell


KIND = Kind(
    group="policy",
    kind="PodDisruptionBudget",
    plural="poddisruptionbudgets",
    short_names=("pdb",),
    subresources=(STATUS,),
    columns=(
        Column(
            "Min Available",
            _amount("minAvailable"),
            description="The minimum number of pods that must be available.",
        ),
        Column(
            "Max Unavailable",
            _amount("maxUnavailable"),
            description="The maximum number of pods that may be unavailable.",
        ),
        Column(
            "Allowed Disruptions",
            integer("status.disruptionsAllowed"),
            type="integer",
            description="Calculated number of pods that may be disrupted at this time.",
        ),
        AGE,
    ),
    prepare_create=_prepare_create,
    validate=_validate,
    validate_update=_validate_update,
    validate_status=_validate_status,
)

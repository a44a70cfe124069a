"""PriorityClass: how important pods are to each other (upstream's `ValidatePriorityClass`)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.api.kind import Column, Context, Kind
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, forbidden_field, invalid_value, unsupported
from tiphys.kinds.shapes.columns import AGE, boolean, integer, text

SYSTEM_PREFIX = "system-"
HIGHEST = 1_000_000_000
"""The highest value a class of users may have (HighestUserDefinablePriority)."""
SYSTEM_CLASSES = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}
POLICIES = ("PreemptLowerPriority", "Never")
_PREEMPTION_SHOWN_SINCE = 32


def default(document: Document, context: Context) -> None:
    document["preemptionPolicy"] = document.get("preemptionPolicy") or "PreemptLowerPriority"
    document.setdefault("value", 0)


def validate(document: Document, context: Context) -> Sequence[FieldError]:
    name, value = (document.get("metadata") or {}).get("name") or "", document.get("value") or 0
    errors: list[FieldError] = []
    if name.startswith(SYSTEM_PREFIX):
        if SYSTEM_CLASSES.get(name) != value or document.get("globalDefault"):
            detail = f"priority class names with '{SYSTEM_PREFIX}' prefix are reserved for system use only. error: "
            errors.append(forbidden_field("metadata.name", detail + _system_error(document, name, value)))
    elif value > HIGHEST:
        detail = f"maximum allowed value of a user defined priority is {HIGHEST}"
        errors.append(forbidden_field("value", detail))
    policy = document.get("preemptionPolicy")
    if policy is not None and policy not in POLICIES:
        errors.append(unsupported("preemptionPolicy", policy, POLICIES))
    return errors


def _system_error(document: Document, name: str, value: int) -> str:
    """Why it is not one of the system's own (IsKnownSystemPriorityClass)."""
    if name not in SYSTEM_CLASSES:
        return f"{name} is not a known system priority class"
    if value != SYSTEM_CLASSES[name]:
        return f"value of {name} PriorityClass must be {SYSTEM_CLASSES[name]}"
    return f"globalDefault of {name} PriorityClass must be false"


def validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    """Pods have copied the value and the policy, so these stay (ValidatePriorityClassUpdate)."""
    errors: list[FieldError] = []
    if (new.get("value") or 0) != (old.get("value") or 0):
        errors.append(forbidden_field("value", "may not be changed in an update."))
    if new.get("preemptionPolicy") != old.get("preemptionPolicy"):
        errors.append(invalid_value("preemptionPolicy", new.get("preemptionPolicy"), "field is immutable"))
    return errors


KIND = Kind(
    group="scheduling.k8s.io",
    kind="PriorityClass",
    plural="priorityclasses",
    namespaced=False,
    short_names=("pc",),
    columns=(
        Column("Value", integer("value"), type="integer"),
        Column("Global-Default", boolean("globalDefault"), type="boolean"),
        AGE,
        Column("PreemptionPolicy", text("preemptionPolicy"), since=_PREEMPTION_SHOWN_SINCE),
    ),
    default=default,
    validate=validate,
    validate_update=validate_update,
)

"""Lease: who holds what, and until when: heartbeats of nodes, leaders of controllers (`ValidateLeaseSpec`)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.api.kind import Column, Context, Kind
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, forbidden_field, invalid_value, unsupported
from tiphys.base.name_rules import label_key
from tiphys.kinds.shapes.columns import AGE, text
from tiphys.kinds.shapes.part import part

STRATEGIES = ("OldestEmulationVersion",)


def default(document: Document, context: Context) -> None:
    part(document, "spec")


def validate(document: Document, context: Context) -> Sequence[FieldError]:
    spec = document.get("spec") or {}
    duration, transitions, strategy = (
        spec.get(field) for field in ("leaseDurationSeconds", "leaseTransitions", "strategy")
    )
    errors: list[FieldError] = []
    if duration is not None and duration <= 0:
        errors.append(invalid_value("spec.leaseDurationSeconds", duration, "must be greater than 0"))
    if transitions is not None and transitions < 0:
        errors.append(invalid_value("spec.leaseTransitions", transitions, "must be greater than or equal to 0"))
    if strategy is not None:
        errors += strategy_errors(strategy, "spec.strategy")
    if spec.get("preferredHolder") and not strategy:
        detail = "may only be specified if `strategy` is defined"
        errors.append(forbidden_field("spec.preferredHolder", detail))
    return errors


def strategy_errors(strategy: str, path: str) -> list[FieldError]:
    """Kubernetes' own, or somebody's by a qualified name (ValidateCoordinatedLeaseStrategy)."""
    if "/" in strategy:
        return [invalid_value(f"{path}.strategy", strategy, detail) for detail in label_key(strategy)]
    return [] if strategy in STRATEGIES else [unsupported(f"{path}.strategy", strategy, STRATEGIES)]


def validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    return validate(new, context)


KIND = Kind(
    group="coordination.k8s.io",
    kind="Lease",
    plural="leases",
    columns=(Column("Holder", text("spec.holderIdentity")), AGE),
    has_generation=False,
    default=default,
    validate=validate,
    validate_update=validate_update,
    create_on_update=True,
    unconditional_update=False,
)

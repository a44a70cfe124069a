"""DaemonSet (pkg/apis/apps, pkg/registry/apps/daemonset)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.api.kind import STATUS, Column, Context, Kind
from tiphys.base import label_selector as selectors
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, invalid_value, required, unsupported
from tiphys.kinds.shapes import go_syntax, label_selector_validation, workload
from tiphys.kinds.shapes.columns import AGE, container_columns, integer, label_selector, labels, selector_column
from tiphys.kinds.shapes.field_checks import Errors, all_nonnegative, immutable, same
from tiphys.kinds.shapes.int_or_percent import amount, at_most_100_percent, positive_int_or_percent
from tiphys.kinds.shapes.part import part
from tiphys.kinds.shapes.pod_template import (
    DOES_NOT_MATCH,
    always_restarts,
    default_template,
    drop_disabled,
    validate_template,
)

TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
"""Where apps/v1 keeps the count of template changes that older versions had as a field (pkg/apis/apps/v1)."""

STRATEGIES = ("RollingUpdate", "OnDelete")
_COUNTS = (
    "currentNumberScheduled",
    "numberMisscheduled",
    "desiredNumberScheduled",
    "numberReady",
    "observedGeneration",
    "updatedNumberScheduled",
    "numberAvailable",
    "numberUnavailable",
    "collisionCount",
)


def _default(daemon_set: Document, context: Context) -> None:
    spec = part(daemon_set, "spec")
    default_template(spec, context.minor)
    strategy = part(spec, "updateStrategy")
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        if strategy.get("rollingUpdate") is None:
            strategy["rollingUpdate"] = {}
        for field, value in (("maxUnavailable", 1), ("maxSurge", 0)):
            if strategy["rollingUpdate"].get(field) is None:
                strategy["rollingUpdate"][field] = value
    if spec.get("revisionHistoryLimit") is None:
        spec["revisionHistoryLimit"] = 10


def _prepare_create(daemon_set: Document, context: Context) -> None:
    daemon_set["status"] = dict.fromkeys(_COUNTS[:4], 0)
    _set_template_generation(daemon_set, max(_template_generation(daemon_set), 1))
    drop_disabled(daemon_set["spec"].get("template"), None, context.minor)


def _prepare_update(new: Document, old: Document, context: Context) -> None:
    template, before = new["spec"].get("template"), old["spec"].get("template")
    drop_disabled(template, before, context.minor)
    _set_template_generation(new, _template_generation(old) + (not same(template, before)))


def _template_generation(daemon_set: Document) -> int:
    text = (daemon_set["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION) or "0"
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0


def _set_template_generation(daemon_set: Document, generation: int) -> None:
    metadata = daemon_set["metadata"]
    metadata["annotations"] = {**(metadata.get("annotations") or {}), TEMPLATE_GENERATION: str(generation)}


def _validate(daemon_set: Document, context: Context) -> Sequence[FieldError]:
    errors: Errors = []
    spec = daemon_set.get("spec") or {}
    selector, template = spec.get("selector"), spec.get("template") or {}
    label_selector_validation.label_selector(selector, "spec.selector", errors)
    _selects(selector, template, context.minor, errors)
    if selector is not None and label_selector_validation.is_empty(selector):
        shown = go_syntax.label_selector(selector, context.minor)
        errors.append(invalid_value("spec.selector", shown, "empty selector is invalid for daemonset"))
    validate_template(template, "spec.template", context, errors)
    always_restarts(template, "spec.template", "DaemonSet", errors)
    all_nonnegative(spec, ("minReadySeconds",), "spec", errors)
    _strategy(spec.get("updateStrategy") or {}, context.minor, errors)
    all_nonnegative(spec, ("revisionHistoryLimit",), "spec", errors)
    return errors


def _selects(selector: Document | None, template: Document, minor: int, errors: Errors) -> None:
    """A selector that cannot be read has been reported already."""
    found = (template.get("metadata") or {}).get("labels")
    try:
        selected = selectors.from_document(selector).matches(found)
    except ValueError:
        return
    if not selected:
        shown = go_syntax.string_map(found, minor)
        errors.append(invalid_value("spec.template.metadata.labels", shown, DOES_NOT_MATCH))


def _strategy(strategy: Document, minor: int, errors: Errors) -> None:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    if kind == "OnDelete":
        return
    if kind != "RollingUpdate":
        fields = (("Type", "string", kind), ("RollingUpdate", "*apps.RollingUpdateDaemonSet", rolling))
        shown = go_syntax.struct("apps.DaemonSetUpdateStrategy", fields, minor)
        errors.append(unsupported("spec.updateStrategy", shown, STRATEGIES))
    elif rolling is None:
        errors.append(required("spec.updateStrategy.rollingUpdate"))
    else:
        _rolling_update(rolling, "spec.updateStrategy.rollingUpdate", minor, errors)


def _rolling_update(rolling: Document, path: str, minor: int, errors: Errors) -> None:
    """Either old pods may be missing or new ones may be too many, not both and not neither."""
    unavailable, surge = rolling.get("maxUnavailable") or 0, rolling.get("maxSurge") or 0
    for check in (positive_int_or_percent, at_most_100_percent):
        check(unavailable, f"{path}.maxUnavailable", minor, errors)
        check(surge, f"{path}.maxSurge", minor, errors)
    if amount(unavailable) and amount(surge):
        shown = go_syntax.int_or_string(surge, minor)
        errors.append(invalid_value(f"{path}.maxSurge", shown, "may not be set when maxUnavailable is non-zero"))
    elif not amount(unavailable) and not amount(surge):
        errors.append(required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0"))


def _validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    errors = list(_validate(new, context))
    selector = (new.get("spec") or {}).get("selector")
    shown = go_syntax.label_selector(selector, context.minor)
    immutable(selector, (old.get("spec") or {}).get("selector"), "spec.selector", errors, shown)
    return errors


def _validate_status(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    errors: Errors = []
    all_nonnegative(new.get("status") or {}, _COUNTS, "status", errors)
    workload.collisions_only_grow(new, old, errors)
    return errors


def _count(name: str, field: str) -> Column:
    return Column(name, integer(f"status.{field}"), type="integer")


KIND = Kind(
    group="apps",
    kind="DaemonSet",
    plural="daemonsets",
    short_names=("ds",),
    categories=("all",),
    subresources=(STATUS,),
    columns=(
        _count("Desired", "desiredNumberScheduled"),
        _count("Current", "currentNumberScheduled"),
        _count("Ready", "numberReady"),
        _count("Up-to-date", "updatedNumberScheduled"),
        _count("Available", "numberAvailable"),
        Column("Node Selector", labels("spec.template.spec.nodeSelector")),
        AGE,
        *container_columns(),
        selector_column(label_selector("spec.selector")),
    ),
    default=_default,
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    validate=_validate,
    validate_update=_validate_update,
    validate_status=_validate_status,
    warnings=workload.template_warnings,
)

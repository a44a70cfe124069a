"""StatefulSet (pkg/apis/apps, pkg/registry/apps/statefulset)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.api.kind import SCALE, STATUS, Column, Context, Kind, ScalePaths
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, forbidden_field, invalid_value, required, unsupported
from tiphys.base.label_selector import Selector
from tiphys.base.name_rules import as_name, dns1123_label
from tiphys.kinds.shapes import go_syntax, workload
from tiphys.kinds.shapes.columns import AGE, container_columns
from tiphys.kinds.shapes.field_checks import Errors, all_nonnegative, nonnegative, not_above, same
from tiphys.kinds.shapes.int_or_percent import amount, at_most_100_percent, positive_int_or_percent
from tiphys.kinds.shapes.part import part
from tiphys.kinds.shapes.pod_template import (
    always_restarts,
    default_template,
    drop_disabled,
    required_selector,
    selects_template,
    validate_template_metadata,
    with_selector,
)
from tiphys.kinds.shapes.volume_defaults import default_claim_spec

CLAIM_RETENTION_SINCE = 27
START_ORDINAL_SINCE = 27
MAX_UNAVAILABLE_SINCE = 35
_RETENTION = ("whenDeleted", "whenScaled")
_MUTABLE = (
    "replicas",
    "template",
    "updateStrategy",
    "minReadySeconds",
    "ordinals",
    "persistentVolumeClaimRetentionPolicy",
)
_HISTORY_MUTABLE_SINCE = 34
_COUNTS = (
    "replicas",
    "readyReplicas",
    "currentReplicas",
    "updatedReplicas",
    "availableReplicas",
    "observedGeneration",
    "collisionCount",
)


def _default(stateful_set: Document, context: Context) -> None:
    spec = part(stateful_set, "spec")
    default_template(spec, context.minor)
    if not spec.get("podManagementPolicy"):
        spec["podManagementPolicy"] = "OrderedReady"
    _default_strategy(part(spec, "updateStrategy"), context.minor)
    if context.minor >= CLAIM_RETENTION_SINCE:
        retention = spec.get("persistentVolumeClaimRetentionPolicy") or {}
        spec["persistentVolumeClaimRetentionPolicy"] = {
            **retention,
            **{field: retention.get(field) or "Retain" for field in _RETENTION},
        }
    for field, value in (("replicas", 1), ("revisionHistoryLimit", 10)):
        if spec.get(field) is None:
            spec[field] = value
    for claim in spec.get("volumeClaimTemplates") or ():
        _default_claim(claim)


def _default_strategy(strategy: Document, minor: int) -> None:
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
        if strategy.get("rollingUpdate") is None:
            strategy["rollingUpdate"] = {}
    rolling = strategy.get("rollingUpdate")
    if strategy["type"] == "RollingUpdate" and rolling is not None:
        defaults = {"partition": 0} | ({"maxUnavailable": 1} if minor >= MAX_UNAVAILABLE_SINCE else {})
        for field, value in defaults.items():
            if rolling.get(field) is None:
                rolling[field] = value


def _default_claim(claim: Document) -> None:
    """A claim template is shown as a whole object (pkg/apis/apps/v1/conversion.go)."""
    claim["apiVersion"], claim["kind"] = "v1", "PersistentVolumeClaim"
    default_claim_spec(part(claim, "spec"))
    status = part(claim, "status")
    if not status.get("phase"):
        status["phase"] = "Pending"


def _prepare_create(stateful_set: Document, context: Context) -> None:
    stateful_set["status"] = {"replicas": 0, "availableReplicas": 0}
    _drop_disabled(stateful_set, {}, context.minor)
    drop_disabled(stateful_set["spec"].get("template"), None, context.minor)


def _drop_disabled(new: Document, old: Document, minor: int) -> None:
    """Fields that this version has but not yet by default go, unless in use (dropStatefulSetDisabledFields)."""
    spec, before = new["spec"], old.get("spec") or {}
    for field, since in (
        ("persistentVolumeClaimRetentionPolicy", CLAIM_RETENTION_SINCE),
        ("ordinals", START_ORDINAL_SINCE),
    ):
        if minor < since and before.get(field) is None:
            spec.pop(field, None)
    if minor < MAX_UNAVAILABLE_SINCE and _rolling(before).get("maxUnavailable") is None:
        _rolling(spec).pop("maxUnavailable", None)


def _rolling(spec: Document) -> Document:
    rolling: Document = (spec.get("updateStrategy") or {}).get("rollingUpdate") or {}
    return rolling


def _prepare_update(new: Document, old: Document, context: Context) -> None:
    _drop_disabled(new, old, context.minor)
    drop_disabled(new["spec"].get("template"), old["spec"].get("template"), context.minor)


def _validate(stateful_set: Document, context: Context) -> Sequence[FieldError]:
    errors: Errors = []
    spec = stateful_set.get("spec") or {}
    policy = spec.get("podManagementPolicy") or ""
    if policy not in ("OrderedReady", "Parallel"):
        errors.append(
            invalid_value("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'")
            if policy
            else required("spec.podManagementPolicy")
        )
    _strategy(spec.get("updateStrategy") or {}, context.minor, errors)
    retention = spec.get("persistentVolumeClaimRetentionPolicy")
    if retention is not None and context.minor >= CLAIM_RETENTION_SINCE:
        _retention(retention, errors)
    all_nonnegative(spec, ("replicas", "minReadySeconds"), "spec", errors)
    nonnegative(spec.get("ordinals") or {}, "start", "spec.ordinals", errors)
    required_selector(spec, "statefulset", context.minor, errors)
    template: Document = spec.get("template") or {}

    def check(selector: Selector) -> None:
        selects_template(selector, template, "spec.template", context.minor, errors)
        validate_template_metadata(template, "spec.template", errors)

    with_selector(spec, "", context.minor, errors, check)
    always_restarts(template, "spec.template", "StatefulSet", errors)
    return errors


def _retention(retention: Document, errors: Errors) -> None:
    for field in _RETENTION:
        value = retention.get(field) or ""
        if value not in ("Retain", "Delete"):
            path = f"spec.persistentVolumeClaimRetentionPolicy.{field}"
            errors.append(unsupported(path, value, ("Retain", "Delete")))


def _strategy(strategy: Document, minor: int, errors: Errors) -> None:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    path = "spec.updateStrategy"
    if not kind:
        errors.append(required(path))
    elif kind == "OnDelete":
        if rolling is not None:
            words = "only allowed for updateStrategy 'RollingUpdate'"
            errors.append(invalid_value(f"{path}.rollingUpdate", rolling, words))
    elif kind == "RollingUpdate":
        if rolling is not None:
            _rolling_update(rolling, f"{path}.rollingUpdate", minor, errors)
    else:
        fields = (("Type", "string", kind), ("RollingUpdate", "*apps.RollingUpdateStatefulSetStrategy", rolling))
        shown = go_syntax.struct("apps.StatefulSetUpdateStrategy", fields, minor)
        errors.append(invalid_value(path, shown, "must be 'RollingUpdate' or 'OnDelete'"))


def _rolling_update(rolling: Document, path: str, minor: int, errors: Errors) -> None:
    nonnegative(rolling, "partition", path, errors)
    unavailable = rolling.get("maxUnavailable")
    if unavailable is None:
        return
    here = f"{path}.maxUnavailable"
    positive_int_or_percent(unavailable, here, minor, errors)
    if not amount(unavailable):
        errors.append(invalid_value(here, go_syntax.int_or_string(unavailable, minor), "cannot be 0"))
    at_most_100_percent(unavailable, here, minor, errors)


def _validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    errors = list(_validate(new, context))
    mutable = {*_MUTABLE}
    names = "'replicas', 'ordinals', 'template', 'updateStrategy', 'persistentVolumeClaimRetentionPolicy'"
    if context.minor >= _HISTORY_MUTABLE_SINCE:
        mutable.add("revisionHistoryLimit")
        names = names.replace("'updateStrategy', ", "'updateStrategy', 'revisionHistoryLimit', ")
    after, before = new.get("spec") or {}, old.get("spec") or {}
    if any(not same(after.get(field), before.get(field)) for field in (after.keys() | before.keys()) - mutable):
        words = f"updates to statefulset spec for fields other than {names} and 'minReadySeconds' are forbidden"
        errors.append(forbidden_field("spec", words))
    return errors


def _validate_status(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    errors: Errors = []
    status = new.get("status") or {}
    all_nonnegative(status, _COUNTS, "status", errors)
    not_above(status, _COUNTS[1:5], "replicas", workload.ABOVE, "status", errors)
    workload.available_of_ready(status, "cannot be greater than status.readyReplicas", errors)
    workload.collisions_only_grow(new, old, errors)
    return errors


def _warnings(new: Document, old: Document | None) -> Sequence[str]:
    warnings = [each for each in workload.template_warnings(new, old) if not each.startswith("metadata.name")]
    if ((new.get("spec") or {}).get("revisionHistoryLimit") or 0) < 0:
        words = "a negative value retains all historical revisions; a value >= 0 is recommended"
        warnings.append(f"spec.revisionHistoryLimit: {words}")
    return warnings


KIND = Kind(
    group="apps",
    kind="StatefulSet",
    plural="statefulsets",
    short_names=("sts",),
    categories=("all",),
    subresources=(SCALE, STATUS),
    scale=ScalePaths(),
    columns=(
        Column("Ready", workload.ready_of_desired, description="Number of the pod with ready state"),
        AGE,
        *container_columns(),
    ),
    default=_default,
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    validate=_validate,
    validate_update=_validate_update,
    validate_status=_validate_status,
    name_errors=as_name(dns1123_label),  # pods are named after it, and a pod's name is its host name
    warnings=_warnings,
)

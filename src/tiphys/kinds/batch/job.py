"""Job (pkg/apis/batch, pkg/registry/batch/job)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.api.kind import STATUS, Column, Context, Kind
from tiphys.base import label_selector as selectors
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, Verbatim, invalid_value, required
from tiphys.kinds.shapes import go_syntax, label_selector_validation, workload
from tiphys.kinds.shapes.columns import AGE, at, container_columns, label_selector, selector_column
from tiphys.kinds.shapes.field_checks import Errors, all_nonnegative, clone, immutable
from tiphys.kinds.shapes.job_printing import completions, duration, job_status
from tiphys.kinds.shapes.job_spec_validation import validate_job_spec
from tiphys.kinds.shapes.part import part
from tiphys.kinds.shapes.pod_template import DOES_NOT_MATCH, default_template, drop_disabled

PREFIXED_LABELS_SINCE = 27
MANUAL_SELECTOR_DEFAULT_SINCE = 30
POD_REPLACEMENT_SINCE = 29
STATUS_COLUMN_SINCE = 31

_COUNTS = ("active", "succeeded", "failed", "ready", "terminating")
_IMMUTABLE = ("completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy")
_SCHEDULING = ("nodeSelector", "tolerations", "schedulingGates")


def _default(job: Document, context: Context) -> None:
    spec = part(job, "spec")
    default_template(spec, context.minor)
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    backoff = 6 if spec.get("backoffLimitPerIndex") is None else 2**31 - 1
    defaults: list[tuple[str, object]] = [
        ("parallelism", 1),
        ("backoffLimit", backoff),
        ("completionMode", "NonIndexed"),
        ("suspend", False),
    ]
    if context.minor >= MANUAL_SELECTOR_DEFAULT_SINCE:
        defaults.append(("manualSelector", False))
    if context.minor >= POD_REPLACEMENT_SINCE:
        replaced = "TerminatingOrFailed" if spec.get("podFailurePolicy") is None else "Failed"
        defaults.append(("podReplacementPolicy", replaced))
    for field, value in defaults:
        if spec.get(field) is None:
            spec[field] = value
    _default_failure_policy(spec.get("podFailurePolicy") or {})
    labels = (spec["template"].get("metadata") or {}).get("labels")
    metadata = part(job, "metadata")
    if labels and not metadata.get("labels"):
        metadata["labels"] = dict(labels)


def _default_failure_policy(policy: Document) -> None:
    for rule in policy.get("rules") or ():
        for condition in rule.get("onPodConditions") or ():
            if not condition.get("status"):
                condition["status"] = "True"


def _prepare_create(job: Document, context: Context) -> None:
    job["status"] = {}
    if not job["spec"].get("manualSelector"):
        _generate_selector(job, context.minor)
    drop_disabled(job["spec"].get("template"), None, context.minor)


def _label_names(minor: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The labels that hold the job's name and its uid; the one that selects comes last."""
    name, uid = ("job-name",), ("controller-uid",)
    if minor < PREFIXED_LABELS_SINCE:
        return name, uid
    return (*name, "batch.kubernetes.io/job-name"), (*uid, "batch.kubernetes.io/controller-uid")


def _generate_selector(job: Document, minor: int) -> None:
    """The pods of a job are those with its uid as label. What the user set stays, and validation judges it."""
    metadata, spec = job["metadata"], job["spec"]
    own = part(part(spec, "template"), "metadata")
    labels = own["labels"] = dict(own.get("labels") or {})
    names, uids = _label_names(minor)
    for label in names:
        labels.setdefault(label, metadata.get("name") or "")
    for label in uids:
        labels.setdefault(label, metadata.get("uid") or "")
    selector = spec["selector"] = dict(spec.get("selector") or {})
    selector["matchLabels"] = {uids[-1]: metadata.get("uid") or "", **(selector.get("matchLabels") or {})}


def _prepare_update(new: Document, old: Document, context: Context) -> None:
    drop_disabled(new["spec"].get("template"), old["spec"].get("template"), context.minor)


def _validate(job: Document, context: Context) -> Sequence[FieldError]:
    errors: Errors = []
    spec = job.get("spec") or {}
    _generated_selector(job, context.minor, errors)
    validate_job_spec(spec, "spec", context, errors)
    selector = spec.get("selector")
    if selector is None:
        errors.append(required("spec.selector"))
    label_selector_validation.label_selector(selector, "spec.selector", errors)
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    if not _selects(selector, labels):
        shown = go_syntax.string_map(labels, context.minor)
        errors.append(invalid_value("spec.template.metadata.labels", shown, DOES_NOT_MATCH))
    return errors


def _selects(selector: Document | None, labels: Document | None) -> bool:
    """A selector that cannot be read is reported elsewhere, so it passes here."""
    try:
        return selectors.from_document(selector).matches(labels)
    except ValueError:
        return True


def _generated_selector(job: Document, minor: int, errors: Errors) -> None:
    """Without manualSelector the labels must be those that were generated (validateGeneratedSelector)."""
    metadata, spec = job.get("metadata") or {}, job.get("spec") or {}
    if spec.get("manualSelector") or spec.get("selector") is None:
        return
    if not metadata.get("uid"):
        errors.append(required("metadata.uid"))
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    names, uids = _label_names(minor)
    expected = dict.fromkeys(reversed(uids), metadata.get("uid") or "")
    expected |= dict.fromkeys(reversed(names), metadata.get("name") or "")
    for label, value in expected.items():
        path = f"spec.template.metadata.labels[{label}]"
        if label not in labels:
            errors.append(required(path, f"must be '{value}'"))
        elif labels[label] != value:
            errors.append(invalid_value(path, go_syntax.string_map(labels, minor), f"must be '{value}'"))
    if not _selects(spec["selector"], expected):
        shown = go_syntax.label_selector(spec["selector"], minor)
        errors.append(invalid_value("spec.selector", shown, "`selector` not auto-generated"))


def _validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    errors = list(_validate(new, context))
    after, before = new.get("spec") or {}, old.get("spec") or {}
    _completions_kept(after, before, errors)
    shown = go_syntax.label_selector(after.get("selector"), context.minor)
    immutable(after.get("selector"), before.get("selector"), "spec.selector", errors, shown)
    _template_kept(after, before, old, errors)
    for field in _IMMUTABLE:
        immutable(after.get(field), before.get(field), f"spec.{field}", errors)
    return errors


def _completions_kept(after: Document, before: Document, errors: Errors) -> None:
    """An indexed job may grow and shrink with its parallelism (ElasticIndexedJob)."""
    new, old = after.get("completions"), before.get("completions")
    if after.get("completionMode") != "Indexed":
        immutable(new, old, "spec.completions", errors, None if new is not None else Verbatim("null"))
    elif new is not None and new != old and new != after.get("parallelism"):
        words = "can only be modified in tandem with spec.parallelism"
        errors.append(invalid_value("spec.completions", new, words))


def _template_kept(after: Document, before: Document, old: Document, errors: Errors) -> None:
    """Only of a suspended job that has never started may the scheduling directives change."""
    template, previous = after.get("template") or {}, before.get("template") or {}
    if before.get("suspend") and not at(old, "status.startTime"):
        previous = _with_scheduling_of(template, previous)
    immutable(template, previous, "spec.template", errors)


def _with_scheduling_of(template: Document, previous: Document) -> Document:
    merged = clone(previous)
    metadata, spec = template.get("metadata") or {}, template.get("spec") or {}
    for field in ("labels", "annotations"):
        part(merged, "metadata")[field] = metadata.get(field)
    for field in _SCHEDULING:
        part(merged, "spec")[field] = spec.get(field)
    affinity = (spec.get("affinity") or {}).get("nodeAffinity")
    merged["spec"]["affinity"] = {**(merged["spec"].get("affinity") or {}), "nodeAffinity": affinity}
    return merged


def _validate_status(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    errors: Errors = []
    all_nonnegative(new.get("status") or {}, _COUNTS, "status", errors)
    return errors


def _fields(job: Document) -> dict[str, str]:
    return {"status.successful": str((job.get("status") or {}).get("succeeded") or 0)}


KIND = Kind(
    group="batch",
    kind="Job",
    plural="jobs",
    categories=("all",),
    subresources=(STATUS,),
    columns=(
        Column("Status", job_status, description="Status of the job.", since=STATUS_COLUMN_SINCE),
        Column("Completions", completions),
        Column("Duration", duration, description="Time required to complete the job."),
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
    fields=_fields,
    warnings=workload.template_warnings,
    orphans_by_default=True,
)

"""CronJob (pkg/apis/batch, pkg/registry/batch/cronjob)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.api.kind import STATUS, Column, Context, Kind
from tiphys.base import cron_schedule
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, invalid_value, quoted, required, unsupported
from tiphys.kinds.shapes import go_syntax, workload
from tiphys.kinds.shapes.columns import (
    AGE,
    NONE,
    at,
    container_columns,
    count,
    elapsed,
    label_selector,
    selector_column,
    text,
)
from tiphys.kinds.shapes.field_checks import Errors, all_nonnegative, nonnegative, same
from tiphys.kinds.shapes.job_spec_validation import validate_job_spec
from tiphys.kinds.shapes.part import part
from tiphys.kinds.shapes.pod_template import default_template, drop_disabled
from tiphys.kinds.shapes.pod_warnings import pod_warnings

MAX_NAME = 52
"""A job's name is the cron job's and 11 characters more."""

NO_ZONE_IN_SCHEDULE_SINCE = 27
ZONE_COLUMN_SINCE = 30
POLICIES = ("Allow", "Forbid", "Replace")
_TEMPLATE = "spec.jobTemplate.spec.template"


def _default(cron_job: Document, context: Context) -> None:
    """The job template's own defaults come when a job is made of it."""
    spec = part(cron_job, "spec")
    if not spec.get("concurrencyPolicy"):
        spec["concurrencyPolicy"] = "Allow"
    for field, value in (("suspend", False), ("successfulJobsHistoryLimit", 3), ("failedJobsHistoryLimit", 1)):
        if spec.get(field) is None:
            spec[field] = value
    job = part(spec, "jobTemplate")
    part(job, "metadata")
    default_template(part(job, "spec"), context.minor)


def _prepare_create(cron_job: Document, context: Context) -> None:
    cron_job["status"] = {}
    drop_disabled(at(cron_job, _TEMPLATE), None, context.minor)


def _prepare_update(new: Document, old: Document, context: Context) -> None:
    drop_disabled(at(new, _TEMPLATE), at(old, _TEMPLATE), context.minor)


def _validate_spec(spec: Document, zone_in_schedule: bool, context: Context, errors: Errors) -> None:
    if schedule := spec.get("schedule"):
        _schedule(schedule, spec.get("timeZone"), zone_in_schedule, errors)
    else:
        errors.append(required("spec.schedule"))
    nonnegative(spec, "startingDeadlineSeconds", "spec", errors)
    if spec.get("timeZone") is not None:
        _time_zone(spec["timeZone"], errors)
    policy = spec.get("concurrencyPolicy") or ""
    if policy not in POLICIES:
        path = "spec.concurrencyPolicy"
        errors.append(unsupported(path, policy, POLICIES) if policy else required(path))
    _job_template(spec.get("jobTemplate") or {}, context, errors)
    all_nonnegative(spec, ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"), "spec", errors)


def _schedule(schedule: str, zone: str | None, zone_in_schedule: bool, errors: Errors) -> None:
    try:
        cron_schedule.parse(schedule)
    except ValueError as error:
        errors.append(invalid_value("spec.schedule", schedule, str(error)))
    if "TZ" not in schedule:
        return
    if not zone_in_schedule:
        words = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        errors.append(invalid_value("spec.schedule", schedule, words))
    elif zone is not None:
        words = "cannot use both timeZone field and TZ or CRON_TZ in schedule"
        errors.append(invalid_value("spec.schedule", schedule, words))


def _time_zone(zone: str, errors: Errors) -> None:
    path = "spec.timeZone"
    if not zone:
        errors.append(invalid_value(path, zone, "timeZone must be nil or non-empty string"))
    elif zone.lower() == "local":
        words = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        errors.append(invalid_value(path, zone, words))
    elif zone != "UTC" and not cron_schedule.is_known_zone(zone):
        errors.append(invalid_value(path, zone, f"unknown time zone {zone}"))


def _job_template(template: Document, context: Context, errors: Errors) -> None:
    spec = template.get("spec") or {}
    validate_job_spec(spec, "spec.jobTemplate.spec", context, errors)
    if spec.get("selector") is not None:
        shown = go_syntax.label_selector(spec["selector"], context.minor)
        errors.append(invalid_value("spec.jobTemplate.spec.selector", shown, "`selector` will be auto-generated"))
    if spec.get("manualSelector"):
        errors.append(unsupported("spec.jobTemplate.spec.manualSelector", True, ("nil", "false")))


def _validate(cron_job: Document, context: Context) -> Sequence[FieldError]:
    errors: Errors = []
    zone_in_schedule = context.minor < NO_ZONE_IN_SCHEDULE_SINCE
    _validate_spec(cron_job.get("spec") or {}, zone_in_schedule, context, errors)
    name = (cron_job.get("metadata") or {}).get("name") or ""
    if len(name) > MAX_NAME:
        errors.append(invalid_value("metadata.name", name, f"must be no more than {MAX_NAME} characters"))
    return errors


def _validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    """A schedule that had its zone inside may keep it so."""
    errors: Errors = []
    had_zone = "TZ" in ((old.get("spec") or {}).get("schedule") or "")
    allowed = had_zone or context.minor < NO_ZONE_IN_SCHEDULE_SINCE
    _validate_spec(new.get("spec") or {}, allowed, context, errors)
    return errors


def _warnings(new: Document, old: Document | None) -> Sequence[str]:
    warnings = workload.name_warnings(new) if old is None else []
    if old is None or not same(new.get("spec"), old.get("spec")):
        warnings += pod_warnings(at(new, _TEMPLATE) or {}, f"{_TEMPLATE}.")
    schedule = (new.get("spec") or {}).get("schedule") or ""
    if "TZ" in schedule:
        docs = "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/"
        words = f"CRON_TZ or TZ used in {quoted(schedule)} is not officially supported, see {docs} for more details"
        warnings.append(words)
    return warnings


def _suspend(cron_job: Document, now: float) -> str:
    """`True`, `False`, or `<unset>` (printBoolPtr)."""
    suspended = at(cron_job, "spec.suspend")
    return "<unset>" if suspended is None else str(bool(suspended))


def _last_schedule(cron_job: Document, now: float) -> str:
    last = at(cron_job, "status.lastScheduleTime")
    return elapsed(last, now) if last else NONE


KIND = Kind(
    group="batch",
    kind="CronJob",
    plural="cronjobs",
    short_names=("cj",),
    categories=("all",),
    subresources=(STATUS,),
    columns=(
        Column("Schedule", text("spec.schedule")),
        Column("Timezone", text("spec.timeZone", NONE), since=ZONE_COLUMN_SINCE),
        Column("Suspend", _suspend, type="boolean"),
        Column("Active", count("status.active"), type="integer"),
        Column("Last Schedule", _last_schedule),
        AGE,
        *container_columns("spec.jobTemplate.spec.template"),
        selector_column(label_selector("spec.jobTemplate.spec.selector")),
    ),
    default=_default,
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    validate=_validate,
    validate_update=_validate_update,
    warnings=_warnings,
)

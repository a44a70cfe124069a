"""A Job's spec, in a Job and in a CronJob's template (pkg/apis/batch/validation)."""

from __future__ import annotations

from typing import Any

from tiphys.api.kind import Context
from tiphys.base.document import Document
from tiphys.base.field_error import duplicate, invalid_value, quoted, required, too_long, too_many, unsupported
from tiphys.base.name_rules import dns1123_subdomain, label_key
from tiphys.kinds.shapes.field_checks import Errors, all_nonnegative, by_rule
from tiphys.kinds.shapes.pod_template import validate_template

_NUMBERS = (
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
)
MAX_INDEXED_PARALLELISM = 100_000
MAX_FAILURE_RULES = 20
_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_EXIT_CODE_OPERATORS = ("In", "NotIn")
_RESTARTS = ("OnFailure", "Never")


def validate_job_spec(spec: Document, path: str, context: Context, errors: Errors) -> None:
    """All but the selector, which a Job has and a CronJob's template may not have (validateJobSpec)."""
    all_nonnegative(spec, _NUMBERS, path, errors)
    _completion_mode(spec, path, errors)
    if (manager := spec.get("managedBy")) is not None:
        _manager(manager, f"{path}.managedBy", errors)
    _failed_indexes(spec, path, errors)
    template: Document = spec.get("template") or {}
    if (policy := spec.get("podFailurePolicy")) is not None:
        _failure_policy(policy, template, path, errors)
    validate_template(template, f"{path}.template", context, errors)
    _restart_policy(template, f"{path}.template.spec.restartPolicy", errors)


def _completion_mode(spec: Document, path: str, errors: Errors) -> None:
    mode = spec.get("completionMode")
    if mode is None:
        return
    if mode not in ("NonIndexed", "Indexed"):
        errors.append(unsupported(f"{path}.completionMode", mode, ("NonIndexed", "Indexed")))
    if mode != "Indexed":
        return
    if spec.get("completions") is None:
        errors.append(required(f"{path}.completions", "when completion mode is Indexed"))
    parallelism = spec.get("parallelism") or 0
    if parallelism > MAX_INDEXED_PARALLELISM:
        words = f"must be less than or equal to {MAX_INDEXED_PARALLELISM} when completion mode is Indexed"
        errors.append(invalid_value(f"{path}.parallelism", parallelism, words))


def _manager(manager: str, path: str, errors: Errors) -> None:
    """A path below a domain, as `example.com/my-manager` (IsDomainPrefixedPath)."""
    domain, slash, rest = manager.partition("/")
    if not manager:
        errors.append(required(path))
    elif not slash or not domain or not rest:
        words = 'must be a domain-prefixed path (such as "acme.io/foo")'
        errors.append(invalid_value(path, manager, words))
    else:
        by_rule(dns1123_subdomain, domain, path, errors)
    if len(manager) > 63:
        errors.append(too_long(path, manager, 63))


def _failed_indexes(spec: Document, path: str, errors: Errors) -> None:
    """How many indexes may fail, and how often each (KEP 3850)."""
    most, completions = spec.get("maxFailedIndexes"), spec.get("completions")
    per_index = spec.get("backoffLimitPerIndex")
    if per_index is not None and spec.get("completionMode") != "Indexed":
        errors.append(invalid_value(f"{path}.backoffLimitPerIndex", per_index, "requires indexed completion mode"))
    if most is None:
        return
    if completions is not None and most > completions:
        words = "must be less than or equal to completions"
        errors.append(invalid_value(f"{path}.maxFailedIndexes", most, words))
    if per_index is None:
        errors.append(required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified"))


def _restart_policy(template: Document, path: str, errors: Errors) -> None:
    """`Always` is what defaulting fills in, so it counts as not given."""
    policy = (template.get("spec") or {}).get("restartPolicy") or ""
    if policy in ("Always", ""):
        errors.append(required(path, 'valid values: "OnFailure", "Never"'))
    elif policy not in _RESTARTS:
        errors.append(unsupported(path, policy, _RESTARTS))


def _failure_policy(policy: Document, template: Document, path: str, errors: Errors) -> None:
    """Which failures of pods count, fail the job, or are ignored (validatePodFailurePolicy)."""
    restart = (template.get("spec") or {}).get("restartPolicy") or ""
    if restart != "Never":
        words = 'only "Never" is supported when podFailurePolicy is specified'
        errors.append(invalid_value(f"{path}.template.spec.restartPolicy", restart, words))
    rules, here = policy.get("rules") or [], f"{path}.podFailurePolicy.rules"
    if len(rules) > MAX_FAILURE_RULES:
        errors.append(too_many(here, len(rules), MAX_FAILURE_RULES))
    containers = {
        container.get("name")
        for field in ("containers", "initContainers")
        for container in (template.get("spec") or {}).get(field) or ()
    }
    for index, rule in enumerate(rules):
        _failure_rule(rule, containers, f"{here}[{index}]", errors)


def _failure_rule(rule: Document, containers: set[Any], path: str, errors: Errors) -> None:
    action = rule.get("action") or ""
    if not action:
        errors.append(required(f"{path}.action", f"valid values: {', '.join(map(quoted, _ACTIONS))}"))
    elif action not in _ACTIONS:
        errors.append(unsupported(f"{path}.action", action, _ACTIONS))
    codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions")
    if codes is not None:
        _exit_codes(codes, containers, f"{path}.onExitCodes", errors)
    for index, condition in enumerate(conditions or ()):
        here = f"{path}.onPodConditions[{index}]"
        by_rule(label_key, condition.get("type") or "", f"{here}.type", errors)
        status = condition.get("status") or ""
        if status not in ("False", "True", "Unknown"):
            choices = ("False", "True", "Unknown")
            wrong = unsupported(f"{here}.status", status, choices)
            missing = required(f"{here}.status", f"valid values: {', '.join(map(quoted, choices))}")
            errors.append(wrong if status else missing)
    if codes is not None and conditions:
        words = "specifying both OnExitCodes and OnPodConditions is not supported"
        errors.append(invalid_value(path, "", words))
    if codes is None and not conditions:
        words = "specifying one of OnExitCodes and OnPodConditions is required"
        errors.append(invalid_value(path, "", words))


def _exit_codes(codes: Document, containers: set[Any], path: str, errors: Errors) -> None:
    operator, values, name = codes.get("operator") or "", codes.get("values") or [], codes.get("containerName")
    if operator not in _EXIT_CODE_OPERATORS:
        missing = required(f"{path}.operator", f"valid values: {', '.join(map(quoted, _EXIT_CODE_OPERATORS))}")
        errors.append(unsupported(f"{path}.operator", operator, _EXIT_CODE_OPERATORS) if operator else missing)
    if name is not None and name not in containers:
        words = "must be one of the container or initContainer names in the pod template"
        errors.append(invalid_value(f"{path}.containerName", name, words))
    if not values:
        errors.append(invalid_value(f"{path}.values", values, "at least one value is required"))
    elif len(values) > 255:
        errors.append(too_many(f"{path}.values", len(values), 255))
    _exit_code_values(values, operator, f"{path}.values", errors)


def _exit_code_values(values: list[int], operator: str, path: str, errors: Errors) -> None:
    for index, value in enumerate(values):
        if operator == "In" and value == 0:
            errors.append(invalid_value(f"{path}[{index}]", value, "must not be 0 for the In operator"))
    if values != sorted(values):
        errors.append(invalid_value(path, values, "must be ordered"))
    elif len(set(values)) != len(values):
        repeated = next(i for i in range(1, len(values)) if values[i] == values[i - 1])
        errors.append(duplicate(f"{path}[{repeated}]", values[repeated]))

"""The audit policy file (apiserver `audit/policy/reader.go`, `apis/audit/validation`)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tiphys.base.field_error import FieldError, invalid_value, required, type_invalid, unsupported
from tiphys.base.name_rules import dns1123_subdomain
from tiphys.server.audit.policy import LEVELS, STAGES, GroupResources, Policy, Rule

log = logging.getLogger(__name__)
API_VERSION = "audit.k8s.io/v1"
_TOP = ("apiVersion", "kind", "metadata", "rules", "omitStages", "omitManagedFields")
_RULE = ("level", "users", "userGroups", "verbs", "resources", "namespaces", "nonResourceURLs", "omitStages")
_LISTS = _RULE[1:4] + _RULE[5:]


def read_policy(path: Path) -> Policy:
    """Raises OSError for a file that cannot be read, ValueError in upstream's words for one that is no policy."""
    try:
        found = yaml.safe_load(path.read_bytes())
    except yaml.YAMLError as error:
        raise ValueError(f"failed decoding: {error}: from file {path}") from None
    try:
        return _policy(found)
    except ValueError as error:
        raise ValueError(f"{error}: from file {path}") from None


def _policy(top: Any) -> Policy:
    if not isinstance(top, dict) or not isinstance(top.get("rules") or [], list):
        raise ValueError("failed decoding: couldn't get version/kind; json parse error")
    said = f"{top.get('apiVersion')}, Kind={top.get('kind')}"
    if top.get("apiVersion") != API_VERSION or top.get("kind") != "Policy":
        raise ValueError(f"unknown group version field {said} in policy")
    rules = top.get("rules") or []
    errors = [*_stage_errors("omitStages", top.get("omitStages"))]
    for index, rule in enumerate(rules):
        errors += _rule_errors(f"rules[{index}]", rule)
    if errors:
        texts = [str(error) for error in errors]
        raise ValueError(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")
    if not rules:
        raise ValueError("loaded illegal policy with 0 rules")
    for unknown in _unknown_fields(top, rules):
        log.warning('Audit policy contains errors, falling back to lenient decoding: unknown field "%s"', unknown)
    return Policy([_rule(top, rule) for rule in rules])


def _unknown_fields(top: dict[str, Any], rules: list[dict[str, Any]]) -> Iterator[str]:
    yield from (str(name) for name in top if name not in _TOP)
    for index, rule in enumerate(rules):
        yield from (f"rules[{index}].{name}" for name in rule if name not in (*_RULE, "omitManagedFields"))


def _rule(top: dict[str, Any], rule: dict[str, Any]) -> Rule:
    managed = rule.get("omitManagedFields")
    return Rule(
        level=rule["level"],
        users=frozenset(rule.get("users") or ()),
        groups=frozenset(rule.get("userGroups") or ()),
        verbs=frozenset(rule.get("verbs") or ()),
        resources=[_group(entry) for entry in rule.get("resources") or ()],
        namespaces=frozenset(rule.get("namespaces") or ()),
        urls=tuple(rule.get("nonResourceURLs") or ()),
        omit_stages=frozenset(top.get("omitStages") or ()) | frozenset(rule.get("omitStages") or ()),
        omit_managed_fields=bool(top.get("omitManagedFields") if managed is None else managed),
    )


def _group(entry: dict[str, Any]) -> GroupResources:
    return GroupResources(
        entry.get("group") or "", tuple(entry.get("resources") or ()), tuple(entry.get("resourceNames") or ())
    )


def _rule_errors(path: str, rule: Any) -> list[FieldError]:
    if not isinstance(rule, dict):
        return [type_invalid(path, str(rule), "must be a mapping")]
    errors = [error for name in _LISTS for error in _text_errors(f"{path}.{name}", rule.get(name))]
    errors += _managed_errors(f"{path}.omitManagedFields", rule.get("omitManagedFields"))
    if errors:
        return errors
    level = rule.get("level") or ""
    if not level:
        errors.append(required(f"{path}.level"))
    elif level not in LEVELS:
        errors.append(unsupported(f"{path}.level", level, LEVELS))
    errors += _url_errors(f"{path}.nonResourceURLs", rule.get("nonResourceURLs") or [])
    errors += _resource_errors(f"{path}.resources", rule.get("resources"))
    errors += _stage_errors(f"{path}.omitStages", rule.get("omitStages"))
    if rule.get("nonResourceURLs") and (rule.get("resources") or rule.get("namespaces")):
        why = "rules cannot apply to both regular resources and non-resource URLs"
        errors.append(invalid_value(f"{path}.nonResourceURLs", rule["nonResourceURLs"], why))
    return errors


def _url_errors(path: str, urls: list[str]) -> list[FieldError]:
    errors = []
    for index, url in enumerate(urls):
        if url == "*":
            continue
        if not url.startswith("/"):
            why = "non-resource URL rules must begin with a '/' character"
            errors.append(invalid_value(f"{path}[{index}]", url, why))
        if "*" in url[:-1]:
            why = "non-resource URL wildcards '*' must be the final character of the rule"
            errors.append(invalid_value(f"{path}[{index}]", url, why))
    return errors


def _resource_errors(path: str, entries: Any) -> list[FieldError]:
    if entries is None:
        return []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return [type_invalid(path, str(entries), "must be a list of mappings")]
    errors: list[FieldError] = []
    for entry in entries:
        wrong = [error for name in ("resources", "resourceNames") for error in _text_errors(path, entry.get(name))]
        group = entry.get("group") or ""
        if wrong or not isinstance(group, str):
            return wrong or [type_invalid(f"{path}.group", str(group), "must be a string")]
        if group and group != "*" and (messages := dns1123_subdomain(group)):
            errors.append(invalid_value(f"{path}.group", group, ",".join(messages)))
        if entry.get("resourceNames") and not entry.get("resources"):
            why = "using resourceNames requires at least one resource"
            errors.append(invalid_value(f"{path}.resourceNames", entry["resourceNames"], why))
    return errors


def _stage_errors(path: str, stages: Any) -> list[FieldError]:
    wrong = _text_errors(path, stages)
    allowed = f"allowed stages are {','.join(STAGES)}"
    return wrong or [
        invalid_value(f"{path}[{index}]", stage, allowed)
        for index, stage in enumerate(stages or ())
        if stage not in STAGES
    ]


def _text_errors(path: str, value: Any) -> list[FieldError]:
    if value is None or (isinstance(value, list) and all(isinstance(each, str) for each in value)):
        return []
    return [type_invalid(path, str(value), "must be a list of strings")]


def _managed_errors(path: str, value: Any) -> list[FieldError]:
    return [] if value is None or isinstance(value, bool) else [type_invalid(path, str(value), "must be a boolean")]

"""A container's environment: names, values and where values come from (ValidateEnv, ValidateEnvFrom)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tiphys.base.document import Document
from tiphys.base.field_error import invalid_value, not_found_value, required
from tiphys.base.name_rules import config_map_key, dns1123_subdomain, env_var_name
from tiphys.kinds.shapes.downward_api_validation import validate_field, validate_resource_field
from tiphys.kinds.shapes.field_checks import Errors, by_rule, dns_subdomain
from tiphys.kinds.shapes.pod_rules import PodRules

_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef")
_EMPTY = "environment variable name must be non-empty"
_RELAXED = "a valid environment variable name must consist only of printable ASCII characters other than '='"
_FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.podIP",
    "status.podIPs",
)
_FIELDS_WITH_HOST_IPS = (*_FIELDS[:6], "status.hostIPs", *_FIELDS[6:])


def relaxed_env_var_name(name: str) -> list[str]:
    """The rule since 1.32: anything printable in ASCII but `=` (IsRelaxedEnvVarName)."""
    if not name:
        return [_EMPTY]
    return [] if name.isascii() and name.isprintable() and "=" not in name else [_RELAXED]


def validate_env(
    variables: list[Document], path: str, rules: PodRules, volumes: Mapping[str, Document], errors: Errors
) -> None:
    rule = relaxed_env_var_name if rules.relaxed_env_names else env_var_name
    for index, variable in enumerate(variables):
        if name := variable.get("name"):
            by_rule(rule, name, f"{path}[{index}].name", errors)
        else:
            errors.append(required(f"{path}[{index}].name"))
        if (source := variable.get("valueFrom")) is not None:
            _value_from(source, variable, f"{path}[{index}].valueFrom", rules, volumes, errors)


def _value_from(
    source: Document,
    variable: Document,
    path: str,
    rules: PodRules,
    volumes: Mapping[str, Document],
    errors: Errors,
) -> None:
    present = [name for name in _SOURCES if source.get(name) is not None]
    for name in present:
        _source(name, source[name], f"{path}.{name}", rules, errors)
    if rules.file_keys and (file := source.get("fileKeyRef")) is not None:
        present.append("fileKeyRef")
        _file_key(file, f"{path}.fileKeyRef", volumes, errors)
    if not present:
        errors.append(invalid_value(path, "", f"must specify one of: {_choices(rules)}"))
    elif variable.get("value"):
        errors.append(invalid_value(path, "", "may not be specified when `value` is not empty"))
    elif len(present) > 1:
        errors.append(invalid_value(path, "", "may not have more than one field specified at a time"))


def _choices(rules: PodRules) -> str:
    names = [*_SOURCES, "fileKeyRef"] if rules.file_keys else list(_SOURCES)
    return ", ".join(f"`{name}`" for name in names[:-1]) + f" or `{names[-1]}`"


def _source(name: str, reference: Document, path: str, rules: PodRules, errors: Errors) -> None:
    if name == "fieldRef":
        validate_field(reference, _FIELDS_WITH_HOST_IPS if rules.host_ips else _FIELDS, path, errors)
    elif name == "resourceFieldRef":
        validate_resource_field(reference, path, errors)
    else:
        _key_reference(reference, path, errors)


def _key_reference(reference: Document, path: str, errors: Errors) -> None:
    """One key of a ConfigMap or Secret."""
    dns_subdomain(reference.get("name") or "", f"{path}.name", errors)
    if key := reference.get("key"):
        by_rule(config_map_key, key, f"{path}.key", errors)
    else:
        errors.append(required(f"{path}.key"))


def _file_key(reference: Document, path: str, volumes: Mapping[str, Document], errors: Errors) -> None:
    for field in ("key", "volumeName", "path"):
        if not reference.get(field):
            errors.append(required(f"{path}.{field}"))
    volume = reference.get("volumeName")
    if volume and volume not in volumes:
        errors.append(not_found_value(f"{path}.volumeName", volume))


def validate_env_from(sources: Collection[Document], path: str, rules: PodRules, errors: Errors) -> None:
    rule = relaxed_env_var_name if rules.relaxed_env_names else env_var_name
    for index, source in enumerate(sources):
        if prefix := source.get("prefix"):
            by_rule(rule, prefix, f"{path}[{index}].prefix", errors)
        present = [name for name in ("configMapRef", "secretRef") if source.get(name) is not None]
        for name in present:
            _whole(source[name], f"{path}[{index}].{name}", errors)
        if not present:
            errors.append(invalid_value(path, "", "must specify one of: `configMapRef` or `secretRef`"))
        elif len(present) > 1:
            errors.append(invalid_value(path, "", "may not have more than one field specified at a time"))


def _whole(reference: Document, path: str, errors: Errors) -> None:
    """All of a ConfigMap or Secret. The name is checked as a prefix would be, as upstream does."""
    name = reference.get("name")
    if not name:
        errors.append(required(f"{path}.name"))
        return
    masked = name[:-2] + "a" if len(name) > 1 and name.endswith("-") else name
    errors.extend(invalid_value(f"{path}.name", name, words) for words in dns1123_subdomain(masked))

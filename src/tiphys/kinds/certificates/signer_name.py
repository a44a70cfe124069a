"""Names of signers: `example.com/signer-name` (k/k `pkg/apis/core/validation`, ValidateSignerName)."""

from __future__ import annotations

from collections.abc import Callable

from tiphys.base.field_error import FieldError, invalid_value, required, too_long
from tiphys.base.name_rules import dns1123_label, dns1123_subdomain

_DOMAIN = 253
_LONGEST = 571
"""A domain, a slash, and a path with room for a namespace and a name."""


def signer_name_errors(path: str, name: str) -> list[FieldError]:
    if not name:
        return [required(path, "signerName must be provided")]
    segments = name.split("/")
    if len(segments) != 2:
        form = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        return [invalid_value(path, name, form)]
    domain, rest = segments
    errors = [too_long(path, domain, _DOMAIN)] if len(domain) > _DOMAIN else []
    errors += _labels(path, domain, dns1123_label)
    if "." not in domain:
        errors.append(invalid_value(path, domain, "should be a domain with at least two segments separated by dots"))
    errors += _labels(path, rest, dns1123_subdomain)
    return [*errors, too_long(path, name, _LONGEST)] if len(name) > _LONGEST else errors


def _labels(path: str, text: str, rule: Callable[[str], list[str]]) -> list[FieldError]:
    """What is wrong with the first label that is wrong."""
    for label in text.split("."):
        if errors := rule(label):
            return [invalid_value(path, text, f'validating label "{label}": {error}') for error in errors]
    return []

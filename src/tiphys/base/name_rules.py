"""What names, keys and values must look like, and what upstream says when they do not.

Each function returns the list of complaints, empty when the text is fine
(apimachinery `pkg/api/validate/content`, `pkg/util/validation`).
"""

from __future__ import annotations

import re
from collections.abc import Callable

Rule = Callable[[str], list[str]]


def max_length(length: int) -> str:
    return f"must be no more than {length} bytes"


def in_range(low: int, high: int) -> str:
    return f"must be between {low} and {high}, inclusive"


def _regex_error(message: str, pattern: str, *examples: str) -> str:
    if not examples:
        return f"{message} (regex used for validation is '{pattern}')"
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{message} (e.g. {shown}regex used for validation is '{pattern}')"


def _rule(message: str, pattern: str, examples: tuple[str, ...], longest: int = 0) -> Rule:
    compiled = re.compile(pattern)
    complaint = _regex_error(message, pattern, *examples)

    def check(text: str) -> list[str]:
        errors = [max_length(longest)] if longest and len(text) > longest else []
        if not compiled.fullmatch(text):
            errors.append(complaint)
        return errors

    return check


_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_KEY = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_ALPHANUMERIC_ENDS = "and must start and end with an alphanumeric character"

dns1123_label = _rule(
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', " + _ALPHANUMERIC_ENDS,
    _LABEL,
    ("my-name", "123-abc"),
    63,
)
dns1123_subdomain = _rule(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    + _ALPHANUMERIC_ENDS,
    _SUBDOMAIN,
    ("example.com",),
    253,
)
dns1035_label = _rule(
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, and end with an alphanumeric character",
    "[a-z]([-a-z0-9]*[a-z0-9])?",
    ("my-name", "abc-123"),
    63,
)
wildcard_dns1123_subdomain = _rule(
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
    "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
    rf"\*\.{_SUBDOMAIN}",
    ("*.example.com",),
    253,
)
label_value = _rule(
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    + _ALPHANUMERIC_ENDS,
    f"({_KEY})?",
    ("MyValue", "my_value", "12345"),
    63,
)
percent = _rule("a valid percent string must be a numeric string followed by an ending '%'", "[0-9]+%", ("1%", "93%"))
http_header_name = _rule(
    "a valid HTTP header must consist of alphanumeric characters or '-'", "[-A-Za-z0-9]+", ("X-Header-Name",)
)
_env_var_name = _rule(
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must "
    "not start with a digit",
    "[-._a-zA-Z][-._a-zA-Z0-9]*",
    ("my.env-name", "MY_ENV.NAME", "MyEnvName1"),
)
_config_map_key = _rule(
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    "[-._a-zA-Z0-9]+",
    ("key.name", "KEY_NAME", "key-name"),
    253,
)
c_identifier = _rule(
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric "
    "characters or '_'",
    "[A-Za-z_][A-Za-z0-9_]*",
    ("my_name", "MY_NAME", "MyName"),
)

_KEY_WORDS = "must consist of alphanumeric characters, '-', '_' or '.', " + _ALPHANUMERIC_ENDS
_KEY_ERROR = _regex_error(_KEY_WORDS, _KEY, "MyName", "my.name", "123-abc")
_KEY_PATTERN = re.compile(_KEY)


def label_key(key: str) -> list[str]:
    """A label key: an optional DNS subdomain and `/`, then a name (content.IsLabelKey, IsQualifiedName)."""
    prefix, slash, name = key.rpartition("/")
    if "/" in prefix:
        return [
            f"a valid label key {_KEY_ERROR} with an optional DNS subdomain prefix and '/' "
            "(e.g. 'example.com/MyName')"
        ]
    errors: list[str] = []
    if slash and not prefix:
        errors.append("prefix part must be non-empty")
    elif slash:
        errors += [f"prefix part {error}" for error in dns1123_subdomain(prefix)]
    if not name:
        errors.append("name part must be non-empty")
    elif len(name) > 63:
        errors.append(f"name part {max_length(63)}")
    if not _KEY_PATTERN.fullmatch(name):
        errors.append(f"name part {_KEY_ERROR}")
    return errors


def env_var_name(name: str) -> list[str]:
    return _env_var_name(name) + _directory_prefix(name)


def config_map_key(key: str) -> list[str]:
    """A key of a ConfigMap or Secret: also a file name, hence no `..`."""
    return _config_map_key(key) + _directory_prefix(key)


def _directory_prefix(text: str) -> list[str]:
    if text == ".":
        return ["must not be '.'"]
    if text == "..":
        return ["must not be '..'"]
    return ["must not start with '..'"] if text.startswith("..") else []


def port_number(port: int) -> list[str]:
    return [] if 1 <= port <= 65535 else [in_range(1, 65535)]


def port_name(name: str) -> list[str]:
    """An IANA service name (validation.IsValidPortName)."""
    errors = [max_length(15)] if len(name) > 15 else []
    if not re.fullmatch("[-a-z0-9]+", name):
        errors.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", name):
        errors.append("must contain at least one letter (a-z)")
    if "--" in name:
        errors.append("must not contain consecutive hyphens")
    if name[:1] == "-" or name[-1:] == "-":
        errors.append("must not begin or end with a hyphen")
    return errors


def path_segment(name: str) -> list[str]:
    """A name that can stand in a URL path (content.IsPathSegmentName): the loosest rule, as RBAC names."""
    if name in (".", ".."):
        return [f"may not be '{name}'"]
    return [f"may not contain '{illegal}'" for illegal in ("/", "%") if illegal in name]


def as_name(rule: Rule) -> Callable[[str, bool], list[str]]:
    """The rule for object names: as a generateName prefix a trailing dash stands for the suffix to come."""

    def check(name: str, is_prefix: bool) -> list[str]:
        return rule(_mask_trailing_dash(name) if is_prefix else name)

    return check


def _mask_trailing_dash(name: str) -> str:
    return name[:-2] + "a" if len(name) > 1 and name.endswith("-") else name

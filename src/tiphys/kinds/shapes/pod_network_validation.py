"""A pod's DNS, host aliases and use of the host's network."""

from __future__ import annotations

import re

from tiphys.base.document import Document
from tiphys.base.field_error import invalid_value, required
from tiphys.base.name_rules import dns1123_subdomain, max_length
from tiphys.kinds.shapes.field_checks import Errors, by_rule, dns_subdomain
from tiphys.kinds.shapes.ip import ip_errors
from tiphys.kinds.shapes.pod_rules import PodRules

MAX_NAMESERVERS = 3
MAX_SEARCHES = 32
MAX_SEARCH_CHARACTERS = 2048

_UNDERSCORE_LABEL = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_UNDERSCORE_SHOWN = rf"{_UNDERSCORE_LABEL}(\.{_UNDERSCORE_LABEL})*"
_UNDERSCORE = re.compile(r"[a-z0-9]+(?:[-_]+[a-z0-9]+)*(?:\.[a-z0-9]+(?:[-_]+[a-z0-9]+)*)*")
_UNDERSCORE_WORDS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must "
    f"start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    f"'{_UNDERSCORE_SHOWN}')"
)


def _underscored_subdomain(name: str) -> list[str]:
    complaints = [max_length(253)] if len(name) > 253 else []
    return complaints if _UNDERSCORE.fullmatch(name) else [*complaints, _UNDERSCORE_WORDS]


def validate_dns(spec: Document, path: str, rules: PodRules, errors: Errors) -> None:
    """Without a policy of the cluster's the pod must bring its own name servers (validatePodDNSConfig)."""
    config = spec.get("dnsConfig")
    if spec.get("dnsPolicy") == "None":
        if config is None:
            errors.append(required(path, "must provide `dnsConfig` when `dnsPolicy` is None"))
            return
        if not config.get("nameservers"):
            words = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            errors.append(required(f"{path}.nameservers", words))
            return
    servers = (config or {}).get("nameservers") or []
    if len(servers) > MAX_NAMESERVERS:
        words = f"must not have more than {MAX_NAMESERVERS} nameservers"
        errors.append(invalid_value(f"{path}.nameservers", servers, words))
    for index, server in enumerate(servers):
        errors.extend(ip_errors(server, f"{path}.nameservers[{index}]"))
    _searches((config or {}).get("searches") or [], f"{path}.searches", rules, errors)
    for index, option in enumerate((config or {}).get("options") or ()):
        if not option.get("name"):
            errors.append(required(f"{path}.options[{index}]", "must not be empty"))


def _searches(searches: list[str], path: str, rules: PodRules, errors: Errors) -> None:
    if len(searches) > MAX_SEARCHES:
        words = f"must not have more than {MAX_SEARCHES} search paths"
        errors.append(invalid_value(path, searches, words))
    if len(" ".join(searches)) > MAX_SEARCH_CHARACTERS:
        words = f"must not have more than {MAX_SEARCH_CHARACTERS} characters (including spaces) in the search list"
        errors.append(invalid_value(path, searches, words))
    rule = _underscored_subdomain if rules.relaxed_dns_search else dns1123_subdomain
    for index, search in enumerate(searches):
        if search != "." or not rules.relaxed_dns_search:
            by_rule(rule, search.removesuffix("."), f"{path}[{index}]", errors)


def validate_host_aliases(aliases: list[Document], path: str, errors: Errors) -> None:
    """Lines for the pod's /etc/hosts."""
    for index, alias in enumerate(aliases):
        errors.extend(ip_errors(alias.get("ip") or "", f"{path}[{index}].ip"))
        for position, name in enumerate(alias.get("hostnames") or ()):
            dns_subdomain(name, f"{path}[{index}].hostnames[{position}]", errors)


def validate_host_ports(spec: Document, path: str, rules: PodRules, errors: Errors) -> None:
    """On the host's network both ports are one. A template may leave the host's open (validatePodHostNetworkDeps)."""
    for index, container in enumerate(spec.get("containers") or ()):
        for position, port in enumerate(container.get("ports") or ()):
            host = port.get("hostPort") or 0
            if (rules.is_pod or host) and host != (port.get("containerPort") or 0):
                here = f"{path}.containers[{index}].ports[{position}].hostPort"
                words = "must match `containerPort` when `hostNetwork` is true"
                errors.append(invalid_value(here, host, words))

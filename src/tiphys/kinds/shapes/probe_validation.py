"""Probes and lifecycle hooks, and the one action each of them takes (validateProbe, validateHandler)."""

from __future__ import annotations

from tiphys.base.document import Document
from tiphys.base.field_error import forbidden_field, invalid_value, required, unsupported
from tiphys.base.name_rules import http_header_name, port_name, port_number
from tiphys.kinds.shapes.field_checks import Errors, all_nonnegative
from tiphys.kinds.shapes.pod_rules import PodRules

PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
SCHEMES = ("HTTP", "HTTPS")
_NUMBERS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_PROBE_ACTIONS = ("exec", "httpGet", "tcpSocket", "grpc")
_HOOK_ACTIONS = ("exec", "httpGet", "tcpSocket", "sleep")


def validate_probes(container: Document, grace: int | None, path: str, rules: PodRules, errors: Errors) -> None:
    for name in PROBES:
        if (probe := container.get(name)) is not None:
            _probe(name, probe, grace, f"{path}.{name}", rules, errors)


def _probe(name: str, probe: Document, grace: int | None, path: str, rules: PodRules, errors: Errors) -> None:
    _action(probe, _PROBE_ACTIONS, grace, path, rules, errors)
    all_nonnegative(probe, _NUMBERS, path, errors)
    seconds = probe.get("terminationGracePeriodSeconds")
    here = f"{path}.terminationGracePeriodSeconds"
    if seconds is not None and seconds <= 0:
        errors.append(invalid_value(here, seconds, "must be greater than 0"))
    if name == "readinessProbe":
        if seconds is not None:
            errors.append(invalid_value(here, seconds, "must not be set for readinessProbes"))
    elif probe.get("successThreshold") != 1:
        errors.append(invalid_value(f"{path}.successThreshold", probe.get("successThreshold") or 0, "must be 1"))


def validate_lifecycle(lifecycle: Document, grace: int | None, path: str, rules: PodRules, errors: Errors) -> None:
    for name in ("postStart", "preStop"):
        if (hook := lifecycle.get(name)) is not None:
            _action(hook, _HOOK_ACTIONS, grace, f"{path}.{name}", rules, errors)


def _action(
    handler: Document, actions: tuple[str, ...], grace: int | None, path: str, rules: PodRules, errors: Errors
) -> None:
    """Exactly one action, and that one sound."""
    present = [name for name in actions if handler.get(name) is not None]
    if not present:
        errors.append(required(path, "must specify a handler type"))
        return
    first = present[0]
    if first == "sleep":
        _sleep(handler["sleep"], grace, f"{path}.sleep", rules, errors)
    else:
        _ACTIONS[first](handler[first], f"{path}.{first}", errors)
    words = "may not specify more than 1 handler type"
    errors.extend(forbidden_field(f"{path}.{name}", words) for name in present[1:])


def _exec(action: Document, path: str, errors: Errors) -> None:
    if not action.get("command"):
        errors.append(required(f"{path}.command"))


def _http_get(action: Document, path: str, errors: Errors) -> None:
    if not action.get("path"):
        errors.append(required(f"{path}.path"))
    port_number_or_name(action.get("port"), f"{path}.port", errors)
    scheme = action.get("scheme") or ""
    if scheme not in SCHEMES:
        errors.append(unsupported(f"{path}.scheme", scheme, SCHEMES))
    for header in action.get("httpHeaders") or ():
        name = header.get("name") or ""
        errors.extend(invalid_value(f"{path}.httpHeaders", name, words) for words in http_header_name(name))


def _port_of(action: Document, path: str, errors: Errors) -> None:
    port_number_or_name(action.get("port"), f"{path}.port", errors)


def _sleep(action: Document, grace: int | None, path: str, rules: PodRules, errors: Errors) -> None:
    """No longer than the pod is given to end; without a grace period that is the error to report, not this."""
    seconds = action.get("seconds") or 0
    if grace is None:
        return
    if rules.zero_sleep:
        if not 0 <= seconds <= grace:
            words = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
            errors.append(invalid_value(path, seconds, words))
    elif not 0 < seconds <= grace:
        words = f"must be greater than 0 and less than terminationGracePeriodSeconds ({grace})"
        hint = (
            ". Enable AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep." if rules.minor >= 32 else ""
        )
        errors.append(invalid_value(path, seconds, words + hint))


def port_number_or_name(port: int | str | None, path: str, errors: Errors) -> None:
    """A port given as a number or by its name in the container (ValidatePortNumOrName)."""
    complaints = port_name(port) if isinstance(port, str) else port_number(port or 0)
    errors.extend(invalid_value(path, port or 0, words) for words in complaints)


_ACTIONS = {"exec": _exec, "httpGet": _http_get, "tcpSocket": _port_of, "grpc": _port_of}

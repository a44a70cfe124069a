"""The cluster configuration file: the subset of kind's `kind.x-k8s.io/v1alpha4` that makes sense here, and ours.

Ours stand under `tiphys:` at the top (see `_OURS`) and on each node (cpu,
memory, pods, extended). What kind knows and we do not support is refused by its path, never passed over.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import yaml

from tiphys.base.name_rules import dns1123_subdomain
from tiphys.base.quantity import parse
from tiphys.cluster import feature_gates
from tiphys.cluster.failure import UsageFailure
from tiphys.cluster.settings import Settings
from tiphys.node.simulated.template import NodeTemplate

API_VERSION = "kind.x-k8s.io/v1alpha4"
Check = Callable[[Any, str], Any]
_OURS = (
    "kubernetesVersion",
    "store",
    "tokenFile",
    "clientCAFile",
    "auditPolicyFile",
    "auditLogPath",
    "historySeconds",
    "schedulerConfig",
)
_TOP = ("kind", "apiVersion", "name", "nodes", "networking", "runtimeConfig", "featureGates", "tiphys")


def read(path: Path, settings: Settings) -> Settings:
    """`settings` with what the file says put over them. Raises UsageFailure naming the field."""
    try:
        loaded = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageFailure(f"--config {path}: {error}".replace("\n", " ")) from None
    top = _fields(loaded, str(path), _TOP)
    if top.get("kind") != "Cluster" or top.get("apiVersion") != API_VERSION:
        raise UsageFailure(f"{path}: must be kind: Cluster, apiVersion: {API_VERSION}")
    networking = _fields(
        top.get("networking"), "networking", ("apiServerAddress", "apiServerPort", "podSubnet", "serviceSubnet")
    )
    ours = _fields(top.get("tiphys"), "tiphys", _OURS)
    files = _relative_to(path.parent)
    version = _value(ours, "tiphys", "kubernetesVersion", _version)
    return settings.with_overrides(
        name=_value(top, "", "name", _text),
        nodes=_nodes(top["nodes"]) if "nodes" in top else None,
        address=_value(networking, "networking", "apiServerAddress", _text),
        port=_value(networking, "networking", "apiServerPort", _port),
        pod_subnet=_value(networking, "networking", "podSubnet", _network),
        service_subnet=_value(networking, "networking", "serviceSubnet", _network),
        runtime_config=_value(top, "", "runtimeConfig", _switches),
        feature_gates=_value(top, "", "featureGates", _feature_gates),
        minor=version,
        store=_value(ours, "tiphys", "store", _text),
        token_file=_value(ours, "tiphys", "tokenFile", files),
        client_ca_file=_value(ours, "tiphys", "clientCAFile", files),
        audit_policy_file=_value(ours, "tiphys", "auditPolicyFile", files),
        audit_log_path=_value(ours, "tiphys", "auditLogPath", files),
        scheduler_config=_value(ours, "tiphys", "schedulerConfig", _scheduler_config(files)),
        history_seconds=_value(ours, "tiphys", "historySeconds", _seconds),
    )


def parse_version(text: str) -> int:
    """The minor of `1.37`, `v1.37` or `v1.37.2`. Raises ValueError."""
    parts = text.removeprefix("v").split(".")
    if len(parts) not in (2, 3) or parts[0] != "1" or not all(part.isdigit() for part in parts):
        raise ValueError(f"Kubernetes version {text!r} is not of the form 1.37")
    return int(parts[1])


def _nodes(value: Any) -> tuple[NodeTemplate, ...]:
    if not isinstance(value, list):
        raise UsageFailure("nodes: must be a list")
    return tuple(_node(entry, f"nodes[{index}]", index) for index, entry in enumerate(value))


def _node(value: Any, path: str, index: int) -> NodeTemplate:
    entry = _fields(value, path, ("role", "labels", "name", "cpu", "memory", "pods", "extended"))
    role = entry.get("role", "worker")
    if role not in ("worker", "control-plane"):
        raise UsageFailure(f"{path}.role: must be worker or control-plane, not {role!r}")
    name = _value(entry, path, "name", _node_name) or f"{role}-{index + 1}"
    sizes = {key: _value(entry, path, key, _quantity) for key in ("cpu", "memory", "pods")}
    return NodeTemplate(
        name=name,
        role=role,
        labels=_value(entry, path, "labels", _texts) or {},
        extended=_value(entry, path, "extended", _quantities) or {},
        **{key: size for key, size in sizes.items() if size is not None},
    )


def _fields(value: Any, path: str, known: tuple[str, ...]) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UsageFailure(f"{path}: must be a mapping")
    for key in value:
        if key not in known:
            raise UsageFailure(f"{path}: field {key!r} is not supported; supported are {', '.join(known)}")
    return value


def _value(mapping: dict[str, Any], path: str, key: str, check: Check) -> Any:
    if mapping.get(key) is None:
        return None
    return check(mapping[key], f"{path}.{key}".removeprefix("."))


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise UsageFailure(f"{path}: must be a string, not {value!r}")
    return value


def _relative_to(directory: Path) -> Check:
    """Reads paths as the configuration's author means them: from where the configuration is. `-` is no path."""

    def check(value: Any, path: str) -> str:
        text = _text(value, path)
        return text if text in ("", "-") else str((directory / Path(text).expanduser()).absolute())

    return check


def _scheduler_config(files: Check) -> Check:
    """A path, whose file is read once already: better now than when the scheduler starts."""

    def check(value: Any, path: str) -> str:
        from tiphys.scheduler import configuration  # of no use to most commands

        found = str(files(value, path))
        try:
            if found:
                configuration.load(Path(found))
        except ValueError as error:
            raise UsageFailure(f"{path}: {error}") from None
        return found

    return check


def _network(value: Any, path: str) -> str:
    try:
        return str(IPv4Network(_text(value, path)))
    except ValueError as error:
        raise UsageFailure(f"{path}: {error}") from None


def _node_name(value: Any, path: str) -> str:
    errors = dns1123_subdomain(_text(value, path))
    if errors:
        raise UsageFailure(f"{path}: {value!r}: {errors[0]}")
    return str(value)


def _quantity(value: Any, path: str) -> str:
    try:
        return str(parse(str(value)))
    except ValueError as error:
        raise UsageFailure(f"{path}: {value!r}: {error}") from None


def _mapping(value: Any, path: str, check: Check) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageFailure(f"{path}: must be a mapping")
    return {_text(key, path): check(entry, f"{path}.{key}") for key, entry in value.items()}


def _texts(value: Any, path: str) -> dict[str, str]:
    return _mapping(value, path, _text)


def _quantities(value: Any, path: str) -> dict[str, str]:
    return _mapping(value, path, _quantity)


def _switches(value: Any, path: str) -> dict[str, bool]:
    choices = {"true": True, "false": False}

    def check(entry: Any, where: str) -> bool:
        text = str(entry).lower()
        if text not in choices:
            raise UsageFailure(f"{where}: must be true or false, not {entry!r}")
        return choices[text]

    return _mapping(value, path, check)


def _feature_gates(value: Any, path: str) -> dict[str, bool]:
    try:
        return feature_gates.check(_switches(value, path))
    except ValueError as error:
        raise UsageFailure(f"{path}: {error}") from None


def _port(value: Any, path: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 65535:
        raise UsageFailure(f"{path}: must be a port number from 0 to 65535, not {value!r}")
    return value


def _seconds(value: Any, path: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < math.inf:
        raise UsageFailure(f"{path}: must be a number of seconds above 0, not {value!r}")
    return float(value)


def _version(value: Any, path: str) -> int:
    try:
        return parse_version(str(value))
    except ValueError as error:
        raise UsageFailure(f"{path}: {error}") from None

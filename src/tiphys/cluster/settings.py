"""What a cluster is to be: settings from the command line, a file and the last `up`, in that order of weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

DEFAULT_MINOR = 37


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """One simulated node. Quantities are Kubernetes' (`8`, `32Gi`)."""

    name: str
    role: str = "worker"
    """`worker` or `control-plane`."""
    labels: dict[str, str] = field(default_factory=dict)
    cpu: str = "16"
    memory: str = "64Gi"
    pods: str = "110"
    extended: dict[str, str] = field(default_factory=dict)
    """Extended resources, e.g. `{"nvidia.com/gpu": "4"}`."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything `up` needs to know. Saved beside the state, so that a later `up` need not be told again."""

    name: str
    minor: int = DEFAULT_MINOR
    store: str = ""
    """A store URL; empty for SQLite in the cluster's directory."""
    address: str = "127.0.0.1"
    port: int = 0
    """0: 6443 if it is free, else any free port; then kept."""
    kubeconfig: str = ""
    pod_subnet: str = "10.244.0.0/16"
    service_subnet: str = "10.96.0.0/16"
    nodes: tuple[NodeSettings, ...] = ()
    token_file: str = ""
    runtime_config: dict[str, bool] = field(default_factory=dict)
    """API versions switched on or off beyond upstream's defaults, `{"batch/v1alpha1": true}`."""

    def document(self) -> dict[str, Any]:
        return asdict(self)

    def with_overrides(self, **given: Any) -> Settings:
        """A copy with every given value that is not None."""
        return replace(self, **{key: value for key, value in given.items() if value is not None})


def from_document(document: Mapping[str, Any]) -> Settings:
    """The inverse of `Settings.document`; fields of another release are passed over."""
    known = {entry.name for entry in fields(Settings)}
    kept = {key: value for key, value in document.items() if key in known}
    kept["nodes"] = tuple(NodeSettings(**node) for node in kept.get("nodes", ()))
    return Settings(**kept)


def simulated_workers(count: int) -> tuple[NodeSettings, ...]:
    """`count` plain simulated nodes: node-1, node-2 …"""
    return tuple(NodeSettings(name=f"node-{number}") for number in range(1, count + 1))

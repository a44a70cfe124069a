"""What a cluster is to be: settings from the command line, a file and the last `up`, in that order of weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from tiphys.node.simulated.template import NodeTemplate

DEFAULT_MINOR = 37


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
    pod_subnet: str = ""
    """Empty: 10.244.0.0/16, or a larger network where that has no /24 for each node."""
    service_subnet: str = "10.96.0.0/16"
    nodes: tuple[NodeTemplate, ...] = ()
    token_file: str = ""
    client_ca_file: str = ""
    """Certificates of further authorities whose clients are known, besides the cluster's own."""
    audit_policy_file: str = ""
    audit_log_path: str = ""
    """Where audit events are written, `-` for standard output; both or neither."""
    scheduler_config: str = ""
    """A KubeSchedulerConfiguration file."""
    history_seconds: float = 300.0
    """How long a version of an object can still be watched from: kube-apiserver's `--etcd-compaction-interval`."""
    runtime_config: dict[str, bool] = field(default_factory=dict)
    """API versions switched on or off beyond upstream's defaults, as kube-apiserver's `--runtime-config` knows them:
    `group/version`, `group/version/plural`, `api/beta`, `api/alpha`, `api/all`."""
    feature_gates: dict[str, bool] = field(default_factory=dict)
    """Upstream's feature gates switched otherwise than they are by default: see `feature_gates.py`."""

    def document(self) -> dict[str, Any]:
        return asdict(self)

    def pod_network(self) -> str:
        if self.pod_subnet:
            return self.pod_subnet
        return "10.244.0.0/16" if len(self.nodes) <= 256 else "10.128.0.0/9"

    def with_overrides(self, **given: Any) -> Settings:
        """A copy with every given value that is not None."""
        return replace(self, **{key: value for key, value in given.items() if value is not None})


def from_document(document: Mapping[str, Any]) -> Settings:
    """The inverse of `Settings.document`; fields of another release are passed over."""
    known = {entry.name for entry in fields(Settings)}
    kept = {key: value for key, value in document.items() if key in known}
    kept["nodes"] = tuple(NodeTemplate(**node) for node in kept.get("nodes", ()))
    return Settings(**kept)


def simulated_workers(count: int) -> tuple[NodeTemplate, ...]:
    """`count` plain simulated nodes: node-1, node-2 …"""
    return tuple(NodeTemplate(name=f"node-{number}") for number in range(1, count + 1))

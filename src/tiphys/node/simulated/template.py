"""What a simulated node is to look like, and the Node object it registers."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network

from tiphys.base.clock import rfc3339
from tiphys.base.document import Document

CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
_HEALTHY = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)
"""The node conditions and words of a healthy kubelet (kubelet `nodestatus/setters.go`)."""


@dataclass(frozen=True, slots=True)
class NodeTemplate:
    """One simulated node. Quantities are Kubernetes' (`8`, `32Gi`)."""

    name: str
    role: str = "worker"
    """`worker` or `control-plane`; the latter is tainted as kubeadm does it."""
    labels: dict[str, str] = field(default_factory=dict)
    cpu: str = "16"
    memory: str = "64Gi"
    pods: str = "110"
    extended: dict[str, str] = field(default_factory=dict)
    """Extended resources, e.g. `{"nvidia.com/gpu": "4"}`."""


def node_document(template: NodeTemplate, subnet: IPv4Network) -> Document:
    """The Node as it registers, before its first status."""
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": template.name,
        "kubernetes.io/os": "linux",
        **({CONTROL_PLANE: ""} if template.role == "control-plane" else {}),
        **template.labels,
    }
    spec: Document = {"podCIDR": str(subnet), "podCIDRs": [str(subnet)]}
    if template.role == "control-plane":
        spec["taints"] = [{"key": CONTROL_PLANE, "effect": "NoSchedule"}]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": template.name, "labels": labels, "annotations": {"node.tiphys.dev/simulated": "true"}},
        "spec": spec,
    }


def node_status(template: NodeTemplate, address: IPv4Address, version: str, now: float, since: float) -> Document:
    """The status of a healthy node; `since` is when it became so (seconds since the epoch)."""
    resources = {
        "cpu": template.cpu,
        "ephemeral-storage": "100Gi",
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "memory": template.memory,
        "pods": template.pods,
        **template.extended,
    }
    return {
        "addresses": [
            {"type": "InternalIP", "address": str(address)},
            {"type": "Hostname", "address": template.name},
        ],
        "allocatable": resources,
        "capacity": resources,
        "conditions": [
            {
                "type": kind,
                "status": status,
                "reason": reason,
                "message": message,
                "lastHeartbeatTime": rfc3339(now),
                "lastTransitionTime": rfc3339(since),
            }
            for kind, status, reason, message in _HEALTHY
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": "",
            "containerRuntimeVersion": "simulated://tiphys",
            "kernelVersion": "simulated",
            "kubeProxyVersion": version,
            "kubeletVersion": version,
            "machineID": "",
            "operatingSystem": "linux",
            "osImage": "Tiphys simulated node",
            "systemUUID": "",
        },
    }

"""Services, nodes and pods as the tests of endpoints controllers need them."""

from __future__ import annotations

from typing import Any

from tiphys.base.document import Document


def service(name: str = "web", **spec: Any) -> Document:
    port = {"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}
    defaults = {"clusterIP": "10.96.0.10", "ipFamilies": ["IPv4"], "ports": [port], "selector": {"app": name}}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": {"team": "a"}},
        "spec": {field: value for field, value in (defaults | spec).items() if value is not None},
    }


def node(name: str = "n1", zone: str = "") -> Document:
    labels = {"topology.kubernetes.io/zone": zone} if zone else {}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": {}}


def pod(number: int, app: str = "web", ready: bool = True, phase: str = "Running", **spec: Any) -> Document:
    ip = f"10.0.{number // 250}.{number % 250 + 1}"
    condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": "2030-01-01T00:00:00Z"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{app}-{number}", "labels": {"app": app, "pod-template-hash": "abc"}},
        "spec": {"nodeName": "n1", "containers": [{"name": "c", "image": "i"}], **spec},
        "status": {"phase": phase, "podIP": ip, "podIPs": [{"ip": ip}], "conditions": [condition]},
    }

"""The objects that clients make in these tests, as plain documents."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]


def namespace(name: str, **labels: str) -> Document:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def config_map(name: str, labels: dict[str, str] | None = None, /, **data: str) -> Document:
    metadata: Document = {"name": name} | ({"labels": labels} if labels else {})
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def deployment(name: str, replicas: int = 1, image: str = "nginx:1.22.0") -> Document:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"terminationGracePeriodSeconds": 0, "containers": [container(image)]},
            },
        },
    }


def pod(name: str, labels: dict[str, str] | None = None, **spec: Any) -> Document:
    metadata: Document = {"name": name} | ({"labels": labels} if labels else {})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [container()], **spec},
    }


def container(image: str = "nginx:1.22.0") -> Document:
    return {"name": "main", "image": image, "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}}}


def event(name: str, involved: Document, reason: str) -> Document:
    """An event that a client of the core API posts about an object."""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": involved["metadata"]["namespace"]},
        "involvedObject": {
            "apiVersion": involved.get("apiVersion", "v1"),
            "kind": involved["kind"],
            "namespace": involved["metadata"]["namespace"],
            "name": involved["metadata"]["name"],
            "uid": involved["metadata"]["uid"],
        },
        "reason": reason,
        "message": f"{reason} happened",
        "type": "Normal",
        "source": {"component": "client-tests"},
        "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": "2026-01-01T00:00:00Z",
        "count": 1,
    }

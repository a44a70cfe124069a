"""What every cluster has from its first moment: system namespaces, priority classes, the `kubernetes` Service."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from ipaddress import IPv4Network

from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.client import Client
from tiphys.client.informers import Informers
from tiphys.cluster import kubernetes_endpoints

NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
_PRIORITIES = (
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
)


async def ensure(client: Client, service_subnet: str, address: str, port: int) -> None:
    """Create what is missing; of what is there only the endpoints of `kubernetes` change, if the server
    at `address` and `port` is another than they say. Raises StatusError."""
    await asyncio.gather(*(_create(client, "v1", "namespaces", _namespace(name)) for name in NAMESPACES))
    objects = [_create(client, "scheduling.k8s.io/v1", "priorityclasses", _priority(*entry)) for entry in _PRIORITIES]
    service = _kubernetes_service(str(next(IPv4Network(service_subnet).hosts())), port)
    endpoints = kubernetes_endpoints.publish(client, kubernetes_endpoints.advertised(address), port)
    await asyncio.gather(*objects, _create(client, "v1", "services", service, "default"), endpoints)


async def nodes_ready(informers: Informers, names: Iterable[str]) -> None:
    """Wait until every node is Ready and free of the taint that says otherwise."""
    nodes = informers.of("v1", "nodes")
    missing = set(names)
    done = asyncio.Event()

    def look(node: Document) -> None:
        if is_ready(node) and not _is_tainted(node):
            missing.discard(node["metadata"]["name"])
        if not missing:
            done.set()

    handlers = nodes.add_handlers(add=look, update=lambda old, new: look(new))
    try:
        await done.wait()
    finally:
        nodes.remove_handlers(handlers)


async def _create(client: Client, api_version: str, plural: str, document: Document, namespace: str = "") -> None:
    """Look first: a Service's address is refused as taken before its name is."""
    try:
        await client.get(api_version, plural, document["metadata"]["name"], namespace)
    except StatusError as error:
        if error.code != 404:
            raise
        await client.create(api_version, plural, {"apiVersion": api_version, **document}, namespace)


def _namespace(name: str) -> Document:
    return {"kind": "Namespace", "metadata": {"name": name}}


def _priority(name: str, value: int, description: str) -> Document:
    return {"kind": "PriorityClass", "metadata": {"name": name}, "value": value, "description": description}


def _kubernetes_service(address: str, port: int) -> Document:
    return {
        "kind": "Service",
        "metadata": {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}},
        "spec": {
            "type": "ClusterIP",
            "clusterIP": address,
            "clusterIPs": [address],
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": port}],
            "sessionAffinity": "None",
        },
    }


def is_ready(node: Document) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or ()
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def _is_tainted(node: Document) -> bool:
    return any(taint["key"] == "node.kubernetes.io/not-ready" for taint in node["spec"].get("taints") or ())

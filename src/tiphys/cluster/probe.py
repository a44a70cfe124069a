"""A look at a running cluster from outside, as any client has it."""

from __future__ import annotations

from typing import Any

from tiphys.base.status import StatusError
from tiphys.client.client import Client
from tiphys.client.cluster_access import from_document
from tiphys.client.https import HttpsTransport
from tiphys.cluster import kubeconfig_entry
from tiphys.cluster.directory import ClusterDirectory
from tiphys.cluster.settings import Settings
from tiphys.cluster.system_objects import is_ready


async def look(directory: ClusterDirectory, settings: Settings) -> dict[str, Any]:
    """`ready` and, if it is, version and counts; else `why` not."""
    access = from_document(kubeconfig_entry.admin(directory, settings), directory.pki)
    client = Client(HttpsTransport(access))
    try:
        nodes = await client.list_all("v1", "nodes")
        pods = await client.list("v1", "pods", limit=1)
        version = await client.read("/version")
    except (OSError, StatusError) as error:
        return {"ready": False, "why": str(error)}
    finally:
        await client.close()
    ready = sum(1 for node in nodes["items"] if is_ready(node))
    count = len(pods["items"]) + int(pods["metadata"].get("remainingItemCount") or 0)
    return {
        "ready": True,
        "version": version["gitVersion"],
        "nodes": len(nodes["items"]),
        "nodesReady": ready,
        "pods": count,
    }

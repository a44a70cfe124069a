"""A Deployment to all Running: `python bench/rollout.py [--pods 5000] [--nodes 100]`.

Everything works here at once: the API server, the Deployment and ReplicaSet controllers, the scheduler and the
simulated nodes, in one process. The clock runs from the Deployment's creation to its `readyReplicas` being whole.
`cpu` is the server's processor time a pod, `writes` the revisions it took a pod.
"""

from __future__ import annotations

import argparse
import json
import ssl
import time
import urllib.request
from typing import Any

from cluster import TOKEN, Cluster, running

TARGET = 300.0
"""Pods a second to Running. KWOK says 20, scheduler_perf's floor for scheduling alone is 680."""
LABELS = {"app": "web"}
CONTAINER = {
    "name": "web",
    "image": "registry.example/web:1.0",
    "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"cpu": "1", "memory": "64Mi"}},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pods", type=int, default=5_000)
    parser.add_argument("--nodes", type=int, default=100)
    given = parser.parse_args()
    with running(given.nodes) as cluster:
        print(f"start to ready with {given.nodes} nodes: {cluster.ready:.2f} s, {cluster.memory():.0f} MB")
        _rollout(cluster, given.pods)


def _rollout(cluster: Cluster, pods: int) -> None:
    before, used, began = _revision(cluster), cluster.processor(), time.perf_counter()
    path = "/apis/apps/v1/namespaces/default/deployments"
    _ask(cluster, path, json.dumps(_deployment(pods)).encode())
    while _ask(cluster, f"{path}/web").get("status", {}).get("readyReplicas", 0) < pods:
        time.sleep(0.2)
    seconds = time.perf_counter() - began
    rate, cost = pods / seconds, (cluster.processor() - used) / pods * 1e6
    writes = (_revision(cluster) - before) / pods
    print(
        f"{pods} pods Running: {seconds:.1f} s, {rate:.0f} pods/s ({rate / TARGET:.2f} x the target of {TARGET:.0f})"
    )
    print(f"cpu {cost:.0f} µs a pod (at best {1e6 / cost:.0f} pods/s), writes {writes:.2f} a pod")
    print(f"memory {cluster.memory():.0f} MB")


def _deployment(pods: int) -> dict[str, Any]:
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [CONTAINER]}}
    spec = {"replicas": pods, "selector": {"matchLabels": LABELS}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def _revision(cluster: Cluster) -> int:
    return int(_ask(cluster, "/api/v1/namespaces?limit=1")["metadata"]["resourceVersion"])


def _ask(cluster: Cluster, path: str, body: bytes | None = None) -> dict[str, Any]:
    request = urllib.request.Request(cluster.server + path, body)
    request.add_header("Authorization", f"Bearer {TOKEN}")
    request.add_header("Content-Type", "application/json")
    context = ssl.create_default_context(cafile=cluster.ca)
    with urllib.request.urlopen(request, context=context) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


if __name__ == "__main__":
    main()

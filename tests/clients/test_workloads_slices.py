"""Services lead to their pods, and `kubectl drain` waits for disruption budgets, told by three kubectls."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.clients.conftest import Kubectl, RunningCluster


def until(look: Callable[[], Any], seconds: float = 20) -> Any:
    """What `look` finds, as soon as it finds something true."""
    ends = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < ends, f"still {found!r} after {seconds} s"
        time.sleep(0.05)
    return found


@pytest.fixture
def web(kubectl: Kubectl, namespace: str) -> str:
    """Three pods behind a service, in a namespace of their own."""
    kubectl("-n", namespace, "create", "deployment", "web", "--image=nginx")
    kubectl("-n", namespace, "scale", "deployment", "web", "--replicas=3")
    kubectl("-n", namespace, "rollout", "status", "deployment", "web")
    kubectl("-n", namespace, "expose", "deployment", "web", "--port=80", "--target-port=8080")
    return namespace


def addresses_of_pods(kubectl: Kubectl, namespace: str) -> list[str]:
    pods = kubectl.json("-n", namespace, "get", "pods")["items"]
    return sorted(pod["status"]["podIP"] for pod in pods if not pod["metadata"].get("deletionTimestamp"))


def test_a_service_leads_to_its_pods(kubectl: Kubectl, web: str) -> None:
    """Endpoints and one EndpointSlice with the same addresses, and they follow the pods."""

    def endpoints() -> list[str]:
        found = kubectl.json("-n", web, "get", "endpoints", "web").get("subsets") or []
        return sorted(each["ip"] for subset in found for each in subset.get("addresses") or ())

    def slices() -> list[str]:
        listed = kubectl.json(
            "-n", web, "get", "endpointslices.discovery.k8s.io", "-l", "kubernetes.io/service-name=web"
        )
        assert len(listed["items"]) == 1
        return sorted(ip for each in listed["items"][0]["endpoints"] or () for ip in each["addresses"])

    until(lambda: len(endpoints()) == len(slices()) == 3)
    assert endpoints() == slices() == addresses_of_pods(kubectl, web)
    shown = kubectl("-n", web, "describe", "service", "web")
    (line,) = [line for line in shown.splitlines() if line.startswith("Endpoints:")]
    assert line.count(":8080") == 3
    kubectl("-n", web, "scale", "deployment", "web", "--replicas=1")
    until(lambda: endpoints() == slices() == addresses_of_pods(kubectl, web) and len(endpoints()) == 1)
    kubectl("-n", web, "delete", "service", "web")
    gone = ("-n", web, "get", "endpoints,endpointslices.discovery.k8s.io", "-o", "name")
    until(lambda: not kubectl(*gone).strip())


def test_endpoints_by_hand_are_mirrored(kubectl: Kubectl, namespace: str) -> None:
    documents = [
        {"kind": "Service", "spec": {"ports": [{"port": 80}]}},
        {"kind": "Endpoints", "subsets": [{"addresses": [{"ip": "192.0.2.9"}], "ports": [{"port": 8080}]}]},
    ]
    for document in documents:
        full = {"apiVersion": "v1", "metadata": {"name": "db"}, **document}
        kubectl("-n", namespace, "create", "-f", "-", stdin=json.dumps(full))
    get = ("-n", namespace, "get", "endpointslices.discovery.k8s.io")
    (made,) = until(lambda: kubectl.json(*get)["items"])
    assert made["endpoints"][0]["addresses"] == ["192.0.2.9"]
    manager = made["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"]
    assert manager == "endpointslicemirroring-controller.k8s.io"


def test_the_api_server_is_behind_the_kubernetes_service(kubectl: Kubectl, cluster: RunningCluster) -> None:
    """The port is the server's own; the address is the machine's, as loopback addresses are no endpoints."""
    (subset,) = kubectl.json("get", "endpoints", "kubernetes")["subsets"]
    port = int(cluster.server.rpartition(":")[2])
    assert subset["ports"] == [{"name": "https", "port": port, "protocol": "TCP"}]
    made = kubectl.json("get", "endpointslices.discovery.k8s.io", "kubernetes")
    assert made["endpoints"][0]["addresses"] == [subset["addresses"][0]["ip"]]
    assert kubectl.json("get", "service", "kubernetes")["spec"]["ports"][0]["targetPort"] == port


@pytest.fixture
def busy_node(kubectl: Kubectl, web: str) -> Iterator[str]:
    """A node with a pod of the service on it; to be used again after the test."""
    pods = kubectl.json("-n", web, "get", "pods")["items"]
    node: str = pods[0]["spec"]["nodeName"]
    yield node
    kubectl("uncordon", node)


def test_drain_waits_for_the_budget(kubectl: Kubectl, web: str, busy_node: str) -> None:
    """While no disruption is allowed nothing goes; when one is, the node is emptied pod by pod."""
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "web"},
        "spec": {"minAvailable": 3, "selector": {"matchLabels": {"app": "web"}}},
    }
    kubectl("-n", web, "create", "-f", "-", stdin=json.dumps(budget))
    get = ("-n", web, "get", "poddisruptionbudgets.v1.policy", "web")
    until(lambda: kubectl.json(*get)["status"].get("currentHealthy") == 3)
    # The shared cluster has pods of other tests: only ours are drained.
    drain = ("drain", busy_node, "--pod-selector=app=web", "--ignore-daemonsets")
    refused = kubectl.run(*drain, "--timeout=2s")
    assert refused.returncode != 0
    assert "Cannot evict pod as it would violate the pod's disruption budget." in refused.stderr
    kubectl(
        "-n",
        web,
        "patch",
        "poddisruptionbudgets.v1.policy",
        "web",
        "--type=merge",
        "-p",
        '{"spec":{"minAvailable":2}}',
    )
    until(lambda: kubectl.json(*get)["status"]["disruptionsAllowed"] == 1)
    kubectl(*drain, "--timeout=50s")
    pods = kubectl.json("-n", web, "get", "pods")["items"]
    assert all(pod["spec"].get("nodeName") != busy_node for pod in pods)
    kubectl("-n", web, "rollout", "status", "deployment", "web", "--timeout=20s")
    until(lambda: kubectl.json(*get)["status"]["currentHealthy"] == 3)

"""Every supported Kubernetes version boots, serves what it had, and rolls a Deployment out."""

from __future__ import annotations

import pytest

from tests.clients.conftest import RunningCluster, StartCluster, TiphysCommand, kubectl_of
from tiphys.schema.definitions import SUPPORTED_MINORS

SINCE = {"validatingadmissionpolicies.admissionregistration.k8s.io": 30, "servicecidrs.networking.k8s.io": 33}
"""When a resource became served without being asked for (Kubernetes' release notes)."""

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx, resources: {requests: {cpu: 100m}}}]}
"""


@pytest.mark.parametrize("minor", SUPPORTED_MINORS)
def test_a_version(start_cluster: StartCluster, tiphys: TiphysCommand, minor: int) -> None:
    name = f"v1-{minor}"
    cluster: RunningCluster = start_cluster(name, "--simulate", "1", "--kubernetes-version", f"1.{minor}")
    kubectl = kubectl_of("1.37" if minor > 31 else "1.32", cluster)
    assert kubectl.json("version")["serverVersion"]["gitVersion"].startswith(f"v1.{minor}.")
    served = set(kubectl("api-resources", "-o", "name").split())
    assert {resource: resource in served for resource in SINCE} == {r: minor >= since for r, since in SINCE.items()}
    kubectl("apply", "-f", "-", stdin=DEPLOYMENT)
    kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    assert kubectl.json("get", "deployment", "web")["status"]["readyReplicas"] == 2
    cluster.command("down", "--name", name)

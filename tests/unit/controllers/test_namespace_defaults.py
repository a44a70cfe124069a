"""What every namespace has: the default service account and the cluster's CA certificate."""

from __future__ import annotations

from typing import Any

from tiphys.controllers.root_ca_publisher import CONTROLLER as ROOT_CA
from tiphys.controllers.service_account import CONTROLLER as ACCOUNTS


async def test_default_service_account(cluster: Any) -> None:
    def names() -> list[str]:
        return [each["metadata"]["name"] for each in cluster.api.of("serviceaccounts")]

    async with cluster.running(ACCOUNTS):
        await cluster.client.create("v1", "namespaces", {"metadata": {"name": "team"}})
        await cluster.api.until(lambda: names() == ["default"])
        first = cluster.api.of("serviceaccounts")[0]["metadata"]["uid"]
        await cluster.client.delete("v1", "serviceaccounts", "default", "team")
        await cluster.api.until(lambda: names() == ["default"])
        assert cluster.api.of("serviceaccounts")[0]["metadata"]["uid"] != first


async def test_root_ca(cluster: Any) -> None:
    def data() -> Any:
        return [each["data"] for each in cluster.api.of("configmaps")]

    wanted = [{"ca.crt": "PEM"}]
    async with cluster.running(ROOT_CA, options={"root-ca": "PEM"}):
        await cluster.client.create("v1", "namespaces", {"metadata": {"name": "team"}})
        await cluster.api.until(lambda: data() == wanted)
        await cluster.client.patch("v1", "configmaps", "kube-root-ca.crt", {"data": {"ca.crt": "forged"}}, "team")
        await cluster.api.until(lambda: data() == wanted)
        await cluster.client.delete("v1", "configmaps", "kube-root-ca.crt", "team")
        await cluster.api.until(lambda: data() == wanted)

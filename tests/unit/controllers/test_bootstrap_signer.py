"""Signatures of cluster-info: `pkg/controller/bootstrap/bootstrapsigner_test.go`, `cluster-bootstrap/token/jws`."""

from __future__ import annotations

import base64
from typing import Any

from tiphys.base.document import Document
from tiphys.controllers.bootstrap_signer import CONTROLLER

SIGNED = "eyJhbGciOiJIUzI1NiIsImtpZCI6Impvc2h1YSJ9..VShe2taLd-YTrmWuRkcL_8QTNDHYxQIEBsAYYiIj1_8"
"""Of this content by this token, from upstream's jws_test.go."""
CONTENT, TOKEN_ID, TOKEN = (
    "Hello from the other side. I must have called a thousand times.",
    "joshua",
    "my voice is my passcode",
)


def _secret(token_id: str, **data: str) -> Document:
    given = {"token-id": token_id, "token-secret": TOKEN, "usage-bootstrap-signing": "true"}
    encoded = {k: base64.b64encode(v.encode()).decode() for k, v in {**given, **data}.items()}
    return {
        "metadata": {"name": f"bootstrap-token-{token_id}"},
        "type": "bootstrap.kubernetes.io/token",
        "data": encoded,
    }


async def test_the_content_is_signed_with_every_token_that_may(cluster: Any) -> None:
    secrets = [_secret(TOKEN_ID), _secret("barfoo", **{"usage-bootstrap-signing": "no"})]
    secrets.append(_secret("abcdef", expiration="2001-01-01T00:00:00Z"))
    for secret in secrets:
        await cluster.client.create("v1", "secrets", secret, "kube-system")
    data = {"kubeconfig": CONTENT, "jws-kubeconfig-abcdef": "old"}
    config_map = {"metadata": {"name": "cluster-info"}, "data": data}
    await cluster.client.create("v1", "configmaps", config_map, "kube-public")
    key = ("", "configmaps", "kube-public", "cluster-info")
    async with cluster.running(CONTROLLER):
        signed = {"kubeconfig": CONTENT, f"jws-kubeconfig-{TOKEN_ID}": SIGNED}
        await cluster.api.until(lambda: cluster.api.objects[key]["data"] == signed)
        await cluster.client.delete("v1", "secrets", f"bootstrap-token-{TOKEN_ID}", "kube-system")
        await cluster.api.until(lambda: cluster.api.objects[key]["data"] == {"kubeconfig": CONTENT})


async def test_without_content_there_is_nothing_to_sign(cluster: Any) -> None:
    await cluster.client.create("v1", "configmaps", {"metadata": {"name": "cluster-info"}}, "kube-public")
    async with cluster.running(CONTROLLER):
        await cluster.client.create("v1", "secrets", _secret(TOKEN_ID), "kube-system")
        await cluster.settle()
    assert ("update", "configmaps") not in cluster.api.requests

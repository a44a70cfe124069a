"""Bootstrap tokens that have run out: `pkg/controller/bootstrap/tokencleaner_test.go`."""

from __future__ import annotations

import base64
from typing import Any

from tiphys.base.clock import rfc3339
from tiphys.base.document import Document
from tiphys.controllers.token_cleaner import CONTROLLER


def _token(name: str, expiration: str = "") -> Document:
    data = {"expiration": base64.b64encode(expiration.encode()).decode()} if expiration else {}
    return {"kind": "Secret", "metadata": {"name": name}, "type": "bootstrap.kubernetes.io/token", "data": data}


async def test_tokens_go_when_they_have_run_out(cluster: Any) -> None:
    now = cluster.clock.now()
    for secret in (
        _token("past", rfc3339(now - 1)),
        _token("nonsense", "soon"),
        _token("future", rfc3339(now + 3600)),
        _token("endless"),
    ):
        await cluster.client.create("v1", "secrets", secret, "kube-system")

    def names() -> list[str]:
        return [secret["metadata"]["name"] for secret in cluster.api.of("secrets")]

    async with cluster.running(CONTROLLER):
        await cluster.api.until(lambda: names() == ["endless", "future"])
        await cluster.pass_time(3700, step=1000)
        await cluster.api.until(lambda: names() == ["endless"])

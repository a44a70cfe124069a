"""The HTTPS transport against the project's own server, with certificates made for the test."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from tiphys.base.clock import SystemClock
from tiphys.base.http import Request, Response
from tiphys.base.status import StatusError, expired
from tiphys.client.client import Client
from tiphys.client.cluster_access import AccessError, ClusterAccess, from_kubeconfig
from tiphys.client.https import HttpsTransport
from tiphys.pki import cluster_certificates, kubeconfig
from tiphys.server.app import App
from tiphys.server.listener import Server
from tiphys.server.tls import server_context


@dataclass
class Api:
    """Answers with what it was asked; `/watch` counts, then waits."""

    seen: list[Request] = field(default_factory=list)

    async def __call__(self, request: Request) -> Response:
        self.seen.append(request)
        if "watch=1" in request.query:
            if "resourceVersion=0" in request.query:
                return Response(410, orjson.dumps(expired("too old").document()))
            return Response(200, self._events())
        told = {"method": request.method, "path": request.path, "query": request.query, "size": len(request.body)}
        return Response(200, orjson.dumps(told))

    async def _events(self) -> AsyncIterator[bytes]:
        for number in range(3):
            yield orjson.dumps({"type": "ADDED", "object": {"n": number}}) + b"\n"
        await asyncio.Event().wait()


@dataclass
class Served:
    api: Api
    access: ClusterAccess
    file: Path
    server: Server


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    found = cluster_certificates.ensure(tmp_path / "pki", "test", ["127.0.0.1"], time.time())
    certificate, key = found.server_files
    api = Api()
    tls = server_context(str(certificate), str(key), str(found.ca_file))
    server = Server(App(api), tls=tls, clock=SystemClock())
    port = await server.listen()
    file = tmp_path / "config"
    document = kubeconfig.build("test", f"https://127.0.0.1:{port}", found.ca, found.admin)
    file.write_text(yaml.safe_dump(document))
    yield Served(api, from_kubeconfig(file), file, server)
    await server.shutdown()


@pytest.fixture
async def client(served: Served) -> AsyncIterator[Client]:
    found = Client(HttpsTransport(served.access))
    yield found
    await found.close()


async def test_requests_and_answers(served: Served, client: Client) -> None:
    told = await client.read("/apis/rbac/system:node é", {"a": "b c&d"})
    assert told == {"method": "GET", "path": "/apis/rbac/system:node é", "query": "a=b+c%26d", "size": 0}
    big = {"metadata": {"name": "x"}, "data": "y" * 1_000_000}
    assert (await client.create("v1", "configmaps", big, "ns"))["size"] == len(orjson.dumps(big))
    assert served.api.seen[0].certificate is not None
    assert served.api.seen[1].headers["content-type"] == "application/json"


async def test_many_at_once_and_connections_are_kept(served: Served, client: Client) -> None:
    answers = await asyncio.gather(*(client.read(f"/{number}") for number in range(50)))
    assert [answer["path"] for answer in answers] == [f"/{number}" for number in range(50)]
    peers = {request.peer for request in served.api.seen}
    await client.read("/again")
    assert served.api.seen[-1].peer in peers


async def test_watch_and_its_end(client: Client) -> None:
    async with aclosing(client.watch("v1", "pods", resource_version="5")) as events:
        seen = []
        async for kind, document in events:
            seen.append((kind, document["n"]))
            if len(seen) == 3:
                break
    assert seen == [("ADDED", 0), ("ADDED", 1), ("ADDED", 2)]
    with pytest.raises(StatusError) as error:
        async with aclosing(client.watch("v1", "pods", resource_version="0")) as events:
            async for _ in events:
                pass
    assert error.value.code == 410


async def test_a_token_is_sent(served: Served) -> None:
    config = yaml.safe_load(served.file.read_text())
    config["users"][0]["user"] = {"token": "secret"}
    served.file.write_text(yaml.safe_dump(config))
    client = Client(HttpsTransport(from_kubeconfig(served.file)))
    await client.read("/x")
    assert served.api.seen[-1].headers["authorization"] == "Bearer secret"
    assert served.api.seen[-1].certificate is None
    await client.close()


async def test_nobody_there_is_an_os_error(served: Served, client: Client) -> None:
    await client.read("/x")
    await served.server.shutdown()
    with pytest.raises(OSError):
        await client.read("/y")


async def test_a_server_of_another_ca_is_refused(served: Served, tmp_path: Path) -> None:
    other = cluster_certificates.ensure(tmp_path / "other", "other", ["127.0.0.1"], time.time())
    url = f"https://{served.access.host}:{served.access.port}"
    served.file.write_text(yaml.safe_dump(kubeconfig.build("test", url, other.ca, other.admin)))
    client = Client(HttpsTransport(from_kubeconfig(served.file)))
    with pytest.raises(OSError, match="certificate verify failed"):
        await client.read("/x")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"current-context": "nothing"}, 'there is no context "nothing"'),
        ({"clusters": []}, 'there is no cluster "tiphys-test"'),
        (
            {"users": [{"name": "tiphys-test", "user": {"exec": {"command": "x"}}}]},
            "users with exec are not supported",
        ),
        ({"clusters": [{"name": "tiphys-test", "cluster": {"server": "here"}}]}, "'here' is no server URL"),
    ],
)
async def test_a_kubeconfig_that_leads_nowhere_says_why(served: Served, change: dict[str, Any], words: str) -> None:
    config = yaml.safe_load(served.file.read_text())
    served.file.write_text(yaml.safe_dump(config | change))
    with pytest.raises(AccessError, match=words):
        from_kubeconfig(served.file)


async def test_no_kubeconfig_at_all(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match="No such file"):
        from_kubeconfig(tmp_path / "none")
    (tmp_path / "bad").write_text("- a list")
    with pytest.raises(AccessError, match="is no kubeconfig"):
        from_kubeconfig(tmp_path / "bad")

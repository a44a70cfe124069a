"""The HTTPS transport against our own server with TLS on loopback. Expectations are ours."""

from __future__ import annotations

import base64
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tiphys.base.http import Request, Response
from tiphys.base.status import StatusError
from tiphys.client.client import Client
from tiphys.client.https import https_transport
from tiphys.pki import cluster_certificates, kubeconfig
from tiphys.pki.authority import Pair
from tiphys.server.app import App
from tiphys.server.listener import Server
from tiphys.server.tls import server_context


async def _handler(request: Request) -> Response:
    if request.path == "/watch":
        return Response(200, _lines())
    if request.path == "/missing":
        return Response(404, b'{"kind":"Status","code":404,"reason":"NotFound","message":"not here"}')
    certified = b"true" if request.certificate else b"false"
    return Response(
        200, b'{"method":"%b","size":%d,"certified":%b}' % (request.method.encode(), len(request.body), certified)
    )


async def _lines() -> AsyncIterator[bytes]:
    yield b'{"a":1}\n{"a"'
    yield b":2}\n"


@pytest.fixture
async def config(tmp_path: Path) -> AsyncIterator[dict[str, Any]]:
    made = cluster_certificates.ensure(tmp_path, "t", ["127.0.0.1"], time.time())
    certificate, key = made.server_files
    server = Server(App(_handler), tls=server_context(str(certificate), str(key), str(made.ca_file)))
    port = await server.listen()
    yield kubeconfig.build("t", f"https://127.0.0.1:{port}", made.ca, made.admin)
    await server.shutdown(0.1)


async def test_requests_share_a_connection(config: dict[str, Any]) -> None:
    transport = https_transport(config)
    client = Client(transport)
    for _ in range(3):
        assert await client.read("/x", {"a": "b c"}) == {"method": "GET", "size": 0, "certified": True}
    assert len(transport._idle) == 1
    body = b'"' + b"x" * 600_000 + b'"'
    reply = await transport.request("POST", "/x", {}, body)
    assert b'"size":600002' in reply.body
    await client.close()


async def test_a_stream_of_lines(config: dict[str, Any]) -> None:
    transport = https_transport(config)
    assert [line async for line in transport.stream("/watch", {}) if line] == [b'{"a":1}', b'{"a":2}']
    await transport.close()


async def test_errors_are_the_servers_words(config: dict[str, Any]) -> None:
    transport = https_transport(config)
    with pytest.raises(StatusError, match="not here"):
        await Client(transport).read("/missing")
    with pytest.raises(StatusError, match="not here"):
        _ = [line async for line in transport.stream("/missing", {})]
    await transport.close()


async def test_a_kept_connection_that_is_closed_is_replaced(config: dict[str, Any]) -> None:
    transport = https_transport(config)
    await transport.request("GET", "/x", {})
    transport._idle[0].writer.close()
    await transport._idle[0].writer.wait_closed()
    assert (await transport.request("GET", "/x", {})).status == 200
    await transport.close()


async def test_a_foreign_authority_is_refused(config: dict[str, Any], tmp_path: Path) -> None:
    other = cluster_certificates.ensure(tmp_path / "other", "o", ["127.0.0.1"], time.time())
    config["clusters"][0]["cluster"]["certificate-authority-data"] = base64.b64encode(other.ca).decode()
    with pytest.raises(ssl.SSLCertVerificationError):
        await https_transport(config).request("GET", "/x", {})


async def test_nobody_there() -> None:
    config = kubeconfig.build("t", "http://127.0.0.1:1", b"", Pair(b"", b""))
    with pytest.raises(OSError, match=r"refused|failed"):
        await https_transport(config).request("GET", "/x", {})

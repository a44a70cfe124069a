"""TLS and the scope's `tls` extension (asgiref, specs/tls.rst)."""

from __future__ import annotations

import asyncio
import ssl

import pytest
from tests.unit.server.conftest import Authority
from tests.unit.server.test_http1 import answer, request

from tiphys.server.tls import CLIENT_CERTIFICATE_DER


async def scope_of(serving, certificate: str = "") -> dict:
    seen = []

    async def app(scope, receive, send):
        seen.append(scope)
        await answer(send, b"ok")

    await serving.start(app)
    client = await serving.connect(certificate)
    await client.send(request() + request())
    await client.answer()
    await client.answer()
    assert seen[0]["extensions"]["tls"] is seen[1]["extensions"]["tls"], "made once a connection"
    return seen[0]


async def test_a_client_certificate_is_told(serving, authority):
    scope = await scope_of(serving, str(authority.directory / "alice"))
    tls = scope["extensions"]["tls"]
    pem = (authority.directory / "alice.crt").read_text()
    assert tls["client_cert_chain"] == [pem]
    assert tls["client_cert_name"] == "CN=alice,O=system:masters,O=developers"
    assert tls[CLIENT_CERTIFICATE_DER] == ssl.PEM_cert_to_DER_cert(pem)
    assert tls["tls_version"] == 0x0304 and isinstance(tls["cipher_suite"], int)
    assert scope["scheme"] == "https" and scope["client"][0] == "127.0.0.1"


async def test_without_a_client_certificate_there_is_none(serving):
    tls = (await scope_of(serving))["extensions"]["tls"]
    assert tls["client_cert_chain"] == [] and tls["client_cert_name"] is None
    assert tls[CLIENT_CERTIFICATE_DER] is None


async def test_a_certificate_of_another_authority_is_refused(serving, tmp_path):
    async def app(scope, receive, send):
        await answer(send, b"ok")

    await serving.start(app)
    stranger = Authority(tmp_path, "other").issue("mallory", "system:masters")
    with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
        client = await serving.connect(stranger)
        await client.send(request())
        await client.answer()


async def test_tls_1_1_is_refused(serving):
    await serving.start(None)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.maximum_version = ssl.TLSVersion.TLSv1_1

    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection("127.0.0.1", serving.port, ssl=context)


async def test_http_1_1_is_what_is_negotiated(serving):
    await serving.start(None)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])

    _, writer = await asyncio.open_connection("127.0.0.1", serving.port, ssl=context)
    assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
    writer.transport.abort()

"""Certificates change without a restart (ours; upstream's `dynamiccertificates` polls once a minute and watches)."""

from __future__ import annotations

import asyncio
import os
import ssl
from pathlib import Path

import pytest
from tests.unit.server.conftest import Authority
from tests.unit.server.test_http1 import answer, request

from tiphys.server.tls_files import TlsFiles


class Clock:
    """Each sleep waits for a turn to be given, and tells that the one before is over."""

    def __init__(self) -> None:
        self.turns = asyncio.Semaphore(0)
        self.asleep = asyncio.Semaphore(0)

    def now(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.asleep.release()
        await self.turns.acquire()

    async def turn(self) -> None:
        self.turns.release()
        await self.asleep.acquire()


@pytest.fixture
def bundle(authority, tmp_path: Path) -> Path:
    path = tmp_path / "client-ca.pem"
    path.write_bytes((authority.directory / "ca.crt").read_bytes())
    return path


def files_of(authority: Authority, bundle: Path) -> TlsFiles:
    return TlsFiles(*(str(authority.directory / name) for name in ("server.crt", "server.key")), (str(bundle),))


async def serve(scope, receive, send):
    await answer(send, b"ok")


async def test_another_bundle_lets_others_in_and_the_former_out(serving, authority, bundle, tmp_path):
    server = await serving.start(serve)
    clock, files = Clock(), files_of(authority, bundle)
    following = asyncio.create_task(files.follow(server.renew, clock))
    await clock.asleep.acquire()
    other = Authority(tmp_path, "other")
    bob, alice = other.issue("bob"), str(authority.directory / "alice")
    former = await serving.connect(alice)
    await former.send(request())
    assert (await former.answer())[0] == 200

    bundle.write_bytes((tmp_path / "other.crt").read_bytes())
    await clock.turn()
    assert await former.rest() == b"", "who is there must come again"
    client = await serving.connect(bob)
    await client.send(request())
    assert (await client.answer())[0] == 200
    with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
        client = await serving.connect(alice)
        await client.send(request())
        await client.answer()
    following.cancel()


async def test_files_that_cannot_be_used_change_nothing(serving, authority, bundle, caplog):
    server = await serving.start(serve)
    clock, files = Clock(), files_of(authority, bundle)
    following = asyncio.create_task(files.follow(server.renew, clock))
    await clock.asleep.acquire()
    bundle.write_text("junk")
    await clock.turn()
    assert "certificates stay as they were" in caplog.text
    os.unlink(bundle)
    await clock.turn()
    client = await serving.connect(str(authority.directory / "alice"))
    await client.send(request())
    assert (await client.answer())[0] == 200
    following.cancel()


async def test_no_session_is_resumed(serving, authority):
    """A session of before a change would go past the bundles of after it."""
    await serving.start(serve)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.create_default_context(cafile=str(authority.directory / "ca.crt"))
        context.check_hostname, context.maximum_version = False, version
        reader, writer = await asyncio.open_connection("127.0.0.1", serving.port, ssl=context)
        writer.write(request())
        await reader.readuntil(b"ok")
        session = writer.get_extra_info("ssl_object").session
        assert not session.has_ticket
        writer.transport.abort()

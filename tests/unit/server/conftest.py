"""A server on 127.0.0.1 with TLS, and a client that speaks raw HTTP to it."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tiphys.server.limits import Limits
from tiphys.server.listener import Server
from tiphys.server.tls import server_context

SECONDS = 5.0
"""How long a test waits for what must happen at once."""


@dataclass
class Authority:
    """A CA and certificates it signed, as files."""

    directory: Path
    name: str = "ca"
    key: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        self.write(
            self.name, self._certificate(self._subject(self.name, ()), self.key.public_key(), ca=True), self.key
        )

    def issue(self, name: str, *groups: str) -> str:
        """Write `name`.crt and `name`.key; returns the path without its ending."""
        key = ec.generate_private_key(ec.SECP256R1())
        self.write(name, self._certificate(self._subject(name, groups), key.public_key(), ca=False), key)
        return str(self.directory / name)

    def write(self, name: str, certificate: x509.Certificate, key: Any) -> None:
        pem = serialization.Encoding.PEM
        secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (self.directory / f"{name}.crt").write_bytes(certificate.public_bytes(pem))
        (self.directory / f"{name}.key").write_bytes(secret)

    def _subject(self, name: str, groups: tuple[str, ...]) -> x509.Name:
        organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
        return x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, name)])

    def _certificate(self, subject: x509.Name, public_key: Any, *, ca: bool) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject(self.name, ()))
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )
        if ca:
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, critical=True)
        return builder.sign(self.key, hashes.SHA256())


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("pki"))
    made.issue("server")
    made.issue("alice", "developers", "system:masters")
    return made


class RawClient:
    """Bytes out, bytes in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def until(self, mark: bytes) -> bytes:
        async with asyncio.timeout(SECONDS):
            return await self.reader.readuntil(mark)

    async def rest(self) -> bytes:
        """Everything until the server closes; a reset counts as the end."""
        got = b""
        async with asyncio.timeout(SECONDS):
            try:
                while piece := await self.reader.read(65536):
                    got += piece
            except (ConnectionError, ssl.SSLError):
                pass
        return got

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """One whole answer: status, headers in lower case, body."""
        lines = (await self.until(b"\r\n\r\n")).decode().split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:] if line)}
        if headers.get("transfer-encoding") == "chunked":
            body = await self._chunks()
        else:
            async with asyncio.timeout(SECONDS):
                body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return int(lines[0].split()[1]), headers, body

    async def _chunks(self) -> bytes:
        body = b""
        while size := int(await self.until(b"\r\n"), 16):
            async with asyncio.timeout(SECONDS):
                body += (await self.reader.readexactly(size + 2))[:-2]
        await self.until(b"\r\n")
        return body


class Serving:
    """Servers and clients of one test, and what the loop complained of."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.complaints: list[dict[str, Any]] = []
        self.servers: list[Server] = []
        self.clients: list[RawClient] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: self.complaints.append(context))

    async def start(self, app: Any, limits: Limits | None = None, *, tls: bool = True) -> Server:
        directory = self.authority.directory
        files = [str(directory / name) for name in ("server.crt", "server.key", "ca.crt")]
        server = Server(app, tls=server_context(*files) if tls else None, limits=limits or Limits(linger_seconds=0.2))
        self.port = await server.listen()
        self.servers.append(server)
        self.tls = tls
        return server

    async def connect(self, certificate: str = "", ca: str = "", *, limit: int = 2**16) -> RawClient:
        context = None
        if self.tls:
            context = ssl.create_default_context(cafile=ca or str(self.authority.directory / "ca.crt"))
            context.check_hostname = False
            if certificate:
                context.load_cert_chain(f"{certificate}.crt", f"{certificate}.key")
        streams = await asyncio.open_connection("127.0.0.1", self.port, ssl=context, limit=limit)
        self.clients.append(RawClient(*streams))
        return self.clients[-1]

    async def close(self) -> None:
        for client in self.clients:
            client.writer.transport.abort()
        for server in self.servers:
            await server.shutdown(0.0)


@pytest.fixture
async def serving(authority: Authority) -> AsyncIterator[Serving]:
    made = Serving(authority)
    yield made
    await made.close()
    assert made.complaints == []


@pytest.fixture
async def eventually() -> Callable[[Callable[[], bool]], Any]:
    """Wait until a condition holds, giving the loop its turns."""

    async def wait(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(SECONDS):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.001)

    return wait


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Any]:
    """Both loops: uvloop is what serves, asyncio's own is what a debugger or another platform brings."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}

"""The transport over a socket: HTTP/1.1 on asyncio streams, parsed by httptools, TLS as a kubeconfig says.

Idle connections are kept and used again. A request that finds its kept connection closed by the server is sent
once more on a new one, unless part of an answer had come.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httptools

from tiphys.base.document import Document
from tiphys.base.http import JSON
from tiphys.client.client import error_of
from tiphys.client.in_process import lines_of
from tiphys.client.transport import Reply

_CHUNK = 256 * 1024
_IDLE_CONNECTIONS = 16


class _Answer:
    """Callbacks of the parser: the head, and the pieces of the body not yet taken."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.keep_alive = False
        self.content_type = ""
        self.pieces: list[bytes] = []
        self.head = False
        self.done = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"content-type":
            self.content_type = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.head = True

    def on_body(self, piece: bytes) -> None:
        self.pieces.append(piece)

    def on_message_complete(self) -> None:
        self.done = True
        self.keep_alive = self.parser.should_keep_alive()

    @property
    def status(self) -> int:
        return int(self.parser.get_status_code())

    def reply(self) -> Reply:
        return Reply(self.status, b"".join(self.pieces), self.content_type)


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.used = False

    async def send(self, request: bytes) -> _Answer:
        """Returns once the head of the answer is there. Raises OSError or EOFError."""
        self.writer.write(request)
        await self.writer.drain()
        answer = _Answer()
        while not answer.head:
            await self.feed(answer)
        self.used = True
        return answer

    async def finish(self, answer: _Answer) -> Reply:
        while not answer.done:
            await self.feed(answer)
        return answer.reply()

    async def feed(self, answer: _Answer) -> None:
        data = await self.reader.read(_CHUNK)
        if not data:
            raise ConnectionResetError("the server closed the connection")
        answer.parser.feed_data(data)

    def close(self) -> None:
        self.writer.close()


class HttpsTransport:
    """Requests to one server as one identity."""

    def __init__(self, server: str, tls: ssl.SSLContext | None, token: str = "", user_agent: str = "tiphys") -> None:
        """`server` as in a kubeconfig, `https://host:port`; `tls` None for plain HTTP."""
        where = urlsplit(server)
        self._host = where.hostname or "localhost"
        self._port = where.port or (443 if tls else 80)
        self._tls = tls
        self._head = f"Host: {where.netloc}\r\nUser-Agent: {user_agent}\r\nAccept: {JSON}\r\n"
        if token:
            self._head += f"Authorization: Bearer {token}\r\n"
        self._idle: list[_Connection] = []

    async def request(
        self, method: str, path: str, query: Mapping[str, str], body: bytes = b"", content_type: str = ""
    ) -> Reply:
        """Raises OSError when the server cannot be reached."""
        connection, answer = await self._send(self._encode(method, path, query, body, content_type))
        try:
            reply = await connection.finish(answer)
        except BaseException:
            connection.close()
            raise
        self._keep(connection, answer)
        return reply

    async def stream(self, path: str, query: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        """Each line of the answer. Raises StatusError if the answer is not 200."""
        connection, answer = await self._send(self._encode("GET", path, query, b"", ""))
        try:
            if answer.status != 200:
                raise error_of(await connection.finish(answer))
            async with aclosing(_pieces(connection, answer)) as pieces:
                async for line in lines_of(pieces):
                    yield line
        finally:
            connection.close()

    async def close(self) -> None:
        for connection in self._idle:
            connection.close()
        for connection in self._idle:
            try:
                await connection.writer.wait_closed()
            except OSError:
                pass
        self._idle.clear()

    async def _send(self, request: bytes) -> tuple[_Connection, _Answer]:
        while True:
            connection = self._idle.pop() if self._idle else await self._connect()
            try:
                return connection, await connection.send(request)
            except OSError:
                connection.close()
                if not connection.used:
                    raise
            except BaseException:
                connection.close()
                raise

    async def _connect(self) -> _Connection:
        return _Connection(*await asyncio.open_connection(self._host, self._port, ssl=self._tls))

    def _keep(self, connection: _Connection, answer: _Answer) -> None:
        if answer.keep_alive and len(self._idle) < _IDLE_CONNECTIONS:
            self._idle.append(connection)
        else:
            connection.close()

    def _encode(self, method: str, path: str, query: Mapping[str, str], body: bytes, content_type: str) -> bytes:
        target = f"{path}?{urlencode(query)}" if query else path
        head = f"{method} {target} HTTP/1.1\r\n{self._head}"
        if body or method in ("POST", "PUT", "PATCH"):
            head += f"Content-Type: {content_type or JSON}\r\nContent-Length: {len(body)}\r\n"
        return f"{head}\r\n".encode() + body


async def _pieces(connection: _Connection, answer: _Answer) -> AsyncGenerator[bytes, None]:
    while True:
        taken, answer.pieces = answer.pieces, []
        for piece in taken:
            yield piece
        if answer.done:
            return
        await connection.feed(answer)


def https_transport(kubeconfig: Document) -> HttpsTransport:
    """The transport of a kubeconfig's current context. Raises KeyError or ValueError for one that has none."""
    context = _named(kubeconfig, "contexts", kubeconfig["current-context"])["context"]
    cluster = _named(kubeconfig, "clusters", context["cluster"])["cluster"]
    user = _named(kubeconfig, "users", context["user"])["user"]
    server = cluster["server"]
    tls = _tls(cluster, user) if server.startswith("https:") else None
    return HttpsTransport(server, tls, user.get("token", ""))


def _named(kubeconfig: Document, section: str, name: str) -> Document:
    for entry in kubeconfig.get(section) or ():
        if entry.get("name") == name:
            found: Document = entry
            return found
    raise KeyError(f"the kubeconfig has no {section.removesuffix('s')} {name!r}")


def _tls(cluster: Document, user: Document) -> ssl.SSLContext:
    authority = _data(cluster, "certificate-authority")
    context = ssl.create_default_context(cadata=authority.decode() if authority else None)
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate, key = _data(user, "client-certificate"), _data(user, "client-key")
    if certificate and key:
        # OpenSSL takes the pair from a file only; it is gone again before anyone else could open it.
        with tempfile.NamedTemporaryFile() as pair:
            pair.write(certificate + b"\n" + key)
            pair.flush()
            context.load_cert_chain(pair.name)
    return context


def _data(entry: Mapping[str, Any], name: str) -> bytes:
    """A kubeconfig value given as base64 data or as a file."""
    if data := entry.get(f"{name}-data"):
        return base64.b64decode(data)
    path = entry.get(name)
    return Path(path).read_bytes() if path else b""

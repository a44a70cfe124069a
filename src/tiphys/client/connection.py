"""One HTTP/1.1 connection of a client: a request and its answer at a time (httptools over asyncio streams)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Mapping

import httptools

from tiphys.client.cluster_access import ClusterAccess

_CHUNK = 1 << 18


class _Answer:
    """What the parser has seen so far; httptools calls the `on_` methods."""

    def __init__(self) -> None:
        self.content_type = ""
        self.begun = False
        self.complete = False
        self.chunks: deque[bytes] = deque()

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"content-type":
            self.content_type = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.begun = True

    def on_body(self, body: bytes) -> None:
        self.chunks.append(body)

    def on_message_complete(self) -> None:
        self.complete = True


class Connection:
    """Raises OSError (ConnectionError) for all that is wrong with the wire or the words on it."""

    def __init__(self, access: ClusterAccess, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._access = access
        self._reader = reader
        self._writer = writer
        self._answer = _Answer()
        self._parser = httptools.HttpResponseParser(self._answer)
        self.status = 0

    @classmethod
    async def open(cls, access: ClusterAccess) -> Connection:
        server_name = access.server_name if access.tls else None
        reader, writer = await asyncio.open_connection(
            access.host, access.port, ssl=access.tls, server_hostname=server_name, limit=_CHUNK
        )
        return cls(access, reader, writer)

    @property
    def content_type(self) -> str:
        return self._answer.content_type

    @property
    def reusable(self) -> bool:
        """Whether the last answer was read to its end and the server keeps the connection open."""
        return self._answer.complete and self._parser.should_keep_alive() and not self._reader.at_eof()

    async def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> None:
        """Send the request and read the head of its answer; `status` and `content_type` are known then."""
        self._answer = _Answer()
        self._parser = httptools.HttpResponseParser(self._answer)
        host = f"[{self._access.host}]" if ":" in self._access.host else self._access.host
        lines = [f"{method} {self._access.prefix}{target} HTTP/1.1", f"Host: {host}:{self._access.port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body or method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(body)}")
        self._writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        await self._writer.drain()
        while not self._answer.begun:
            await self._receive()
        self.status = self._parser.get_status_code()

    async def body(self) -> AsyncGenerator[bytes, None]:
        """The answer's body in pieces as they arrive."""
        answer = self._answer
        while True:
            while answer.chunks:
                yield answer.chunks.popleft()
            if answer.complete:
                return
            await self._receive()

    async def _receive(self) -> None:
        data = await self._reader.read(_CHUNK)
        if not data:
            raise ConnectionError("the server closed the connection before the answer was complete")
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise ConnectionError(f"the server does not speak HTTP: {error}") from None

    def close(self) -> None:
        """Let go at once, whatever was under way."""
        self._writer.transport.abort()

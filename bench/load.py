"""A small load generator: N keep-alive TLS connections, each sending its next request when it has its answer.

It looks at no more of an answer than its status and where it ends, so that it can outrun the server it measures.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

import httptools

Requests = Iterator[bytes]


@dataclass
class Result:
    """What a run took. `latencies` in seconds, unsorted."""

    seconds: float
    count: int
    bad: int
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return self.count / self.seconds

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def request(server: str, method: str, path: str, token: str, body: bytes = b"", content_type: str = "") -> bytes:
    """The bytes of one HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {urlsplit(server).netloc}", "Accept: application/json"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body:
        lines += [f"Content-Type: {content_type or 'application/json'}", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class _Connection(asyncio.Protocol):
    def __init__(self, requests: Requests, done: Callable[[], None], result: Result) -> None:
        self._requests, self._done, self._result = requests, done, result
        self._parser = httptools.HttpResponseParser(self)
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own classes do not inherit from it
        self._next()

    def _next(self) -> None:
        following = next(self._requests, None)
        if following is None:
            self._transport.close()
            self._done()
            return
        self._began = time.perf_counter()
        self._transport.write(following)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        result = self._result
        result.bad += not 200 <= self._parser.get_status_code() < 300
        result.count += 1
        result.latencies.append(time.perf_counter() - self._began)
        self._next()


async def run(server: str, ca: str | None, requests: Requests, connections: int = 16) -> Result:
    """Send all requests over so many connections; they share the iterator. Without `ca`, over plain HTTP."""
    loop = asyncio.get_running_loop()
    where = urlsplit(server)
    tls = {"ssl": ssl.create_default_context(cafile=ca), "server_hostname": "localhost"} if ca else {}
    result = Result(0.0, 0, 0)
    left = connections
    finished = asyncio.Event()

    def done() -> None:
        nonlocal left
        left -= 1
        if not left:
            finished.set()

    began = time.perf_counter()
    for _ in range(connections):
        await loop.create_connection(lambda: _Connection(requests, done, result), where.hostname, where.port, **tls)
    await finished.wait()
    result.seconds = time.perf_counter() - began
    return result

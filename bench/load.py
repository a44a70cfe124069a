"""A small load generator: N keep-alive TLS connections, each sending its next request when it has its answer.

It parses no more of an answer than its status and its length, so that it can outrun the server it measures.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

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
    lines = [f"{method} {path} HTTP/1.1", f"Host: {urlsplit(server).netloc}", f"Authorization: Bearer {token}"]
    lines.append("Accept: application/json")
    if body:
        lines += [f"Content-Type: {content_type or 'application/json'}", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class _Connection(asyncio.Protocol):
    def __init__(self, requests: Requests, done: Callable[[], None], result: Result) -> None:
        self._requests, self._done, self._result = requests, done, result
        self._buffer = b""
        self._need = -1
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
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
        self._buffer = self._buffer + data if self._buffer else data
        if self._need < 0:
            head, found, _ = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            lower = head.lower()
            at = lower.index(b"content-length:") + 15
            end = lower.find(b"\r\n", at)
            self._need = len(head) + 4 + int(lower[at : end if end >= 0 else None])
            if not head[9:12].startswith(b"2"):
                self._result.bad += 1
        if len(self._buffer) >= self._need:
            self._buffer, self._need = b"", -1
            self._result.count += 1
            self._result.latencies.append(time.perf_counter() - self._began)
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

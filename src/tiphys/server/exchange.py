"""One request and its answer: the two ends, `receive` and `send`, that the application holds (ASGI 3).

The head of an answer is kept until its first bytes, so that a whole answer leaves in one write. A stream without a
content length is chunked, and each chunk is written as it comes. `send` returns when the client keeps up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, MutableMapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tiphys.server.http1 import Connection

Message = MutableMapping[str, Any]

log = logging.getLogger(__name__)

_STATUS_LINES = {s.value: f"HTTP/1.1 {s.value} {s.phrase}\r\n".encode() for s in HTTPStatus}
_BODILESS = (204, 304)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"


def plain_answer(code: int, text: str = "") -> bytes:
    """A whole answer of the server's own, after which the connection ends (as Go's server words its refusals)."""
    phrase = HTTPStatus(code).phrase
    body = f"{code} {phrase}{': ' if text else ''}{text}".encode()
    head = "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length:"
    return b"HTTP/1.1 %d %b\r\n%b %d\r\n\r\n%b" % (code, phrase.encode(), head.encode(), len(body), body)


class Exchange:
    """Belongs to one connection, which feeds it the body and learns from it when the next request may run."""

    __slots__ = (
        "_arrived",
        "_begun",
        "_body",
        "_chunked",
        "_expects_continue",
        "_failure",
        "_is_head",
        "_left",
        "_read",
        "_start",
        "_written",
        "body_done",
        "connection",
        "ending",
        "finished",
        "keep_alive",
        "scope",
        "task",
        "unread",
    )

    def __init__(self, connection: Connection, scope: Message, keep_alive: bool, expects_continue: bool) -> None:
        self.connection = connection
        self.scope = scope
        self.keep_alive = keep_alive
        self.task: asyncio.Task[None] | None = None
        self.body_done = False
        self.unread = 0
        """Bytes of body waiting for the application."""
        self.finished = False
        self.ending = False
        self._expects_continue = expects_continue
        self._begun = False
        self._is_head = scope["method"] == "HEAD"
        self._body: list[bytes] = []
        self._read = False
        self._arrived: asyncio.Future[None] | None = None
        self._start: Message | None = None
        self._written = False
        self._chunked = False
        self._left: int | None = None
        self._failure = b""

    # The connection's side.

    def feed(self, data: bytes) -> None:
        self._body.append(data)
        self.unread += len(data)
        self._wake()

    def end_body(self) -> None:
        self.body_done = True
        self._wake()

    def refuse(self, answer: bytes) -> None:
        """What the client sends of this request makes no sense: `answer` takes the application's place."""
        self._failure = answer
        self._cancel()

    def end_stream(self) -> None:
        """End an answer that has no length at the end of a chunk; others go on."""
        if self._chunked and not self.finished:
            self.ending = True
            self._cancel()

    def abandon(self) -> None:
        """The client is gone: nobody will read the answer."""
        self._cancel()

    def _cancel(self) -> None:
        """A task that has not begun is not cancelled, it would end without a word: `run` looks before it begins."""
        if self._begun and self.task is not None:
            self.task.cancel()

    def _wake(self) -> None:
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)

    # The application's side.

    async def run(self) -> None:
        """Have the application answer; whatever it does, the connection is told when it is over."""
        self._begun = True
        try:
            if not self._failure and not self.connection.closed:
                await self.connection.app(self.scope, self.receive, self.send)
        except asyncio.CancelledError:
            if self.ending and not self.finished:
                self.connection.write(b"" if self._is_head else _LAST_CHUNK)
                self.finished = True
        except Exception:
            if not self.connection.closed:
                log.exception("%s %s failed", self.scope["method"], self.scope["path"])
        if not self.finished:
            self._fail()
        self.connection.exchange_over(self)

    def _fail(self) -> None:
        """No whole answer came: say so if nothing was sent yet, else cut the connection."""
        self.finished = True
        self.keep_alive = False
        if self._written:
            self.connection.abort()
        else:
            self.connection.write(self._failure or plain_answer(500))

    async def receive(self) -> Message:
        """The body in the pieces it came in; after its end, waits until the client is gone."""
        connection = self.connection
        while self._read or not (self._body or self.body_done):
            if connection.closed or self.finished:
                return {"type": "http.disconnect"}
            if self._expects_continue and not self._written:
                self._expects_continue = False
                connection.write(_CONTINUE)
            self._arrived = connection.loop.create_future()
            await self._arrived
        pieces, self._body, self.unread = self._body, [], 0
        self._read = self.body_done
        if not self.body_done:
            connection.throttle()
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return {"type": "http.request", "body": body, "more_body": not self.body_done}

    async def send(self, message: Message) -> None:
        """Raises OSError when the client is gone, RuntimeError for messages out of order."""
        if self.connection.closed:
            raise ConnectionResetError("the client is gone")
        if message["type"] == "http.response.start":
            if self._start is not None:
                raise RuntimeError("the answer has begun already")
            self._start = message
            return
        if self._start is None or self.finished:
            raise RuntimeError(f"{message['type']} before the answer began or after it ended")
        await self._send_body(message.get("body", b""), message.get("more_body", False))

    async def _send_body(self, body: bytes, more: bool) -> None:
        data = b"" if self._written else self._head(len(body), more)
        self._written = True
        self._count(len(body), more)
        if self._chunked:
            data += self._chunk(body, more)
        elif len(body) <= self.connection.limits.write_slice:
            data += b"" if self._is_head else body
        else:
            data = await self._write_large(data, body)
        if data:
            self.connection.write(data)
        if self.connection.paused is not None:
            await self.connection.paused
        self.finished = not more

    def _chunk(self, body: bytes, more: bool) -> bytes:
        chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        if self._is_head:
            return b""
        return chunk if more else chunk + _LAST_CHUNK

    async def _write_large(self, head: bytes, body: bytes) -> bytes:
        """Slice by slice, so that the client's pace holds ours; returns what is left to write."""
        self.connection.write(head)
        if self._is_head:
            return b""
        view, size = memoryview(body), self.connection.limits.write_slice
        for start in range(0, len(body), size):
            self.connection.write(view[start : start + size])
            if self.connection.paused is not None:
                await self.connection.paused
        return b""

    def _count(self, size: int, more: bool) -> None:
        """Hold the application to the length it promised, or the next answer would be misread."""
        if self._left is None or self._is_head:
            return
        self._left -= size
        if self._left < 0 or (self._left and not more):
            self.keep_alive = False
            raise RuntimeError("the answer is not as long as its content-length")

    def _head(self, size: int, more: bool) -> bytes:
        start = self._start or {}
        self.keep_alive = self.keep_alive and self.body_done
        status = start["status"]
        parts = [_STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status]
        length = _add_headers(parts, start.get("headers", ()))
        if status in _BODILESS:
            self._is_head = True
        elif length is None and not more:
            parts.append(b"content-length: %d\r\n" % size)
        elif length is None:
            self._begin_stream(parts)
        self._left = length
        parts.append(self.connection.date)
        parts.append(b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")
        return b"".join(parts)

    def _begin_stream(self, parts: list[bytes]) -> None:
        if self.scope["http_version"] == "1.1":
            self._chunked = True
            parts.append(b"transfer-encoding: chunked\r\n")
        else:
            self.keep_alive = False


def _add_headers(parts: list[bytes], headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """The headers as lines; returns the content length among them."""
    length = None
    for name, value in headers:
        parts.append(b"%b: %b\r\n" % (name, value))
        if name == b"content-length":
            length = int(value)
    return length

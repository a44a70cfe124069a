"""HTTP/1.1 on one connection: bytes to requests by httptools, answered one after another in the order they came.

Each request is an `Exchange`, run as a task. While one is answered the next wait, and reading stops when more than
a little is waiting. What cannot be parsed is answered 400, after everything before it was answered, and the
connection ends.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

import httptools

from tiphys.server.exchange import Exchange, Message, plain_answer
from tiphys.server.limits import Limits
from tiphys.server.tls import tls_extension

Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

_NEVER = float("inf")
_ASGI = {"version": "3.0", "spec_version": "2.4"}


class Host(Protocol):
    """What a connection needs of the server it belongs to."""

    app: Application
    limits: Limits
    now: float
    """Seconds, renewed with every sweep: fine enough for deadlines, and free to read."""
    date: bytes
    """The date header line."""
    stopping: bool

    def is_former(self, tls: ssl.SSLContext | None) -> bool: ...

    def add(self, connection: Connection) -> None: ...

    def remove(self, connection: Connection) -> None: ...


class Connection(asyncio.Protocol):
    """One client. The server's sweep calls `check` so that nothing lasts longer than the limits say."""

    def __init__(self, host: Host, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.app = host.app
        self.limits = host.limits
        self.closed = False
        self.paused: asyncio.Future[None] | None = None
        """Set while the client is slower than we are; done when it caught up."""
        self._host = host
        self._parser: Any = httptools.HttpRequestParser(self)
        self._transport: Any = None
        self._current: Exchange | None = None
        self._waiting: deque[Exchange | bytes] = deque()
        self._incoming: Exchange | None = None
        self._deaf = False
        self._closing = False
        self._reading = True
        self._between = True
        self._loose = 0
        self._fed = 0
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._has_host = False
        self._expects_continue = False
        self._deadline = _NEVER
        self._write_deadline = _NEVER
        self._common: Message = {}

    @property
    def task(self) -> asyncio.Task[None] | None:
        """The request being answered, for whoever must wait for it."""
        return self._current.task if self._current is not None else None

    # The transport's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        info = transport.get_extra_info
        tls = tls_extension(info)
        self._common = {
            "type": "http",
            "asgi": _ASGI,
            "scheme": "https" if tls else "http",
            "root_path": "",
            "client": _address(info("peername")),
            "server": _address(info("sockname")),
            "extensions": {"tls": tls} if tls else {},
        }
        self._deadline = self._host.now + self.limits.header_seconds
        self._host.add(self)
        if self._host.stopping or self._host.is_former(info("sslcontext")):
            self._close()

    def connection_lost(self, _: Exception | None) -> None:
        self.closed = True
        self._host.remove(self)
        self._waiting.clear()
        self.resume_writing()
        self._parser = None  # it holds this connection's methods
        if self._current is not None:
            self._current.abandon()
            self._current = None

    def pause_writing(self) -> None:
        self.paused = self.loop.create_future()
        self._write_deadline = self._host.now + self.limits.write_seconds

    def resume_writing(self) -> None:
        paused, self.paused = self.paused, None
        self._write_deadline = _NEVER
        if paused is not None and not paused.done():
            paused.set_result(None)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._fed = len(data)
        self._loose += self._fed
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._deafen()
        except httptools.HttpParserError:
            self._refuse(400)
        else:
            if self._loose > self.limits.header_bytes:
                self._refuse(431)

    # The parser's side.

    def on_message_begin(self) -> None:
        if self._deaf:
            return
        self._between = False
        self._deadline = self._host.now + self.limits.header_seconds
        self._url = b""
        self._headers = []
        self._has_host = self._expects_continue = False

    def on_url(self, part: bytes) -> None:
        self._url += part

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == b"host":
            self._has_host = True
        elif name == b"expect":
            self._expects_continue = value.lower() == b"100-continue"
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self._deaf:
            return
        version = self._parser.get_http_version()
        if self._loose + self._fed > self.limits.header_bytes and self._header_size() > self.limits.header_bytes:
            self._refuse(431)
        elif not self._has_host and version == "1.1":
            self._refuse(400, "missing required Host header")
        elif version not in ("1.0", "1.1"):
            self._refuse(505)
        else:
            self._accept(self._scope(version))

    def on_body(self, data: bytes) -> None:
        self._loose = 0
        if self._incoming is None:
            return
        self._deadline = self._host.now + self.limits.body_seconds
        self._incoming.feed(data)
        self.throttle()

    def on_message_complete(self) -> None:
        if self._deaf:
            return
        self._loose = 0
        self._between = True
        self._deadline = _NEVER
        if self._incoming is not None:
            self._incoming.end_body()
            self._incoming = None

    def _header_size(self) -> int:
        return len(self._url) + sum(len(name) + len(value) + 4 for name, value in self._headers)

    def _scope(self, version: str) -> Message:
        target = self._url
        if target[:1] != b"/":
            target = _origin_form(target)
        path, _, query = target.partition(b"?")
        text = path if b"%" not in path else unquote_to_bytes(path)
        return {
            **self._common,
            "http_version": version,
            "method": self._parser.get_method().decode("ascii"),
            "path": text.decode("utf-8", "replace"),
            "raw_path": path,
            "query_string": query,
            "headers": self._headers,
        }

    # Exchanges, one after another.

    def _accept(self, scope: Message) -> None:
        self._headers = []
        parser = self._parser
        keep_alive = parser.should_keep_alive() and not parser.should_upgrade() and not self._host.stopping
        exchange = Exchange(self, scope, keep_alive, self._expects_continue)
        self._incoming = exchange
        self._deadline = self._host.now + self.limits.body_seconds
        self._waiting.append(exchange)
        if self._current is None:
            self._next()
        else:
            self.throttle()

    def _next(self) -> None:
        """Run the request that has waited longest; a refusal that waited its turn ends the connection."""
        self._current = None
        if not self._waiting:
            if self._between and not self._deaf:
                self._deadline = self._host.now + self.limits.idle_seconds
            return
        first = self._waiting.popleft()
        if isinstance(first, bytes):
            self.write(first)
            self._leave(linger=True)
            return
        self._current = first
        first.task = self.loop.create_task(first.run())

    def exchange_over(self, exchange: Exchange) -> None:
        """Told by the exchange when its answer is out."""
        if self.closed:
            return
        if exchange.keep_alive and exchange.body_done and not self._host.stopping:
            self._next()
            self.throttle()
        else:
            self._leave(linger=not exchange.body_done or not self._reading)

    def _refuse(self, code: int, text: str = "") -> None:
        """Answer with an error once everything before is answered, and listen no more."""
        self._deafen()
        answer = plain_answer(code, text)
        if self._incoming is not None:
            self._incoming.refuse(answer)
            self._incoming = None
            return
        self._waiting.append(answer)
        if self._current is None:
            self._next()

    def _deafen(self) -> None:
        self._deaf = True
        self._deadline = _NEVER

    def throttle(self) -> None:
        """Read on only while little is waiting to be dealt with."""
        buffered = self._incoming.unread if self._incoming is not None else 0
        wanted = self._deaf or not (self._waiting or buffered > self.limits.body_buffer)
        if wanted is self._reading or self.closed:
            return
        self._reading = wanted
        if not wanted:
            self._transport.pause_reading()
            self._deadline = _NEVER
            return
        self._transport.resume_reading()
        if self._incoming is not None:
            self._deadline = self._host.now + self.limits.body_seconds

    # Writing and leaving.

    @property
    def date(self) -> bytes:
        return self._host.date

    def write(self, data: bytes | memoryview) -> None:
        if not self.closed:
            self._transport.write(data)

    def abort(self) -> None:
        self.closed = True
        self._transport.abort()

    def _leave(self, *, linger: bool) -> None:
        """Close after what was written is out; linger where the client is still sending, or it would see a reset."""
        self._waiting.clear()
        self._current = None
        if linger:
            self._deafen()
            self.throttle()
            self.loop.call_later(self.limits.linger_seconds, self._close)
        else:
            self._close()

    def _close(self) -> None:
        """What was written still goes out, for as long as a slow reader is given."""
        if self._closing or self.closed:
            return
        self._deaf = self._closing = True
        self._deadline = self._host.now + self.limits.write_seconds
        self._transport.close()

    def stop(self) -> None:
        """The server is stopping: leave when idle, end a stream, let a whole answer finish."""
        if self._current is None:
            self._close()
        else:
            self._current.keep_alive = False
            self._current.end_stream()

    def check(self, now: float) -> None:
        """Give up what has lasted too long. `now` is on the server's clock, in seconds."""
        if now >= self._write_deadline or (self._closing and now >= self._deadline):
            self.abort()
        elif now >= self._deadline:
            if self._deaf or self._between:
                self._close()
            else:
                self._refuse(408)


def _origin_form(target: bytes) -> bytes:
    """`/path?query` of an absolute target, as proxies are sent one; anything else (`*`) stands for the root."""
    _, found, rest = target.partition(b"://")
    return b"/" + rest.partition(b"/")[2] if found else b"/"


def _address(name: Any) -> tuple[str, int] | None:
    return (str(name[0]), int(name[1])) if isinstance(name, tuple) else None

"""The server: listens, keeps its connections, sweeps them for deadlines once a second, stops gracefully."""

from __future__ import annotations

import asyncio
import socket
import ssl
from email.utils import formatdate
from typing import Any

from tiphys.base.clock import Clock, SystemClock
from tiphys.server.http1 import Application, Connection
from tiphys.server.limits import Limits

_SWEEP_SECONDS = 1.0
_BACKLOG = 1024
_CUT_SECONDS = 2.0


class Server:
    """Serves one ASGI application over HTTP/1.1, with TLS when given a context."""

    def __init__(
        self,
        app: Application,
        *,
        tls: ssl.SSLContext | None = None,
        limits: Limits | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.app = app
        self.limits = limits or Limits()
        self.connections: set[Connection] = set()
        self.stopping = False
        self.now = 0.0
        self.date = b""
        self._tls = tls
        self._clock = clock or SystemClock()
        self._listener: asyncio.Server | None = None
        self._socket: socket.socket | None = None
        """A handle of our own on what is listened on, for the next listener when certificates change."""
        self._timer: asyncio.TimerHandle | None = None
        self._empty: asyncio.Future[None] | None = None

    async def listen(self, host: str = "127.0.0.1", port: int = 0, *, sock: socket.socket | None = None) -> int:
        """Start serving; returns the port. Raises OSError when the address cannot be had."""
        loop = asyncio.get_running_loop()
        where: dict[str, Any] = {"sock": sock} if sock is not None else {"host": host, "port": port}
        self._tick(loop)
        self._listener = await self._serve(where)
        self._socket = self._listener.sockets[0].dup()
        return int(self._socket.getsockname()[1])

    async def renew(self, tls: ssl.SSLContext) -> None:
        """From now on new connections meet this context. Those there are finish what they answer and are closed:
        their clients come again, and are verified again. No connection is refused meanwhile."""
        former, serving = self._listener, tuple(self.connections)
        self._tls = tls
        assert self._socket is not None and former is not None
        self._listener = await self._serve({"sock": self._socket.dup()})
        former.close()
        for connection in serving:
            connection.stop()

    def is_former(self, tls: ssl.SSLContext | None) -> bool:
        """Whether a handshake was begun under certificates that are no longer those in use."""
        return tls is not self._tls

    async def _serve(self, where: dict[str, Any]) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(
            lambda: Connection(self, loop),
            ssl=self._tls,
            ssl_handshake_timeout=self.limits.handshake_seconds if self._tls else None,
            ssl_shutdown_timeout=self.limits.linger_seconds if self._tls else None,
            backlog=_BACKLOG,
            **where,
        )

    def add(self, connection: Connection) -> None:
        self.connections.add(connection)

    def remove(self, connection: Connection) -> None:
        self.connections.discard(connection)
        if not self.connections and self._empty is not None and not self._empty.done():
            self._empty.set_result(None)

    def sweep(self, now: float) -> None:
        """Renew the time of day and have every connection give up what lasted too long by `now`."""
        self.now = now
        self.date = b"date: %b\r\n" % formatdate(self._clock.now(), usegmt=True).encode()
        for connection in tuple(self.connections):
            connection.check(now)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self.sweep(self._clock.monotonic())
        self._timer = loop.call_later(_SWEEP_SECONDS, self._tick, loop)

    async def shutdown(self, grace: float = 10.0) -> None:
        """Accept no more, end streams, finish whole answers for at most `grace` seconds, then cut what is left."""
        self.stopping = True
        if self._listener is not None:
            self._listener.close()
        if self._socket is not None:
            self._socket.close()
        for connection in tuple(self.connections):
            connection.stop()
        await self._emptied(grace)
        tasks = [connection.task for connection in self.connections if connection.task is not None]
        for connection in tuple(self.connections):
            connection.abort()
        await self._emptied(_CUT_SECONDS)
        if tasks:
            await asyncio.wait(tasks, timeout=_CUT_SECONDS)
        if self._timer is not None:
            self._timer.cancel()

    async def _emptied(self, seconds: float) -> None:
        """Wait until no connection is left, or the time is up."""
        if not self.connections:
            return
        self._empty = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait_for(self._empty, seconds)
        except TimeoutError:
            pass

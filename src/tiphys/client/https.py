"""The transport over HTTPS, for the command line and for components on other machines."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from urllib.parse import quote, urlencode

from tiphys.client.client import error_of
from tiphys.client.cluster_access import ClusterAccess
from tiphys.client.connection import Connection
from tiphys.client.in_process import lines_of
from tiphys.client.transport import Reply

MOST_IDLE = 32
JSON = "application/json"


class HttpsTransport:
    """Keeps connections for reuse; each stream has one of its own. Close it in the end.

    Raises OSError (ssl.SSLError among them) when the server cannot be reached or breaks off.
    """

    def __init__(self, access: ClusterAccess, user_agent: str = "tiphys") -> None:
        self._access = access
        self._headers = {"Accept": JSON, "User-Agent": user_agent}
        if access.token:
            self._headers["Authorization"] = f"Bearer {access.token}"
        self._idle: list[Connection] = []
        self._closed = False

    async def request(
        self, method: str, path: str, query: Mapping[str, str], body: bytes = b"", content_type: str = ""
    ) -> Reply:
        connection = await self._send(method, _target(path, query), body, content_type)
        try:
            whole = b"".join([chunk async for chunk in connection.body()])
        except BaseException:
            connection.close()
            raise
        self._keep(connection)
        return Reply(connection.status, whole, connection.content_type)

    async def stream(self, path: str, query: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        """Each line of the answer. Raises StatusError if the answer is not 200."""
        connection = await self._send("GET", _target(path, query), b"", "")
        try:
            if connection.status != 200:
                whole = b"".join([chunk async for chunk in connection.body()])
                raise error_of(Reply(connection.status, whole, connection.content_type))
            async for line in lines_of(connection.body()):
                yield line
        finally:
            connection.close()

    async def close(self) -> None:
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    async def _send(self, method: str, target: str, body: bytes, content_type: str) -> Connection:
        """On a kept connection if there is one. A server may close that just as we write: what only reads is
        then sent once more on a new one."""
        headers = {**self._headers, "Content-Type": content_type} if content_type else self._headers
        while self._idle:
            connection = self._idle.pop()
            if not connection.reusable:
                connection.close()
                continue
            try:
                return await _sent(connection, method, target, headers, body)
            except ConnectionError:
                if method != "GET":
                    raise
        return await _sent(await Connection.open(self._access), method, target, headers, body)

    def _keep(self, connection: Connection) -> None:
        if connection.reusable and not self._closed and len(self._idle) < MOST_IDLE:
            self._idle.append(connection)
        else:
            connection.close()


async def _sent(
    connection: Connection, method: str, target: str, headers: Mapping[str, str], body: bytes
) -> Connection:
    try:
        await connection.send(method, target, headers, body)
    except BaseException:
        connection.close()
        raise
    return connection


def _target(path: str, query: Mapping[str, str]) -> str:
    quoted = quote(path, safe="/:@!$&'()*+,;=~-._")
    return f"{quoted}?{urlencode(query)}" if query else quoted

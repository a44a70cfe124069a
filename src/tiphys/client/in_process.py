"""The transport without a socket: a direct call of the pipeline, with an identity."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from urllib.parse import urlencode

from tiphys.base.http import JSON, Handler, Request, Response
from tiphys.base.user import User
from tiphys.client.client import error_of
from tiphys.client.transport import Reply


class InProcessTransport:
    """Calls a Handler as one user; nothing is copied, nothing parsed twice."""

    def __init__(self, handler: Handler, user: User, user_agent: str = "tiphys") -> None:
        self._handler = handler
        self._user = user
        self._headers = {"accept": JSON, "user-agent": user_agent}

    async def request(
        self, method: str, path: str, query: Mapping[str, str], body: bytes = b"", content_type: str = ""
    ) -> Reply:
        response = await self._send(method, path, query, body, content_type)
        return Reply(response.status, await _whole(response), response.content_type)

    async def stream(self, path: str, query: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        """Each line of the answer. Raises StatusError if the answer is not 200."""
        response = await self._send("GET", path, query)
        if response.status != 200:
            raise error_of(Reply(response.status, await _whole(response), response.content_type))
        if isinstance(response.body, bytes):
            for line in response.body.splitlines():
                yield line
            return
        try:
            async for line in lines_of(response.body):
                yield line
        finally:
            await _close(response.body)

    async def close(self) -> None:
        """Nothing is held open."""

    async def _send(
        self, method: str, path: str, query: Mapping[str, str], body: bytes = b"", content_type: str = ""
    ) -> Response:
        headers = {**self._headers, "content-type": content_type} if content_type else self._headers
        text = urlencode(query) if query else ""
        return await self._handler(Request(method, path, text, headers, body, user=self._user))


async def lines_of(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Lines from chunks that may hold part of one or many."""
    rest = b""
    async for chunk in chunks:
        if rest:
            chunk = rest + chunk
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            yield line
    if rest:
        yield rest


async def _whole(response: Response) -> bytes:
    if isinstance(response.body, bytes):
        return response.body
    try:
        return b"".join([chunk async for chunk in response.body])
    finally:
        await _close(response.body)


async def _close(chunks: AsyncIterator[bytes]) -> None:
    close = getattr(chunks, "aclose", None)
    if close is not None:
        await close()

"""The ASGI application: scope, receive and send on one side, `Handler` (Request to Response) on the other.

Bodies are whole and bounded. Answers are whole, compressed where upstream would (apiserver
`responsewriters/writers.go`), or streams whose head goes out at once and each chunk as it comes.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from functools import lru_cache
from typing import Any

from tiphys.auth.impersonation import PREFIX
from tiphys.base.http import Handler, Request, Response
from tiphys.base.names import Ids, RandomIds
from tiphys.base.status import request_too_large
from tiphys.server.refusal import refusal
from tiphys.server.tls import CLIENT_CERTIFICATE_DER

Scope = Any
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

MAX_BODY = 3 * 1024 * 1024
"""Upstream's MaxRequestBodyBytes."""
_GZIP_OVER = 128 * 1024
_GZIP_LEVEL = 1
_GZIP_WINDOW = 31
_NEXT, _NEXT_LINE = ", ", "\n"
_NO_CACHE = (b"cache-control", b"no-cache, private")


class _Disconnected(Exception):
    """The client left before its body was whole."""


class App:
    """Serves one Handler to any ASGI server."""

    def __init__(self, handler: Handler, *, ids: Ids | None = None, max_body: int = MAX_BODY) -> None:
        self._handler = handler
        self._ids = ids or RandomIds()
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await _other(scope["type"], receive, send)
            return
        request = _request(scope)
        try:
            response = await self._respond(request, receive)
        except _Disconnected:
            return
        audit_id = request.audit_id or request.headers.get("audit-id") or self._ids.uid()
        headers = [(b"audit-id", _header_value(audit_id)), *_encoded(response)]
        if isinstance(response.body, bytes):
            await _send_whole(request, response.status, response.body, headers, send)
        else:
            await _send_stream(response.status, response.body, headers, send)

    async def _respond(self, request: Request, receive: Receive) -> Response:
        headers = request.headers
        length = headers.get("content-length", "")
        if not length and "transfer-encoding" not in headers:
            return await self._handler(request)
        if length.isdigit() and int(length) > self._max_body:
            return self._too_large()
        body = await self._read(receive)
        if body is None:
            return self._too_large()
        request.body = body
        return await self._handler(request)

    async def _read(self, receive: Receive) -> bytes | None:
        """The whole body, or None as soon as it is longer than allowed."""
        pieces, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Disconnected
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
            if size > self._max_body:
                return None
            if not message.get("more_body"):
                return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _too_large(self) -> Response:
        """apimachinery NewRequestEntityTooLargeError."""
        return refusal(request_too_large(f"Request entity too large: limit is {self._max_body}"))


def _request(scope: Scope) -> Request:
    tls = scope.get("extensions", {}).get("tls") or {}
    client = scope.get("client")
    return Request(
        scope["method"],
        scope["path"],
        scope["query_string"].decode("utf-8", "replace"),
        _headers(scope["headers"]),
        b"",
        None,
        tls.get(CLIENT_CERTIFICATE_DER),
        client[0] if client else "",
    )


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """By lower-case name; a header sent more than once is joined by commas (RFC 9110, 5.3), but those that say whom
    to act as by line breaks, which no value can hold: a group's name may well have a comma."""
    found: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        if key in found:
            text = f"{found[key]}{_NEXT_LINE if key.startswith(PREFIX) else _NEXT}{text}"
        found[key] = text
    return found


def _encoded(response: Response) -> Headers:
    headers = [_content_type(response.content_type)] if response.content_type else []
    if not response.headers:
        headers.append(_NO_CACHE)
        return headers
    headers += [(name.lower().encode("latin-1"), _header_value(value)) for name, value in response.headers]
    if all(name != b"cache-control" for name, _ in headers):
        headers.append(_NO_CACHE)
    return headers


@lru_cache(maxsize=256)
def _content_type(text: str) -> tuple[bytes, bytes]:
    return b"content-type", _header_value(text)


def _header_value(text: str) -> bytes:
    """UTF-8, as Go sends it; a line break would begin another header."""
    if "\n" in text or "\r" in text:
        text = text.replace("\r", " ").replace("\n", " ")
    return text.encode("utf-8", "replace")


async def _send_whole(request: Request, status: int, body: bytes, headers: Headers, send: Send) -> None:
    if len(body) > _GZIP_OVER and _accepts_gzip(request.headers.get("accept-encoding", "")):
        body = await asyncio.to_thread(_compress, body)
        headers += [(b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _send_stream(status: int, chunks: AsyncIterator[bytes], headers: Headers, send: Send) -> None:
    try:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        async for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()
    await send({"type": "http.response.body", "body": b""})


def _accepts_gzip(accept_encoding: str) -> bool:
    tokens = (token.partition(";")[0].strip() for token in accept_encoding.split(","))
    return "gzip" in tokens


def _compress(body: bytes) -> bytes:
    """In a thread: zlib lets others run meanwhile."""
    packer = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
    return packer.compress(body) + packer.flush()


async def _other(kind: str, receive: Receive, send: Send) -> None:
    """The lifespan protocol, which has nothing to do here, and WebSockets, which are not spoken."""
    if kind != "lifespan":
        await send({"type": "websocket.close"})
        return
    while True:
        phase = (await receive())["type"].removeprefix("lifespan.")
        await send({"type": f"lifespan.{phase}.complete"})
        if phase == "shutdown":
            return

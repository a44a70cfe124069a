"""The ASGI adapter, with no server: upstream's headers and bodies (apiserver `responsewriters/writers.go`)."""

from __future__ import annotations

import zlib
from typing import Any

import orjson

from tiphys.base.http import Request, Response
from tiphys.server.app import MAX_BODY, App


class Ids:
    def uid(self) -> str:
        return "some-uid"

    def suffix(self, length: int = 5) -> str:
        return "x" * length


class Asgi:
    """One request through an App, as a server would drive it."""

    def __init__(self, *body: bytes, headers: tuple[tuple[bytes, bytes], ...] = (), **scope: Any) -> None:
        self.scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers, **scope}
        self.body = list(body)
        self.reads = 0
        self.sent: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        self.reads += 1
        if not self.body:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": self.body.pop(0), "more_body": bool(self.body)}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    async def through(self, response: Response, seen: list[Request] | None = None) -> Asgi:
        async def handler(request: Request) -> Response:
            if seen is not None:
                seen.append(request)
            return response

        await App(handler, ids=Ids())(self.scope, self.receive, self.send)
        return self

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def answer(self) -> bytes:
        return b"".join(message["body"] for message in self.sent[1:])


async def test_a_whole_answer_has_upstreams_headers():
    asgi = await Asgi().through(Response(200, b"{}"))
    assert asgi.headers == {
        b"audit-id": b"some-uid",
        b"content-type": b"application/json",
        b"cache-control": b"no-cache, private",
        b"content-length": b"2",
    }
    assert asgi.sent[0]["status"] == 200 and asgi.answer == b"{}" and len(asgi.sent) == 2


async def test_the_clients_audit_id_is_echoed():
    asgi = await Asgi(headers=((b"audit-id", b"mine"),)).through(Response(200))
    assert asgi.headers[b"audit-id"] == b"mine"


async def test_a_response_may_say_how_it_is_cached_and_warn():
    headers = [("Cache-Control", "public"), ("Warning", '299 - "one"'), ("Warning", '299 - "zwölf"')]
    asgi = await Asgi().through(Response(200, b"", headers=headers))
    values = [value for name, value in asgi.sent[0]["headers"] if name == b"warning"]
    assert values == [b'299 - "one"', '299 - "zwölf"'.encode()]
    assert asgi.headers[b"cache-control"] == b"public"


async def test_a_line_break_cannot_begin_another_header():
    asgi = await Asgi().through(Response(200, b"", headers=[("warning", "a\r\nset-cookie: b")]))
    assert asgi.headers[b"warning"] == b"a  set-cookie: b"


async def test_the_request_is_told_whole():
    seen: list[Request] = []
    asgi = Asgi(
        b"ab",
        b"c",
        method="POST",
        path="/api",
        query_string=b"a=%20",
        client=("10.0.0.1", 1),
        headers=((b"content-length", b"3"), (b"accept", b"x"), (b"accept", b"y")),
        extensions={"tls": {"tiphys.client_certificate": b"der"}},
    )
    await asgi.through(Response(200), seen)
    (request,) = seen
    assert (request.method, request.path, request.query, request.body) == ("POST", "/api", "a=%20", b"abc")
    assert request.headers == {"content-length": "3", "accept": "x, y"}
    assert (request.certificate, request.peer, request.user) == (b"der", "10.0.0.1", None)


async def test_a_body_too_large_by_its_length_is_refused_unread():
    # apimachinery NewRequestEntityTooLargeError; the limit is apiserver's MaxRequestBodyBytes
    length = str(MAX_BODY + 1).encode()
    asgi = await Asgi(b"x", headers=((b"content-length", length),)).through(Response(200))
    assert asgi.sent[0]["status"] == 413 and asgi.reads == 0
    status = orjson.loads(asgi.answer)
    assert status["message"] == "Request entity too large: limit is 3145728"
    assert status["reason"] == "RequestEntityTooLarge" and status["code"] == 413


async def test_a_chunked_body_is_refused_as_soon_as_it_is_too_large():
    seen: list[Request] = []
    half = b"x" * (MAX_BODY // 2 + 1)
    asgi = await Asgi(half, half, half, headers=((b"transfer-encoding", b"chunked"),)).through(Response(200), seen)
    assert asgi.sent[0]["status"] == 413 and asgi.reads == 2 and not seen


async def test_a_body_of_just_the_limit_is_taken():
    seen: list[Request] = []
    headers = ((b"content-length", str(MAX_BODY).encode()),)
    await Asgi(b"x" * MAX_BODY, headers=headers).through(Response(200), seen)
    assert len(seen[0].body) == MAX_BODY


async def test_a_client_that_leaves_before_its_body_is_whole_is_not_handled():
    seen: list[Request] = []
    asgi = await Asgi(headers=((b"content-length", b"3"),)).through(Response(200), seen)
    assert not seen and not asgi.sent


async def test_large_answers_are_compressed_for_those_who_accept_it():
    body = b"abc" * 50_000
    asgi = await Asgi(headers=((b"accept-encoding", b"br, gzip;q=1"),)).through(Response(200, body))
    assert asgi.headers[b"content-encoding"] == b"gzip" and asgi.headers[b"vary"] == b"Accept-Encoding"
    assert zlib.decompress(asgi.answer, 31) == body
    assert asgi.headers[b"content-length"] == str(len(asgi.answer)).encode()


async def test_small_answers_and_other_clients_get_them_plain():
    large, small = b"x" * (128 * 1024 + 1), b"x" * 128 * 1024
    assert (await Asgi().through(Response(200, large))).answer == large
    asgi = await Asgi(headers=((b"accept-encoding", b"gzip"),)).through(Response(200, small))
    assert asgi.answer == small and b"content-encoding" not in asgi.headers


async def test_a_stream_begins_before_its_first_chunk_and_is_closed():
    closed = []

    async def chunks():
        try:
            yield b"one"
            yield b"two"
        finally:
            closed.append(True)

    asgi = await Asgi().through(Response(200, chunks()))
    bodies = [(message["body"], message.get("more_body", False)) for message in asgi.sent[1:]]
    assert bodies == [(b"", True), (b"one", True), (b"two", True), (b"", False)]
    assert b"content-length" not in asgi.headers and closed


async def test_a_stream_is_closed_when_the_client_is_gone():
    closed = []

    async def chunks():
        try:
            yield b"one"
            yield b"two"
        finally:
            closed.append(True)

    asgi = Asgi()

    async def send(message: dict[str, Any]) -> None:
        if message.get("body"):
            raise ConnectionResetError

    async def handler(_: Request) -> Response:
        return Response(200, chunks())

    try:
        await App(handler)(asgi.scope, asgi.receive, send)
    except ConnectionResetError:
        pass
    assert closed


async def test_the_lifespan_protocol_is_spoken():
    phases = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent = []

    async def receive() -> dict[str, Any]:
        return phases.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message["type"])

    await App(None)({"type": "lifespan"}, receive, send)  # type: ignore[arg-type]
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_headers_sent_more_than_once():
    """Joined by commas (RFC 9110, 5.3); those that say whom to act as by line breaks (ours), which no value holds."""
    seen: list[Request] = []
    headers = (
        (b"accept", b"a"), (b"accept", b"b"), (b"impersonate-group", b"a, b"), (b"impersonate-group", b"c"),
        (b"impersonate-extra-x", b"1"), (b"impersonate-extra-x", b"2"),
    )  # fmt: skip
    await Asgi(headers=headers).through(Response(200), seen)
    assert seen[0].headers == {"accept": "a, b", "impersonate-group": "a, b\nc", "impersonate-extra-x": "1\n2"}

"""HTTP/1.1 over real sockets. Expectations are RFC 9112's and, for refusals, those of Go's net/http server."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tiphys.server.limits import Limits

HOST = b"Host: x\r\n"


async def read_body(receive: Any) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return body
        body += message["body"]
        if not message["more_body"]:
            return body


async def answer(send: Any, body: bytes, status: int = 200, more: bool = False, length: int | None = None) -> None:
    headers = [] if length is None else [(b"content-length", str(length).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Says what it was asked."""
    body = await read_body(receive)
    await answer(send, f"{scope['method']} {scope['path']} {scope['query_string'].decode()} {body!r}".encode())


def request(path: str = "/", headers: bytes = b"", method: str = "GET", body: bytes = b"") -> bytes:
    return f"{method} {path} HTTP/1.1\r\n".encode() + HOST + headers + b"\r\n" + body


async def test_requests_on_one_connection_are_answered_in_turn(serving):
    await serving.start(echo)
    client = await serving.connect()
    for number in range(3):
        await client.send(request(f"/{number}?a=b%20c"))
        status, headers, body = await client.answer()
        assert (status, body) == (200, f"GET /{number} a=b%20c b''".encode())
        assert "date" in headers and "connection" not in headers


async def test_pipelined_requests_are_answered_in_order_though_the_first_is_slowest(serving):
    gate = asyncio.Event()

    async def app(scope, receive, send):
        if scope["path"] == "/slow":
            await gate.wait()
        else:
            gate.set()
        await echo(scope, receive, send)

    server = await serving.start(app)
    client = await serving.connect()
    await client.send(request("/slow") + request("/2", b"Content-Length: 3\r\n", "POST", b"abc") + request("/3"))
    await asyncio.sleep(0)
    assert not gate.is_set()
    gate.set()
    bodies = [(await client.answer())[2] for _ in range(3)]
    assert bodies == [b"GET /slow  b''", b"POST /2  b'abc'", b"GET /3  b''"]
    assert len(server.connections) == 1


async def test_the_path_is_decoded_and_the_query_is_not(serving):
    await serving.start(echo)
    client = await serving.connect()
    await client.send(request("/a%2Fb/%E4%BD%A0%ff?x=%20"))
    assert (await client.answer())[2] == "GET /a/b/你\N{REPLACEMENT CHARACTER} x=%20 b''".encode()


async def test_a_chunked_body_is_put_together(serving):
    await serving.start(echo)
    client = await serving.connect()
    head = request("/", b"Transfer-Encoding: chunked\r\n", "POST")
    await client.send(head, b"3\r\nabc\r\n", b"2\r\nde\r", b"\n0\r\nTrailer: x\r\n\r\n")
    assert (await client.answer())[2] == b"POST /  b'abcde'"
    await client.send(request("/next"))
    assert (await client.answer())[2] == b"GET /next  b''"


async def test_a_stream_is_chunked_and_each_chunk_leaves_at_once(serving):
    more = asyncio.Event()

    async def app(scope, receive, send):
        await answer(send, b"one", more=True)
        await more.wait()
        await send({"type": "http.response.body", "body": b"two", "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    await serving.start(app)
    client = await serving.connect()
    await client.send(request())
    assert (await client.until(b"3\r\none\r\n")).startswith(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n")
    more.set()
    assert await client.until(b"0\r\n\r\n") == b"3\r\ntwo\r\n0\r\n\r\n"


async def test_continue_is_sent_when_the_body_is_wanted(serving):
    await serving.start(echo)
    client = await serving.connect()
    await client.send(request("/", b"Expect: 100-continue\r\nContent-Length: 2\r\n", "POST"))
    assert await client.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    await client.send(b"ok")
    assert (await client.answer())[2] == b"POST /  b'ok'"


async def test_continue_is_not_sent_when_the_answer_needs_no_body(serving):
    async def app(scope, receive, send):
        await answer(send, b"no", 413)

    await serving.start(app)
    client = await serving.connect()
    await client.send(request("/", b"Expect: 100-continue\r\nContent-Length: 9999999\r\n", "POST"))
    got = await client.rest()
    assert got.startswith(b"HTTP/1.1 413 ") and b"connection: close" in got and got.endswith(b"no")


async def test_head_has_the_headers_and_no_body(serving):
    await serving.start(echo)
    client = await serving.connect()
    await client.send(request("/", method="HEAD") + request("/next"))
    head = await client.until(b"\r\n\r\n")
    assert b"content-length: 11\r\n" in head
    assert (await client.answer())[2] == b"GET /next  b''"


async def test_no_content_has_neither_body_nor_length(serving):
    async def app(scope, receive, send):
        await answer(send, b"", 204)

    await serving.start(app)
    client = await serving.connect()
    await client.send(request())
    head = await client.until(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 204 No Content\r\n") and b"length" not in head and b"chunked" not in head


async def test_http_1_0_ends_the_connection_and_gets_no_chunks(serving):
    async def app(scope, receive, send):
        await answer(send, b"one", more=True)
        await send({"type": "http.response.body", "body": b"two"})

    await serving.start(app)
    client = await serving.connect()
    await client.send(b"GET / HTTP/1.0\r\n\r\n")
    got = await client.rest()
    assert got.endswith(b"\r\n\r\nonetwo") and b"chunked" not in got


async def test_connection_close_is_honoured(serving):
    await serving.start(echo)
    client = await serving.connect()
    await client.send(request("/", b"Connection: close\r\n"))
    got = await client.rest()
    assert b"connection: close\r\n" in got and got.endswith(b"GET /  b''")


async def test_an_upgrade_nobody_speaks_is_an_ordinary_request(serving):
    await serving.start(echo)
    client = await serving.connect()
    await client.send(request("/", b"Connection: Upgrade\r\nUpgrade: h2c\r\n"))
    assert (await client.rest()).endswith(b"GET /  b''")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost x\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
    ],
)
async def test_what_is_not_http_is_refused_and_the_connection_ends(serving, sent, status):
    await serving.start(echo)
    client = await serving.connect()
    await client.send(sent)
    got = await client.rest()
    assert got.startswith(f"HTTP/1.1 {status} ".encode()) and b"Connection: close" in got


async def test_nonsense_is_refused_after_what_came_before_it_is_answered(serving):
    gate = asyncio.Event()

    async def app(scope, receive, send):
        await gate.wait()
        await echo(scope, receive, send)

    await serving.start(app)
    client = await serving.connect()
    await client.send(request("/1") + request("/2") + b"nonsense\r\n\r\n")
    gate.set()
    assert [(await client.answer())[2] for _ in range(2)] == [b"GET /1  b''", b"GET /2  b''"]
    assert (await client.rest()).startswith(b"HTTP/1.1 400 ")


async def test_headers_beyond_the_limit_are_refused(serving):
    await serving.start(echo, Limits(header_bytes=4096, linger_seconds=0.1))
    client = await serving.connect()
    await client.send(request("/", b"X: y\r\n" * 1000))
    assert (await client.rest()).startswith(b"HTTP/1.1 431 ")


async def test_a_header_that_never_ends_is_refused(serving):
    await serving.start(echo, Limits(header_bytes=4096, linger_seconds=0.1))
    client = await serving.connect()
    await client.send(b"GET / HTTP/1.1\r\nX: ", *[b"y" * 1000 for _ in range(8)])
    assert (await client.rest()).startswith(b"HTTP/1.1 431 ")


async def test_slow_headers_run_out_of_time(serving, eventually):
    server = await serving.start(echo, Limits(header_seconds=5, linger_seconds=0.1))
    client = await serving.connect()
    await client.send(b"GET / HTTP/1.1\r\nHos")
    await eventually(lambda: any(not connection._between for connection in server.connections))
    server.sweep(server.now + 4.9)
    assert len(server.connections) == 1
    server.sweep(server.now + 0.2)
    assert (await client.rest()).startswith(b"HTTP/1.1 408 ")


async def test_a_slow_body_runs_out_of_time(serving, eventually):
    bodies = []

    async def app(scope, receive, send):
        bodies.append(await read_body(receive))

    server = await serving.start(app, Limits(body_seconds=5, linger_seconds=0.1))
    client = await serving.connect()
    await client.send(request("/", b"Content-Length: 10\r\n", "POST", b"abc"))
    await eventually(lambda: any(connection.task for connection in server.connections))
    server.sweep(server.now + 5.1)
    assert (await client.rest()).startswith(b"HTTP/1.1 408 ")
    assert bodies == []


async def test_an_idle_connection_is_closed(serving):
    server = await serving.start(echo, Limits(idle_seconds=90))
    client = await serving.connect()
    await client.send(request())
    await client.answer()
    server.sweep(server.now + 89)
    await client.send(request())
    await client.answer()
    server.sweep(server.now + 91)
    assert await client.rest() == b""


async def test_an_answer_may_take_as_long_as_it_takes(serving, eventually):
    gate = asyncio.Event()

    async def app(scope, receive, send):
        await gate.wait()
        await answer(send, b"done")

    server = await serving.start(app)
    client = await serving.connect()
    await client.send(request())
    await eventually(lambda: any(connection.task for connection in server.connections))
    server.sweep(server.now + 100_000)
    gate.set()
    assert (await client.answer())[2] == b"done"


async def test_a_body_is_taken_no_faster_than_it_is_read(serving, eventually):
    gate = asyncio.Event()
    sizes = []

    async def app(scope, receive, send):
        await gate.wait()
        sizes.append(len(await read_body(receive)))
        await answer(send, b"ok")

    server = await serving.start(app, Limits(body_buffer=10_000))
    client = await serving.connect()
    size = 20_000_000
    sending = asyncio.create_task(
        client.send(request("/", b"Content-Length: %d\r\n" % size, "POST"), *[b"x" * 100_000] * 200)
    )
    await eventually(lambda: any(not connection._reading for connection in server.connections))
    (connection,) = server.connections
    assert connection._incoming.unread < 2_000_000
    assert not sending.done()
    gate.set()
    assert (await client.answer())[2] == b"ok"
    assert sizes == [size]
    await sending


async def test_a_stream_waits_for_a_slow_reader_and_goes_on(serving, eventually):
    sent = 0

    async def app(scope, receive, send):
        nonlocal sent
        await answer(send, b"", more=True)
        for _ in range(150):
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
            sent += 1
        await send({"type": "http.response.body", "body": b""})

    server = await serving.start(app)
    client = await serving.connect()
    await client.send(request())
    await eventually(lambda: any(connection.paused for connection in server.connections))
    assert sent < 150
    assert len((await client.answer())[2]) == 150 * 100_000
    assert sent == 150


async def test_a_large_answer_is_written_at_the_readers_pace(serving, eventually):
    body = bytes(range(256)) * 160_000

    async def app(scope, receive, send):
        await answer(send, body, length=len(body))

    server = await serving.start(app)
    client = await serving.connect()
    await client.send(request())
    await eventually(lambda: any(connection.paused for connection in server.connections))
    assert (await client.answer())[2] == body


async def test_a_reader_that_takes_nothing_is_cut_off(serving, eventually):
    cancelled = asyncio.Event()

    async def app(scope, receive, send):
        await answer(send, b"", more=True)
        try:
            while True:
                await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
        except (asyncio.CancelledError, OSError):
            cancelled.set()
            raise

    server = await serving.start(app, Limits(write_seconds=60))
    client = await serving.connect()
    await client.send(request())
    await eventually(lambda: any(connection.paused for connection in server.connections))
    server.sweep(server.now + 59)
    assert len(server.connections) == 1
    server.sweep(server.now + 2)
    await eventually(lambda: cancelled.is_set() and not server.connections)


async def test_a_client_that_leaves_ends_its_handler(serving, eventually):
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def app(scope, receive, send):
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    server = await serving.start(app)
    client = await serving.connect()
    await client.send(request())
    await asyncio.wait_for(begun.wait(), 5)
    client.writer.close()
    await asyncio.wait_for(cancelled.wait(), 5)
    await eventually(lambda: not server.connections)


async def test_a_client_that_leaves_in_the_middle_of_a_stream_ends_it(serving, eventually):
    ended = asyncio.Event()

    async def app(scope, receive, send):
        await answer(send, b"first", more=True)
        try:
            assert (await receive())["type"] == "http.request"
            assert (await receive())["type"] == "http.disconnect"
        finally:
            ended.set()

    server = await serving.start(app)
    client = await serving.connect()
    await client.send(request())
    await client.until(b"first\r\n")
    client.writer.transport.abort()
    await asyncio.wait_for(ended.wait(), 5)
    await eventually(lambda: not server.connections)


async def test_a_failing_application_is_a_plain_500_and_the_reason_stays_inside(serving, caplog):
    async def app(scope, receive, send):
        raise ValueError("secret")

    await serving.start(app)
    client = await serving.connect()
    with caplog.at_level(logging.ERROR):
        await client.send(request())
        got = await client.rest()
    assert got.startswith(b"HTTP/1.1 500 ") and b"secret" not in got
    assert "secret" in caplog.text


@pytest.mark.parametrize("length", [2, 9])
async def test_an_answer_of_another_length_than_promised_ends_the_connection(serving, caplog, length):
    async def app(scope, receive, send):
        await answer(send, b"four", length=length)

    await serving.start(app)
    client = await serving.connect()
    await client.send(request())
    assert b"four" not in await client.rest()


async def test_shutdown_finishes_whole_answers_ends_streams_and_accepts_no_more(serving, eventually):
    gate = asyncio.Event()

    async def app(scope, receive, send):
        if scope["path"] == "/whole":
            await gate.wait()
            await answer(send, b"whole")
        else:
            await answer(send, b"piece", more=True)
            await asyncio.Event().wait()

    server = await serving.start(app)
    whole, stream, idle = [await serving.connect() for _ in range(3)]
    await whole.send(request("/whole"))
    await stream.send(request("/stream"))
    await stream.until(b"piece\r\n")
    await eventually(lambda: len(server.connections) == 3 and sum(bool(c.task) for c in server.connections) == 2)
    stopping = asyncio.create_task(server.shutdown(5))
    assert await stream.rest() == b"0\r\n\r\n"
    assert await idle.rest() == b""
    assert not stopping.done()
    gate.set()
    got = await whole.rest()
    assert b"connection: close" in got and got.endswith(b"whole")
    await asyncio.wait_for(stopping, 5)
    with pytest.raises(OSError):
        await serving.connect()


async def test_shutdown_cuts_what_does_not_finish_in_time(serving, eventually):
    cancelled = asyncio.Event()

    async def app(scope, receive, send):
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    server = await serving.start(app)
    client = await serving.connect()
    await client.send(request())
    await eventually(lambda: any(connection.task for connection in server.connections))
    await asyncio.wait_for(server.shutdown(0.05), 5)
    assert cancelled.is_set()
    assert await client.rest() == b""


FRAGMENTS = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\n", b"POST /x HTTP/1.1\r\n", b"Host: x\r\n", b"\r\n", b"\n", b"Content-Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\n", b"5\r\nabcde\r\n", b"0\r\n\r\n", b"Connection: close\r\n", b"HTTP/1.1",
        b"Expect: 100-continue\r\n", b"Upgrade: h2c\r\nConnection: upgrade\r\n", b" ", b"\x00", b":",
        b"GET * HTTP/1.1\r\n", b"CONNECT a:1 HTTP/1.1\r\n", b"GET http://a/b HTTP/1.1\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(FRAGMENTS | st.binary(max_size=30), max_size=12))
async def test_no_bytes_make_the_server_fail_or_hang(authority, pieces):
    from tests.unit.server.conftest import Serving  # the fixture is shared by all examples, a server is not

    serving = Serving(authority)
    server = await serving.start(echo, Limits(linger_seconds=0.01, header_seconds=5, body_seconds=5), tls=False)
    client = await serving.connect()
    await client.send(b"".join(pieces))
    for _ in range(5):
        await asyncio.sleep(0)
    server.sweep(server.now + 1000)
    server.sweep(server.now + 1000)
    got = await client.rest()
    assert got == b"" or got.startswith(b"HTTP/1.1 ")
    assert b" 500 " not in got
    await serving.close()
    assert serving.complaints == []

"""A real server, real sockets, TLS: the largest bodies, and clients that are slow, rude or half gone, all at once,
while an ordinary client is answered as ever. What single connections may not do is in `tests/unit/server`.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson
import pytest

from tests.clients.conftest import RunningCluster
from tests.siege.storm import admin

MEBIBYTE = 1 << 20
LARGEST = 3 * MEBIBYTE
PATIENCE = 20.0
"""Seconds for the answer to one hostile request on a machine that is busy with all of them."""
PROMPT = 2.0
"""Seconds for an ordinary one meanwhile."""
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"


@dataclass
class Door:
    """Where raw connections are opened."""

    host: str
    port: int
    tls: ssl.SSLContext

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self.host, self.port, ssl=self.tls)

    async def exchange(self, sent: bytes) -> bytes:
        """All that comes back for some bytes until the server closes or `PATIENCE` is over (TimeoutError)."""
        reader, writer = await self.connect()
        try:
            async with asyncio.timeout(PATIENCE):
                writer.write(sent)
                return await reader.read(-1)
        finally:
            writer.transport.abort()

    async def status(self, method: str, path: str, body: bytes, content_type: str = "application/json") -> int:
        """The code of the answer to one whole request."""
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\nConnection: close\r\n"
        answer = await self.exchange(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        assert answer.startswith(b"HTTP/1.1 "), answer[:100]
        return int(answer[9:12])


@pytest.fixture
def door(target: RunningCluster) -> Iterator[Door]:
    where = urlsplit(target.server)
    yield Door(where.hostname or "", where.port or 0, admin(target))


@pytest.fixture
async def ordinary(door: Door) -> AsyncIterator[list[float]]:
    """An ordinary client at work during the test: the seconds that its reads took. None may be slow."""
    took: list[float] = []
    stopping = asyncio.Event()

    async def read() -> None:
        while not stopping.is_set():
            began = time.monotonic()
            assert await door.status("GET", CONFIG_MAPS, b"") == 200
            took.append(time.monotonic() - began)
            await asyncio.sleep(0.01)

    reading = asyncio.create_task(read())
    yield took
    stopping.set()
    await reading
    assert took and max(took) < PROMPT, sorted(took)[-5:]


@pytest.fixture(autouse=True)
def quiet_log(target: RunningCluster) -> Iterator[None]:
    """Nothing that a client sends is told as a failure of ours."""
    log = target.pki.parent / "server.log"
    before = log.stat().st_size
    yield
    with log.open("rb") as opened:
        opened.seek(before)
        assert b"Traceback" not in opened.read()


def _filled(head: str, piece: str, tail: str, size: int = LARGEST - 10) -> bytes:
    """`head`, as many numbered pieces as fit, `tail`."""
    count = (size - len(head) - len(tail)) // (len(piece % 0) + 7)
    return (head + ",".join(piece % number for number in range(count)) + tail).encode()


_META = '"apiVersion":"v1","metadata":{"name":"c"}'
_CONTAINERS = "{" + _META + ',"kind":"Pod","spec":{"containers":['
_DATA = "{" + _META + ',"data":{'
BODIES = {
    "a flat map": (CONFIG_MAPS, _filled(_DATA, '"k%d":""', "}}"), {201, 422}),
    "bad keys": (CONFIG_MAPS, _filled(_DATA, '"k/%d":""', "}}"), {422}),
    "bad labels": (CONFIG_MAPS, _filled('{"metadata":{"name":"c","labels":{', '"-%d":"-"', "}}}"), {422}),
    "unknown fields": (CONFIG_MAPS, _filled("{" + _META + ",", '"u%d":1', "}"), {201, 409}),
    "one field again and again": (CONFIG_MAPS, b'{"a":1' + b',"a":1' * (LARGEST // 7) + b"}", {422}),
    "numbers": (CONFIG_MAPS, b'{"x":[1' + b",1" * (LARGEST // 2 - 10) + b"]}", {422}),
    "containers": (PODS, _filled(_CONTAINERS, '{"name":"a%d","image":"b"}', "]}}"), {413}),
    "empty containers": (PODS, (_CONTAINERS + "{}" + ",{}" * 1_000_000 + "]}}").encode(), {413}),
    "deep lists": (CONFIG_MAPS, b"[" * LARGEST, {400}),
    "text that never ends": (CONFIG_MAPS, b'{"a":"' + b"\\u0041" * (LARGEST // 6 - 10), {400}),
    "bad UTF-8": (CONFIG_MAPS, b'{"a":"' + b"\xff" * (LARGEST - 10) + b'"}', {400}),
    "a number of three million digits": (CONFIG_MAPS, b'{"metadata":{"generation":%b}}' % (b"1" * MEBIBYTE), {400}),
    "one byte too many": (CONFIG_MAPS, b" " * (LARGEST + 1), {413}),
}


@pytest.mark.parametrize("case", BODIES)
async def test_the_largest_bodies_delay_nobody(door: Door, ordinary: list[float], case: str) -> None:
    path, body, expected = BODIES[case]
    assert await door.status("POST", path, body) in expected
    assert await door.status("DELETE", f"{path}/c", b"") in (200, 404)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"a: [" + b"1," * (LARGEST // 2 - 10) + b"]", 400),
        (b"- " * (LARGEST // 2), 400),
        (b"a: 1" + b":59" * (MEBIBYTE - 10), 422),
        (b"a: &a [1]\nb: [" + b"*a," * (MEBIBYTE - 10) + b"]", 400),
    ],
    ids=["numbers", "depth", "base 60", "aliases"],
)
async def test_the_largest_yaml_delays_nobody(door: Door, ordinary: list[float], text: bytes, expected: int) -> None:
    assert await door.status("POST", CONFIG_MAPS, text, "application/yaml") == expected


async def test_many_large_bodies_at_once_are_answered_in_turn(door: Door, ordinary: list[float]) -> None:
    body = BODIES["bad keys"][1][: MEBIBYTE // 2] + b"}}"
    codes = await asyncio.gather(*(door.status("POST", CONFIG_MAPS, body) for _ in range(8)))
    assert set(codes) <= {400, 422}


async def test_slow_and_half_gone_clients_are_in_nobodys_way(door: Door, ordinary: list[float]) -> None:
    """A hundred connections that never finish what they began."""
    beginnings = (
        b"",
        b"GET / HTT",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: ",
        b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{" % CONFIG_MAPS.encode(),
        b"POST %b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{" % CONFIG_MAPS.encode(),
    )
    writers = []
    for number in range(100):
        _, writer = await door.connect()
        writer.write(beginnings[number % len(beginnings)])
        writers.append(writer)
    ordinary.clear()
    for _ in range(20):
        for writer in writers[5:]:
            writer.write(b"a")
        await asyncio.sleep(0.02)
    for writer in writers:
        writer.transport.abort()
    assert len(ordinary) > 3


async def test_watchers_that_do_not_read_are_in_nobodys_way(door: Door, ordinary: list[float]) -> None:
    watch = f"GET {CONFIG_MAPS}?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    writers = []
    for _ in range(50):
        reader, writer = await door.connect()
        writer.write(watch)
        await reader.readuntil(b"\r\n\r\n")
        writers.append(writer)
    body = orjson.dumps({"metadata": {"name": "watched"}, "data": {"text": "x" * 500_000}})
    for _ in range(3):
        assert await door.status("POST", CONFIG_MAPS, body) == 201
        assert await door.status("DELETE", f"{CONFIG_MAPS}/watched", b"") == 200
    for writer in writers:
        writer.transport.abort()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01" * 1000,
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 50 + b"\x00" * 100,
        b"GET /" + b"a" * MEBIBYTE + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 100_000 + b"\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    ],
    ids=["noise", "pipelined", "long line", "many headers", "huge chunk", "huge length", "two lengths", "below zero"],
)
async def test_garbage_is_refused_and_the_connection_ends(door: Door, ordinary: list[float], garbage: bytes) -> None:
    answer = await door.exchange(garbage)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 ")
    last = answer.rpartition(b"HTTP/1.1 ")[2]
    assert last == b"" or last[:1] == b"4", last[:100]

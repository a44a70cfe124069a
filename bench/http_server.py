"""Requests a second, and processor time a request, of the server with TLS and a 2.2 KB answer over 16 connections.

The client takes a processor of its own; where it is the slower side, the processor time is what tells servers apart.

Peers, in the same run: a bare httptools protocol that writes a canned answer (what Python can do at most), and
uvicorn with the same application if it is installed. Run: `PYTHONPATH=src python bench/http_server.py [seconds]`.
"""

from __future__ import annotations

import asyncio
import datetime
import importlib.util
import multiprocessing
import os
import ssl
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httptools
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tiphys.base.http import Request, Response
from tiphys.server.app import App
from tiphys.server.listener import Server
from tiphys.server.tls import server_context

CONNECTIONS = 16
BODY = b'{"kind":"Pod","apiVersion":"v1","metadata":{"name":"x"},"spec":"%b"}' % (b"x" * 2140)
REQUEST = (
    b"GET /api/v1/namespaces/default/pods/x HTTP/1.1\r\nHost: 127.0.0.1:6443\r\nUser-Agent: bench\r\n"
    b"Accept: application/json\r\nAccept-Encoding: gzip\r\nKubectl-Session: 1234\r\n\r\n"
)
CANNED = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(BODY), BODY)


async def answer(_: Request) -> Response:
    return Response(200, BODY)


class Bare(asyncio.Protocol):
    """The least a Python server can do."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.transport.write(CANNED)


async def serve_tiphys(context: ssl.SSLContext) -> int:
    return await Server(App(answer), tls=context).listen()


async def serve_bare(context: ssl.SSLContext) -> int:
    server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", 0, ssl=context)
    return int(server.sockets[0].getsockname()[1])


def serve(start: Callable[[ssl.SSLContext], Any], certificate: str, key: str, ports: Any) -> None:
    async def run() -> None:
        ports.put(await start(server_context(certificate, key)))
        await asyncio.Event().wait()

    uvloop.run(run())


def serve_uvicorn(_: Any, certificate: str, key: str, ports: Any) -> None:
    import socket

    import uvicorn  # type: ignore[import-not-found]

    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        App(answer), ssl_certfile=certificate, ssl_keyfile=key, loop="uvloop", http="httptools", log_level="error"
    )
    ports.put(sock.getsockname()[1])
    uvicorn.Server(config).run(sockets=[sock])


class Client(asyncio.Protocol):
    """Sends a request, waits for the whole answer, sends the next."""

    def __init__(self) -> None:
        self.done = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.parser = httptools.HttpResponseParser(self)
        transport.write(REQUEST)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.done += 1
        self.transport.write(REQUEST)


def processor_seconds(pid: int) -> float:
    """User and system time of a process so far, from /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def load(port: int, pid: int, seconds: float) -> tuple[float, float]:
    """(requests a second, microseconds of the server's processor time a request)."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(Client, "127.0.0.1", port, ssl=context) for _ in range(CONNECTIONS)]
    clients = [client for _, client in made]
    await asyncio.sleep(0.5)
    before, begun, used = sum(c.done for c in clients), time.perf_counter(), processor_seconds(pid)
    await asyncio.sleep(seconds)
    done = sum(c.done for c in clients) - before
    rate, cost = done / (time.perf_counter() - begun), (processor_seconds(pid) - used) / done
    for transport, _ in made:
        transport.abort()
    return rate, cost * 1e6


def measure(target: Callable[..., None], start: Any, files: tuple[str, str], seconds: float) -> tuple[float, float]:
    ports: Any = multiprocessing.Queue()
    process = multiprocessing.Process(target=target, args=(start, *files, ports), daemon=True)
    process.start()
    port = ports.get(timeout=20)
    time.sleep(0.5 if target is serve_uvicorn else 0)
    try:
        return uvloop.run(load(port, process.pid or 0, seconds))
    finally:
        process.terminate()
        process.join()


def certificate(directory: Path) -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (directory / "cert.pem").write_bytes(pem)
    (directory / "key.pem").write_bytes(secret)
    return str(directory / "cert.pem"), str(directory / "key.pem")


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    with tempfile.TemporaryDirectory() as directory:
        files = certificate(Path(directory))
        results = {"bare httptools": measure(serve, serve_bare, files, seconds)}
        results["tiphys"] = measure(serve, serve_tiphys, files, seconds)
        if importlib.util.find_spec("uvicorn") is not None:
            results["uvicorn"] = measure(serve_uvicorn, None, files, seconds)
    ours = results["tiphys"]
    for name, (rate, cost) in results.items():
        ratio = f"tiphys serves {ours[0] / rate:.2f} and costs {ours[1] / cost:.2f} times that"
        print(f"{name:15} {rate:7.0f} /s {cost:6.1f} µs a request   {ratio}")
    if "uvicorn" not in results:
        print("uvicorn is not installed and was not measured")


if __name__ == "__main__":
    main()

"""The API server under load: `python bench/api.py [--quick]`. Each figure beside the peer's.

The peer is kube-apiserver 1.20 with etcd 3.4, measured on a machine of the same size (2 cores), as fixed figures
below; and, in this same run where Debian's etcd-server is installed, etcd itself for durable writes.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import load
import uvloop

ROOT = Path(__file__).parents[1]
TOKEN = "bench-token"
PEER = {"ready": 5.2, "empty": 368.0, "create": 1675.0, "create pod": 875.0, "get": 2550.0, "list": 1.48}
"""Seconds, MB (apiserver and etcd), requests a second: kube-apiserver 1.20 + etcd 3.4, TLS, 16 connections."""
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"generateName": "pod-", "labels": {"app": "bench", "tier": "web"}},
    "spec": {
        "containers": [
            {
                "name": name,
                "image": f"registry.example/{name}:1.0",
                "ports": [{"containerPort": 80}],
                "env": [{"name": "A", "value": "b"}],
                "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
            }
            for name in ("web", "side")
        ]
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    scale = 0.1 if parser.parse_args().quick else 1.0
    with tempfile.TemporaryDirectory(prefix="tiphys-bench-") as home:
        environment = {**os.environ, "TIPHYS_STATE_DIR": f"{home}/state", "KUBECONFIG": f"{home}/kubeconfig"}
        environment["PYTHONPATH"] = str(ROOT / "src")
        tokens = Path(home) / "tokens.csv"
        tokens.write_text(f'{TOKEN},bench,bench,"system:masters"\n')
        up = ["up", "--name", "bench", "--simulate", "0", "--token-file", str(tokens), "--output", "json"]
        began = time.perf_counter()
        told = _tiphys(environment, *up)
        ready = time.perf_counter() - began
        try:
            uvloop.run(_measure(told, ready, scale))
        finally:
            _tiphys(environment, "down", "--name", "bench", "--purge", "--output", "json")


async def _measure(told: dict[str, Any], ready: float, scale: float) -> None:
    server, ca = told["server"], str(Path(told["stateDir"]) / "pki" / "ca.pem")
    pid = int((Path(told["stateDir"]) / "lock").read_text())
    _row("start to ready", f"{ready:.2f} s", PEER["ready"] / ready)
    _row("memory, empty", f"{_memory(pid):.0f} MB", PEER["empty"] / _memory(pid))

    def send(method: str, path: str, body: bytes = b"") -> bytes:
        return load.request(server, method, path, TOKEN, body)

    def config_maps(count: int) -> Iterator[bytes]:
        for number in range(count):
            body = {"metadata": {"name": f"c{number}"}, "data": {"key": "v" * 1800}}
            yield send("POST", "/api/v1/namespaces/default/configmaps", json.dumps(body).encode())

    result = await load.run(server, ca, config_maps(int(15_000 * scale)))
    _check(result)
    _row(
        "create ConfigMap (durable)",
        f"{result.rate:.0f} /s, p99 {result.percentile(0.99) * 1e3:.1f} ms",
        result.rate / PEER["create"],
    )

    pod = json.dumps(POD).encode()
    count = int(10_000 * scale)
    result = await load.run(server, ca, (send("POST", "/api/v1/namespaces/default/pods", pod) for _ in range(count)))
    _check(result)
    _row("create Pod (durable)", f"{result.rate:.0f} /s", result.rate / PEER["create pod"])

    one = send("GET", "/api/v1/namespaces/default/configmaps/c1")
    result = await load.run(server, ca, (one for _ in range(int(40_000 * scale))))
    _check(result)
    _row(
        "get ConfigMap",
        f"{result.rate:.0f} /s, p99 {result.percentile(0.99) * 1e3:.1f} ms",
        result.rate / PEER["get"],
    )

    whole = send("GET", "/api/v1/namespaces/default/pods")
    result = await load.run(server, ca, (whole for _ in range(5)), connections=1)
    _check(result)
    _row(f"list {count} pods", f"{result.percentile(0.5):.3f} s", PEER["list"] * scale / result.percentile(0.5))
    _row(f"memory, {count} pods and {int(15_000 * scale)} ConfigMaps", f"{_memory(pid):.0f} MB", None)
    await _fan_out(server, ca, send, int(200 * scale) or 1)
    await _etcd(scale, durable)


async def _fan_out(server: str, ca: str, send: Any, watchers: int) -> None:
    """One write, many watchers: the time until all of them have the event."""
    import ssl
    from urllib.parse import urlsplit

    where = urlsplit(server)
    context = ssl.create_default_context(cafile=ca)
    streams = []
    for _ in range(watchers):
        reader, writer = await asyncio.open_connection(
            where.hostname, where.port, ssl=context, server_hostname="localhost"
        )
        writer.write(
            send(
                "GET",
                "/api/v1/namespaces/default/configmaps?watch=1&resourceVersion=0&fieldSelector=metadata.name%3Dfan",
            )
        )
        await reader.readuntil(b"\r\n\r\n")
        streams.append((reader, writer))
    body = json.dumps({"metadata": {"name": "fan"}, "data": {"k": "v"}}).encode()
    began = time.perf_counter()
    waiting = [asyncio.ensure_future(reader.readuntil(b'"name":"fan"')) for reader, _ in streams]
    await load.run(server, ca, iter([send("POST", "/api/v1/namespaces/default/configmaps", body)]), connections=1)
    await asyncio.gather(*waiting)
    _row(f"one event to {watchers} watchers", f"{(time.perf_counter() - began) * 1e3:.0f} ms", None)
    for _, writer in streams:
        writer.close()


async def _etcd(scale: float, durable: float) -> None:
    """etcd's own durable puts of the same size over 16 connections, through its JSON gateway without TLS."""
    if not shutil.which("etcd"):
        print("etcd is not installed (Debian: etcd-server): its durable puts are left out")
        return
    with tempfile.TemporaryDirectory(prefix="etcd-bench-") as data:
        client, peer = "http://127.0.0.1:23790", "http://127.0.0.1:23800"
        words = ["etcd", "--data-dir", data, "--listen-client-urls", client, "--advertise-client-urls", client]
        words += ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer]
        words += ["--initial-cluster", f"default={peer}", "--log-level", "warn"]
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            await _listening("127.0.0.1", 23790)
            result = await load.run(client, None, _puts(client, int(15_000 * scale)))
            _check(result)
            print(f"{'etcd put (durable), this run':<48} {result.rate:.0f} /s; ours is {durable / result.rate:.1f} x")
        finally:
            process.terminate()
            process.wait()


def _puts(server: str, count: int) -> Iterator[bytes]:
    value = base64.b64encode(b"v" * 2000).decode()
    for number in range(count):
        body = {"key": base64.b64encode(f"/registry/c{number}".encode()).decode(), "value": value}
        yield load.request(server, "POST", "/v3/kv/put", TOKEN, json.dumps(body).encode())


async def _listening(host: str, port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


def _tiphys(environment: dict[str, str], *words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tiphys.cli", *words], env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _memory(pid: int) -> float:
    """Resident megabytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def _check(result: load.Result) -> None:
    if result.bad:
        raise SystemExit(f"{result.bad} of {result.count} answers were not 2xx")


def _row(what: str, figure: str, ratio: float | None) -> None:
    print(f"{what:<48} {figure:<28} {f'{ratio:.1f} x the peer' if ratio else ''}".rstrip(), flush=True)


if __name__ == "__main__":
    main()

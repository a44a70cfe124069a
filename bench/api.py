"""The API server under load: `python bench/api.py [--quick]`. Each figure beside the peer's.

The peer is kube-apiserver 1.20 with etcd 3.4, measured on a machine of the same size (2 cores), as fixed figures
below; and, in this same run where Debian's etcd-server is installed, etcd itself for durable writes. The load comes
from one process beside the server's, over 16 TLS connections. `cpu` is the server's processor time a request, the
figure to compare by where others use the machine too.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import shutil
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import load
import uvloop
from cluster import Cluster, running

PEER = {"ready": 5.2, "empty": 368.0, "create": 1675.0, "create pod": 875.0, "get": 2550.0, "list": 1.48}
"""Seconds, MB (apiserver and etcd), requests a second: kube-apiserver 1.20 + etcd 3.4, TLS, 16 connections.
The list is of 9,661 pods."""
CONFIG_MAPS, PODS, GETS, LISTS, WATCHERS, STARTS = 15_000, 10_000, 40_000, 10, 200, 3
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"generateName": "pod-", "labels": {"app": "bench", "tier": "web"}},
    "spec": {
        "schedulerName": "nobody",
        "containers": [
            {
                "name": name,
                "image": f"registry.example/{name}:1.0",
                "ports": [{"containerPort": 80}],
                "env": [{"name": "A", "value": "b"}],
                "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
            }
            for name in ("web", "side")
        ],
    },
}
"""Two containers; nobody schedules it, since the peer had no scheduler either."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    scale = 0.1 if parser.parse_args().quick else 1.0
    _starts()
    with running(nodes=0) as cluster:
        durable = uvloop.run(_measure(cluster, scale))
    _etcd(int(CONFIG_MAPS * scale), durable)


def _starts() -> None:
    """The quickest of a few, each to `/readyz` ok with one simulated node Ready; memory when it has settled."""
    seconds, megabytes = [], []
    for _ in range(STARTS):
        with running(nodes=1) as cluster:
            seconds.append(cluster.ready)
            time.sleep(1)
            megabytes.append(cluster.memory())
    _row("start to ready", f"{min(seconds):.2f} s", PEER["ready"] / min(seconds))
    _row("memory, empty", f"{max(megabytes):.0f} MB", PEER["empty"] / max(megabytes))


async def _measure(cluster: Cluster, scale: float) -> float:
    """Durable creates a second."""
    config_maps, pods, gets = (int(count * scale) for count in (CONFIG_MAPS, PODS, GETS))
    send = cluster.send
    durable = await _rate(cluster, "create ConfigMap (durable)", _config_maps(cluster, config_maps), "create")
    pod = send("POST", "/api/v1/namespaces/default/pods", json.dumps(POD).encode())
    await _rate(cluster, "create Pod (durable)", (pod for _ in range(pods)), "create pod")
    one = send("GET", "/api/v1/namespaces/default/configmaps/c1")
    await _rate(cluster, "get ConfigMap", (one for _ in range(gets)), "get")
    whole = send("GET", "/api/v1/namespaces/default/pods")
    result = await load.run(cluster.server, cluster.ca, (whole for _ in range(LISTS)), connections=1)
    _check(result)
    median, peer = result.percentile(0.5), PEER["list"] * pods / 9_661
    _row(f"list {pods} pods", f"{median:.3f} s", peer / median)
    _row(f"memory, {pods} pods, {config_maps} ConfigMaps", f"{cluster.memory():.0f} MB", None)
    await _fan_out(cluster, int(WATCHERS * scale))
    return durable


async def _rate(cluster: Cluster, what: str, requests: Iterator[bytes], peer: str) -> float:
    began = cluster.processor()
    result = await load.run(cluster.server, cluster.ca, requests)
    _check(result)
    cost = (cluster.processor() - began) / result.count * 1e6
    figure = f"{result.rate:.0f} /s, p99 {result.percentile(0.99) * 1e3:.1f} ms, cpu {cost:.0f} µs"
    _row(what, figure, result.rate / PEER[peer])
    return result.rate


def _config_maps(cluster: Cluster, count: int) -> Iterator[bytes]:
    for number in range(count):
        head = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"c{number}"}}
        body = {**head, "data": {"key": "v" * 1800}}
        yield cluster.send("POST", "/api/v1/namespaces/default/configmaps", json.dumps(body).encode())


async def _fan_out(cluster: Cluster, watchers: int) -> None:
    """One write, many watchers of all ConfigMaps: the time until all of them have the event."""
    where = urlsplit(cluster.server)
    context = ssl.create_default_context(cafile=cluster.ca)
    streams = []
    for _ in range(watchers):
        reader, writer = await asyncio.open_connection(
            where.hostname, where.port, ssl=context, server_hostname="localhost"
        )
        writer.write(cluster.send("GET", "/api/v1/namespaces/bench/configmaps?watch=1"))
        await reader.readuntil(b"\r\n\r\n")
        streams.append((reader, writer))
    namespace = json.dumps({"metadata": {"name": "bench"}}).encode()
    body = json.dumps({"metadata": {"name": "fan"}, "data": {"k": "v"}}).encode()
    first = iter([cluster.send("POST", "/api/v1/namespaces", namespace)])
    _check(await load.run(cluster.server, cluster.ca, first, connections=1))
    waiting = [asyncio.ensure_future(reader.readuntil(b'"name":"fan"')) for reader, _ in streams]
    used, began = cluster.processor(), time.perf_counter()
    write = iter([cluster.send("POST", "/api/v1/namespaces/bench/configmaps", body)])
    _check(await load.run(cluster.server, cluster.ca, write, connections=1))
    await asyncio.gather(*waiting)
    spent = time.perf_counter() - began
    cost = (cluster.processor() - used) / watchers * 1e6
    _row(f"one event to {watchers} watchers", f"{spent * 1e3:.0f} ms, cpu {cost:.0f} µs a watcher", None)
    for _, writer in streams:
        writer.close()


def _etcd(count: int, durable: float) -> None:
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
            result = uvloop.run(_put_all(client, count))
            _check(result)
            print(f"{'etcd put (durable), this run':<44} {result.rate:.0f} /s; ours is {durable / result.rate:.2f} x")
        finally:
            process.terminate()
            process.wait()


async def _put_all(client: str, count: int) -> load.Result:
    await _listening("127.0.0.1", 23790)
    return await load.run(client, None, _puts(client, count))


def _puts(server: str, count: int) -> Iterator[bytes]:
    value = base64.b64encode(b"v" * 2000).decode()
    for number in range(count):
        body = {"key": base64.b64encode(f"/registry/c{number}".encode()).decode(), "value": value}
        yield load.request(server, "POST", "/v3/kv/put", "", json.dumps(body).encode())


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


def _check(result: load.Result) -> None:
    if result.bad:
        raise SystemExit(f"{result.bad} of {result.count} answers were not 2xx")


def _row(what: str, figure: str, ratio: float | None) -> None:
    print(f"{what:<44} {figure:<44} {f'{ratio:.1f} x the peer' if ratio else ''}".rstrip(), flush=True)


if __name__ == "__main__":
    main()

"""How fast the store is: durable creates against plain SQLite in the same run, lists, memory.

    PYTHONPATH=src python bench/store.py [--seconds 2] [--directory DIR]

The peer is SQLite as one would first use it: WAL, synchronous=FULL, one row a commit, from one thread. The ratio
is ours to its. DIR must be on a real disk; on tmpfs an fsync costs nothing and the ratio means nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import tempfile
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path

from tiphys.store.contract import Store
from tiphys.store.memory import MemoryStore
from tiphys.store.sqlite import SqliteStore

ROW = 2_000
RECORDS, RECORD = 10_000, 3_500
WRITERS = (1, 16, 64)


def value(size: int) -> bytes:
    head = b'{"apiVersion":"v1","kind":"Pod","metadata":{"resourceVersion":""},"data":"'
    return head + b"x" * (size - len(head) - 2) + b'"}'


def plain_commits(path: Path, seconds: float) -> float:
    """Single-row commits a second."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE log (revision INTEGER PRIMARY KEY, key TEXT, deleted INTEGER, value BLOB)")
    body, count, began = value(ROW), 0, time.perf_counter()
    while (spent := time.perf_counter() - began) < seconds:
        count += 1
        row = (count, f"/registry/pods/default/{count}", 0, body)
        connection.execute("INSERT INTO log VALUES (?, ?, ?, ?)", row)
    connection.close()
    return count / spent


async def creates(path: Path, writers: int, seconds: float) -> float:
    """Creates a second, each answered when it is durable."""
    store = SqliteStore(path)
    await store.open()
    body, began = value(ROW), time.perf_counter()

    async def write(writer: int) -> None:
        number = 0
        while time.perf_counter() - began < seconds:
            number += 1
            await store.create(f"/registry/pods/{writer}/{number}", body)

    await asyncio.gather(*(write(writer) for writer in range(writers)))
    spent = time.perf_counter() - began
    count = store.revision
    await store.close()
    return count / spent


async def fill(store: Store) -> None:
    for number in range(RECORDS):
        await store.create(f"/registry/pods/namespace-{number % 100}/pod-{number}", value(RECORD))
    await store.compact(store.revision)


async def reads() -> None:
    store = MemoryStore()
    await store.open()
    await fill(store)
    at = store.revision
    prefix, key = "/registry/pods/", "/registry/pods/namespace-7/pod-7"
    print(f"list of {RECORDS}, latest        {await _milliseconds(lambda: store.list(prefix), 20):8.2f} ms")
    for number in range(1_000):
        found = await store.get(f"/registry/pods/namespace-{number % 100}/pod-{number}")
        assert found is not None
        await store.update(found.key, found.value, expected=found.revision)
    past = await _milliseconds(lambda: store.list(prefix, at=at), 20)
    print(f"list of {RECORDS}, 1000 events ago {past:6.2f} ms")
    page = await _milliseconds(lambda: store.list(prefix, at=at, after=key, limit=500), 20)
    print(f"page of 500, 1000 events ago   {page:8.2f} ms")
    print(f"get                            {await _milliseconds(lambda: store.get(key), 20_000) * 1000:8.2f} µs")
    await store.close()


async def _milliseconds(call: Callable[[], Awaitable[object]], times: int) -> float:
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(times):
            await call()
        best = min(best, (time.perf_counter() - began) / times)
    return best * 1000


async def memory() -> None:
    store = MemoryStore()
    await store.open()
    tracemalloc.start()
    await fill(store)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    each = held / RECORDS
    print(f"memory per record of {RECORD} bytes  {each:6.0f} bytes (x {each / RECORD:.3f})")
    await store.close()


async def reopen(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    await asyncio.gather(*(store.create(f"/registry/pods/a/{n}", value(RECORD)) for n in range(RECORDS)))
    await store.close()
    began = time.perf_counter()
    await store.open()
    print(f"open with {RECORDS} records         {(time.perf_counter() - began) * 1000:8.2f} ms")
    await store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each measure of writes")
    parser.add_argument("--directory", type=Path, help="where the files are made (default: the system's)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.directory) as name:
        peer = plain_commits(Path(name) / "peer.db", options.seconds)
        print(f"plain SQLite, a row a commit     {peer:6.0f} /s")
        for writers in WRITERS:
            rate = asyncio.run(creates(Path(name) / f"{writers}.db", writers, options.seconds))
            print(f"durable creates, {writers:2} writers     {rate:8.0f} /s  (x {rate / peer:.2f})")
        asyncio.run(reopen(Path(name) / "reopen.db"))
    asyncio.run(reads())
    asyncio.run(memory())


if __name__ == "__main__":
    main()

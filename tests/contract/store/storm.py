"""The victim of `test_kill.py`: writes as fast as it can and says so only when the store has answered.

Run with the store's URL. Each line on standard output is `<revision> <key> <deleted: 0 or 1>`.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys

from tiphys.store.contract import Record, Store
from tiphys.store.open import open_store


def value(size: int) -> bytes:
    return b'{"metadata":{"resourceVersion":""},"data":"%b"}' % (b"x" * size)


async def write(store: Store, number: int) -> None:
    """One writer owns its keys, so that each of its writes must succeed."""
    chance = random.Random()
    while True:
        key = f"/registry/pods/n{number}/{chance.randrange(8)}"
        found = await store.get(key)
        body = value(chance.choice((10, 2_000, 60_000)))
        if found is None:
            say(await store.create(key, body), 0)
        elif chance.random() < 0.6:
            say(await store.update(key, body, expected=found.revision), 0)
        else:
            say(await store.delete(key, expected=found.revision), 1)


def say(record: Record, deleted: int) -> None:
    os.write(1, f"{record.revision} {record.key} {deleted}\n".encode())


async def compact(store: Store) -> None:
    while True:
        await store.compact(max(store.compacted, store.revision - 50))
        await asyncio.sleep(0)


async def main(url: str) -> None:
    store = open_store(url)
    await store.open()
    await asyncio.gather(compact(store), *(write(store, number) for number in range(16)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

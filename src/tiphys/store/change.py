"""A change between its acceptance and its durability.

A change has its revision and its stamped bytes from the moment it is accepted; what it waits for is the disk.
"""

from __future__ import annotations

import asyncio
from typing import Any

from tiphys.store.contract import Event, Record, StoreFailure, stamp
from tiphys.store.journal import Row


class Change:
    """An accepted event, its row, and the tasks that wait to hear whether it became durable."""

    __slots__ = ("_waiters", "event", "row")

    def __init__(self, event: Event, row: Row) -> None:
        self.event = event
        self.row = row
        self._waiters: list[asyncio.Future[StoreFailure | None]] = []

    async def durable(self) -> StoreFailure | None:
        """Wait for the outcome. Each caller waits on its own, so that a cancelled one disturbs no other."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        failure: StoreFailure | None = await waiter
        return failure

    def settle(self, failure: StoreFailure | None = None) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(failure)


def put(key: str, value: bytes, facts: Any, previous: Record | None, revision: int) -> Change:
    """Create or replace the object at `key`. Raises ValueError if the value has no place for the stamp."""
    key = previous.key if previous else key  # one string for all versions
    record = Record(key, stamp(value, revision), revision, facts)
    return Change(Event(revision, key, record, previous), Row(revision, key, 0, record.value))


def remove(previous: Record, value: bytes | None, revision: int) -> Change:
    """Delete `previous`; without `value` its final state is itself at the new revision, and need not be kept."""
    last = Record(previous.key, stamp(previous.value if value is None else value, revision), revision, previous.facts)
    row = Row(revision, previous.key, 1, None if value is None else last.value)
    return Change(Event(revision, previous.key, None, previous, last), row)

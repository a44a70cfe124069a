"""Work on large bodies beside the event loop, so that whoever sends three megabytes of nonsense waits alone.

Reading, defaulting and validating are plain functions of a document: a pod's takes some ten microseconds, a dense
body of the largest size takes seconds. Beyond LARGE they run in one thread of their own, one body at a time, which
also bounds the memory that parsing takes. Smaller bodies stay in the loop: a thread would cost more than the work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

LARGE = 64 * 1024
"""Bytes. The densest body below it takes a few tens of milliseconds."""

T = TypeVar("T")


class LargeBodies:
    """The thread for them, started by the first one."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="large-body")

    async def aside(self, size: int, work: Callable[[], T]) -> T:
        """What `work` returns or raises. `size` is that of the body, in bytes."""
        if size <= LARGE:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

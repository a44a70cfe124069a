"""Work on large bodies beside the event loop, so that whoever sends three megabytes of nonsense waits alone.

Reading, defaulting and validating are plain functions of a document: a pod's takes some ten microseconds, the densest
body of the largest size takes seconds. Beyond LARGE they run in a thread, one body at a time, which also bounds the
memory that parsing takes. Smaller ones stay in the loop, where a pod costs less than the way to a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

LARGE = 64 * 1024
"""Bytes of a body. The densest one below it takes a few tens of milliseconds."""

T = TypeVar("T")


class LargeBodies:
    """The thread for them, started by the first one."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="large-body")

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

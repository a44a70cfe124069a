"""The life of a server process: boot, be ready, serve until told to stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable

import uvloop

from tiphys.cluster.boot import boot
from tiphys.cluster.directory import ClusterDirectory
from tiphys.cluster.failure import ClusterFailure, UsageFailure
from tiphys.cluster.progress import Kind, Report
from tiphys.cluster.settings import Settings

log = logging.getLogger(__name__)
GC_THRESHOLD = 50_000
"""Objects between two collections of the youngest generation: the default of 700 costs a tenth under load."""
SWITCH_INTERVAL = 0.0005
"""Seconds a busy event loop may keep the interpreter from the store's thread, which comes back from each fsync with
writers waiting for it. The default of 5 ms is longer than the fsync and costs a tenth of the writes under load."""


def run(directory: ClusterDirectory, settings: Settings, report: Report) -> int:
    """Serve until SIGTERM or SIGINT; the exit code. A failure to boot is reported, not raised."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        uvloop.run(_serve(directory, settings, report))
    except (ClusterFailure, UsageFailure) as failure:
        misused = isinstance(failure, UsageFailure)
        report("misused" if misused else "failed", str(failure))
        return 2 if misused else 1
    except Exception as error:
        log.exception("the server failed")
        report("failed", f"the server failed: {error}; its log is {directory.log}")
        return 1
    return 0


def run_foreground(directory: ClusterDirectory, settings: Settings, progress: Callable[[Kind, str], None]) -> int:
    """As `run`, with failures raised to the command line."""
    failures: list[str] = []

    def report(kind: Kind, text: str) -> None:
        if kind in ("failed", "misused"):
            failures.append(text)
        progress(kind, text)

    code = run(directory, settings, report)
    if failures:
        raise (UsageFailure if code == 2 else ClusterFailure)(failures[0])
    return code


async def _serve(directory: ClusterDirectory, settings: Settings, report: Report) -> None:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    gc.disable()  # what boot makes stays: looking for garbage among it is for nothing
    async with boot(directory, settings, report):
        gc.collect()
        gc.freeze()
        gc.enable()
        sys.setswitchinterval(SWITCH_INTERVAL)
        gc.set_threshold(GC_THRESHOLD, 20, 50)
        report("ready", "")
        await stopping.wait()
        log.info("stopping")

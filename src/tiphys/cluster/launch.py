"""Starting a cluster in the background and stopping it: no polling, a pipe and a pidfd tell."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable

from tiphys.cluster.directory import ClusterDirectory
from tiphys.cluster.failure import ClusterFailure, UsageFailure
from tiphys.cluster.progress import Kind, read_line
from tiphys.cluster.settings import Settings

STOP_SECONDS = 30.0


def start(directory: ClusterDirectory, settings: Settings, report: Callable[[Kind, str], None]) -> None:
    """Start the daemon and return once it says it is ready. Raises ClusterFailure or UsageFailure in its words."""
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "tiphys.cluster.daemon", str(directory.root), directory.name, str(writing)]
    with open(directory.log, "ab") as log:
        process = subprocess.Popen(
            command,
            pass_fds=(writing,),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )
    os.close(writing)
    assert process.stdin is not None
    process.stdin.write(json.dumps(settings.document()).encode())
    process.stdin.close()
    with open(reading) as lines:
        for line in lines:
            kind, text = read_line(line)
            if kind in ("failed", "misused"):
                process.wait()
                raise (UsageFailure if kind == "misused" else ClusterFailure)(text)
            report(kind, text)
            if kind == "ready":
                process.returncode = 0  # it lives on by design; keeps Popen from warning about it
                return
    code = process.wait()
    raise ClusterFailure(f"the server ended with code {code} before it was ready; its log is {directory.log}")


def stop(directory: ClusterDirectory) -> bool:
    """Ask the running cluster to end and wait until it has; false if it does not run.

    Raises ClusterFailure if it has not ended after 30 s.
    """
    pid = directory.running()
    if not pid:
        return False
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        signal.pidfd_send_signal(descriptor, signal.SIGTERM)
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        if not poll.poll(STOP_SECONDS * 1000):
            raise ClusterFailure(f"pid {pid} did not end within {STOP_SECONDS:.0f} s; end it with: kill -9 {pid}")
    except ProcessLookupError:
        pass
    finally:
        os.close(descriptor)
    return True

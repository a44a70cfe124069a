"""A cluster for a benchmark: started as a user would, by the command line, in a process of its own.

The machine may be shared, so what a server costs is told in processor time (user and system, all its threads) beside
what the wall clock said.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import load

ROOT = Path(__file__).parents[1]
TOKEN = "bench-token"


@dataclass(frozen=True)
class Cluster:
    """A running cluster. `ready` is the seconds from the start of `tiphys up` to its end."""

    server: str
    ca: str
    pid: int
    ready: float

    def memory(self) -> float:
        """Resident megabytes."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0.0

    def processor(self) -> float:
        """User and system seconds so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def send(self, method: str, path: str, body: bytes = b"") -> bytes:
        return load.request(self.server, method, path, TOKEN, body)


@contextlib.contextmanager
def running(nodes: int) -> Iterator[Cluster]:
    """A fresh cluster of so many simulated nodes, purged at the end."""
    with tempfile.TemporaryDirectory(prefix="tiphys-bench-") as home:
        environment = {**os.environ, "TIPHYS_STATE_DIR": f"{home}/state", "KUBECONFIG": f"{home}/kubeconfig"}
        environment["PYTHONPATH"] = str(ROOT / "src")
        tokens = Path(home) / "tokens.csv"
        tokens.write_text(f'{TOKEN},bench,bench,"system:masters"\n')
        up = ["up", "--name", "bench", "--simulate", str(nodes), "--token-file", str(tokens), "--output", "json"]
        began = time.perf_counter()
        told = _tiphys(environment, *up)
        ready = time.perf_counter() - began
        state = Path(told["stateDir"])
        try:
            yield Cluster(told["server"], str(state / "pki" / "ca.pem"), int((state / "lock").read_text()), ready)
        finally:
            _tiphys(environment, "down", "--name", "bench", "--purge", "--output", "json")


def _tiphys(environment: dict[str, str], *words: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tiphys.cli", *words]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found

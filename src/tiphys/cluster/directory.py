"""Where a cluster keeps its state, and whether it runs.

`<root>/<name>/` holds everything of one cluster. A running cluster holds an exclusive lock on its `lock`
file, which the kernel lets go of whatever way the process ends; the file tells its process id.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tiphys.base.name_rules import dns1123_label
from tiphys.cluster.failure import ClusterFailure, UsageFailure
from tiphys.pki.files import write_atomically


def state_root(given: str | None, environment: Mapping[str, str]) -> Path:
    """The directory of all clusters: the option, else $TIPHYS_STATE_DIR, else below $XDG_STATE_HOME."""
    chosen = given or environment.get("TIPHYS_STATE_DIR")
    if chosen:
        return Path(chosen).expanduser().absolute()
    home = Path(environment.get("HOME") or "~").expanduser()
    return Path(environment.get("XDG_STATE_HOME") or home / ".local" / "state") / "tiphys"


@dataclass(frozen=True, slots=True)
class ClusterDirectory:
    """The files of one cluster."""

    root: Path
    name: str

    @property
    def path(self) -> Path:
        return self.root / self.name

    @property
    def pki(self) -> Path:
        return self.path / "pki"

    @property
    def store(self) -> Path:
        return self.path / "store.sqlite"

    @property
    def log(self) -> Path:
        return self.path / "server.log"

    def make(self) -> None:
        """Raises UsageFailure for a name that cannot be one, ClusterFailure if the directory cannot be had."""
        errors = dns1123_label(self.name)
        if errors:
            raise UsageFailure(f"cluster name {self.name!r}: {errors[0]}")
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            probe = self.path / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise ClusterFailure(
                f"cannot write to {self.path}: {error.strerror}; make it writable or choose another with --state-dir"
            ) from None

    def running(self) -> int | None:
        """The process id of the running cluster, None when it does not run."""
        try:
            descriptor = os.open(self.path / "lock", os.O_RDWR)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return int(os.read(descriptor, 32) or b"0")
        finally:
            os.close(descriptor)
        return None

    def lock(self) -> int:
        """Take the lock for the life of this process; returns the descriptor that holds it.

        Raises ClusterFailure if the cluster runs already.
        """
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid = os.read(descriptor, 32).decode()
            os.close(descriptor)
            raise already_running(self.name, pid) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        return descriptor

    def saved(self) -> dict[str, Any]:
        """What the last `up` wrote with `save`; empty for a new cluster."""
        try:
            loaded = json.loads((self.path / "cluster.json").read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ClusterFailure(
                f"cannot read {self.path / 'cluster.json'}: {error}; remove it to start anew"
            ) from None
        return loaded if isinstance(loaded, dict) else {}

    def save(self, settings: Mapping[str, Any]) -> None:
        write_atomically(self.path / "cluster.json", json.dumps(settings, indent=2).encode(), 0o600)

    def purge(self) -> None:
        shutil.rmtree(self.path, ignore_errors=False)


def already_running(name: str, pid: object) -> ClusterFailure:
    return ClusterFailure(f"cluster {name!r} is already running (pid {pid}); stop it with: tiphys down --name {name}")


def clusters(root: Path) -> list[ClusterDirectory]:
    """Every cluster below the root, sorted by name."""
    if not root.is_dir():
        return []
    names = sorted(entry.name for entry in root.iterdir() if (entry / "cluster.json").exists())
    return [ClusterDirectory(root, name) for name in names]

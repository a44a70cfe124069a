"""A running cluster for real clients, and the clients: each kubectl as it comes from its package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".tools" / "kubectl"
KUBECTL_VERSIONS = ("1.20", "1.32", "1.37")


@dataclass(frozen=True)
class TiphysCommand:
    """The `tiphys` command with a state directory and a kubeconfig of its own."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tiphys.cli", *words]
        done = subprocess.run(command, capture_output=True, text=True, env=self.env(), timeout=60)
        assert not check or done.returncode == 0, f"{words}: {done.stderr or done.stdout}"
        return done

    def env(self) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT / "src"),
            "TIPHYS_STATE_DIR": str(self.home / "state"),
            "KUBECONFIG": str(self.kubeconfig),
            "HOME": str(self.home),
            **self.environment,
        }

    @property
    def kubeconfig(self) -> Path:
        return self.home / "kubeconfig"


@dataclass(frozen=True)
class RunningCluster:
    """A cluster that is up: where it listens, and what leads to it."""

    command: TiphysCommand
    name: str
    told: dict[str, Any]

    @property
    def server(self) -> str:
        return str(self.told["server"])

    @property
    def kubeconfig(self) -> str:
        return str(self.command.kubeconfig)

    @property
    def pki(self) -> Path:
        return Path(self.told["stateDir"]) / "pki"


@dataclass(frozen=True)
class Kubectl:
    """One kubectl of one version, with the cluster's kubeconfig."""

    version: str
    binary: Path
    environment: dict[str, str]

    def run(self, *words: str, stdin: str = "", timeout: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.binary), *words],
            input=stdin,
            capture_output=True,
            text=True,
            env=self.environment,
            timeout=timeout,
        )

    def __call__(self, *words: str, stdin: str = "") -> str:
        """Standard output of a command that must succeed."""
        done = self.run(*words, stdin=stdin)
        assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
        return done.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "-o", "json"))


@pytest.fixture(scope="session")
def tiphys(tmp_path_factory: pytest.TempPathFactory) -> TiphysCommand:
    return TiphysCommand(tmp_path_factory.mktemp("tiphys"))


StartCluster = Callable[..., RunningCluster]


@pytest.fixture(scope="session")
def start_cluster(tiphys: TiphysCommand) -> Iterator[StartCluster]:
    """Starts clusters with further options for `up`; all are stopped and purged at the end."""
    names: list[str] = []

    def start(name: str, *options: str) -> RunningCluster:
        names.append(name)
        done = tiphys("up", "--name", name, "--output", "json", *options)
        return RunningCluster(tiphys, name, json.loads(done.stdout))

    yield start
    for name in names:
        tiphys("down", "--name", name, "--purge")


@pytest.fixture(scope="session")
def cluster(start_cluster: StartCluster) -> RunningCluster:
    """A cluster of three simulated nodes, shared by the session."""
    return start_cluster("clients", "--simulate", "3")


@pytest.fixture(params=KUBECTL_VERSIONS, scope="module")
def kubectl(request: pytest.FixtureRequest, cluster: RunningCluster) -> Kubectl:
    """Each kubectl in turn."""
    return kubectl_of(request.param, cluster)


def kubectl_of(version: str, cluster: RunningCluster) -> Kubectl:
    binary = TOOLS / version / "kubectl"
    assert binary.exists(), f"kubectl {version} is missing; scripts/kubectls puts it there"
    return Kubectl(version, binary, cluster.command.env())


@pytest.fixture
def namespace(kubectl: Kubectl, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of this test's own, gone when the test ends."""
    name = "t-" + "".join(c if c.isalnum() else "-" for c in request.node.name.lower()).strip("-")[:50].strip("-")
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name)

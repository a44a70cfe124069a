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
from uuid import uuid4

import pytest

from tests.clients import documents

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
def start_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartCluster]:
    """Starts clusters with further options for `up`; all are stopped and purged at the end.

    Each has a kubeconfig of its own: a second cluster must not become the current context of the first's clients.
    """
    started: list[tuple[TiphysCommand, str]] = []

    def start(name: str, *options: str) -> RunningCluster:
        command = TiphysCommand(tmp_path_factory.mktemp(name))
        started.append((command, name))
        done = command("up", "--name", name, "--output", "json", *options)
        return RunningCluster(command, name, json.loads(done.stdout))

    yield start
    for command, name in started:
        command("down", "--name", name, "--purge")


@pytest.fixture(scope="session")
def cluster(start_cluster: StartCluster) -> RunningCluster:
    """A cluster of three simulated nodes, shared by the session."""
    return start_cluster("clients", "--simulate", "3")


@dataclass(frozen=True)
class ForgetfulCluster:
    """A cluster that keeps half a second of history, and a version that it has forgotten."""

    cluster: RunningCluster
    version: str


@pytest.fixture(scope="session")
def forgetful(start_cluster: StartCluster, tmp_path_factory: pytest.TempPathFactory) -> ForgetfulCluster:
    """Where clients learn what 410 is: waits until the version of its first ConfigMap is gone from history."""
    config = tmp_path_factory.mktemp("forgetful") / "cluster.yaml"
    config.write_text("kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\ntiphys: {historySeconds: 0.5}\n")
    cluster = start_cluster("forgetful", "--config", str(config))
    kubectl = kubectl_of("1.32", cluster)
    made = kubectl.json("create", "configmap", "first", "--dry-run=client")
    version = json.loads(kubectl("create", "-f", "-", "-o", "json", stdin=json.dumps(made)))["metadata"][
        "resourceVersion"
    ]
    listed = f"/api/v1/configmaps?resourceVersion={version}&resourceVersionMatch=Exact&limit=1"
    for turn in range(1000):
        kubectl("annotate", "configmap", "first", f"turn={turn}", "--overwrite")
        if "too old" in kubectl.run("get", "--raw", listed).stderr:
            return ForgetfulCluster(cluster, version)
    raise AssertionError(f"version {version} is never forgotten")


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
    kubectl("create", "-f", "-", stdin=json.dumps(documents.namespace(name)))
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def fresh(cluster: RunningCluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of this test's own for a client that is not kubectl, asked to go when the test ends."""
    name = "p-" + "".join(c if c.isalnum() else "-" for c in request.node.name.lower())[:40] + "-" + uuid4().hex[:8]
    kubectl = kubectl_of("1.32", cluster)
    kubectl("create", "-f", "-", stdin=json.dumps(documents.namespace(name)))
    yield name
    kubectl("delete", "namespace", name, "--wait=false")

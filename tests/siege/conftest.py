"""A running cluster to lay siege to, and the administrator's way in."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.clients.conftest import RunningCluster, TiphysCommand


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    """A cluster without nodes, in a process of its own."""
    command = TiphysCommand(tmp_path_factory.mktemp("siege"))
    told = command("up", "--name", "siege", "--simulate", "0", "--output", "json").stdout
    yield RunningCluster(command, "siege", json.loads(told))
    command("down", "--name", "siege", "--purge")

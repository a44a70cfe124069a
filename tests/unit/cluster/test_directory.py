"""The cluster's directory and its lock. Expectations are ours."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tiphys.cluster.directory import ClusterDirectory, clusters, state_root
from tiphys.cluster.failure import ClusterFailure, UsageFailure


def test_root_by_weight(tmp_path: Path) -> None:
    home = {"HOME": "/home/x"}
    assert state_root(None, home) == Path("/home/x/.local/state/tiphys")
    assert state_root(None, {**home, "XDG_STATE_HOME": "/s"}) == Path("/s/tiphys")
    assert state_root(None, {**home, "TIPHYS_STATE_DIR": "/t"}) == Path("/t")
    assert state_root("/given", {"TIPHYS_STATE_DIR": "/t"}) == Path("/given")


def test_a_name_must_be_a_label(tmp_path: Path) -> None:
    for name in ("", "../x", "A", "a_b"):
        with pytest.raises(UsageFailure, match="cluster name"):
            ClusterDirectory(tmp_path, name).make()


def test_the_lock_tells_who_runs(tmp_path: Path) -> None:
    directory = ClusterDirectory(tmp_path, "dev")
    directory.make()
    assert directory.running() is None
    held = directory.lock()
    assert directory.running() == os.getpid()
    with pytest.raises(ClusterFailure, match=rf"already running \(pid {os.getpid()}\).*tiphys down --name dev"):
        directory.lock()
    os.close(held)
    assert directory.running() is None


def test_saved_settings_and_the_list(tmp_path: Path) -> None:
    assert clusters(tmp_path / "none") == []
    for name in ("b", "a"):
        directory = ClusterDirectory(tmp_path, name)
        directory.make()
        directory.save({"name": name})
    assert [found.name for found in clusters(tmp_path)] == ["a", "b"]
    assert ClusterDirectory(tmp_path, "a").saved() == {"name": "a"}
    ClusterDirectory(tmp_path, "a").purge()
    assert [found.name for found in clusters(tmp_path)] == ["b"]


def test_an_unusable_directory_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ClusterFailure, match="--state-dir"):
        ClusterDirectory(tmp_path / "file", "dev").make()

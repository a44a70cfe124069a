"""Options that several commands share, and where they lead."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import click

from tiphys.cluster.directory import ClusterDirectory, state_root
from tiphys.cluster.failure import ClusterFailure

DEFAULT_NAME = "tiphys"
Command = Callable[..., Any]

name = click.option("--name", default=DEFAULT_NAME, show_default=True, help="Name of the cluster.")
state_dir = click.option("--state-dir", metavar="DIR", help="Directory of all clusters' state [$TIPHYS_STATE_DIR].")
output = click.option(
    "--output", "-o", type=click.Choice(["text", "json"]), default="text", help="Form of the output."
)


def directory(state_dir: str | None, name: str) -> ClusterDirectory:
    return ClusterDirectory(state_root(state_dir, os.environ), name)


def existing(state_dir: str | None, name: str) -> ClusterDirectory:
    """The directory of a cluster that was started before. Raises ClusterFailure if there is none."""
    found = directory(state_dir, name)
    if not found.saved():
        raise ClusterFailure(f"there is no cluster {name!r} below {found.root}; see: tiphys list")
    return found

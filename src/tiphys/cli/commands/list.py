"""`tiphys list`: the clusters of this user."""

from __future__ import annotations

import os

import click

from tiphys.cli import options
from tiphys.cli.output import show, table
from tiphys.cluster.directory import ClusterDirectory, clusters, state_root
from tiphys.cluster.kubeconfig_entry import server_url
from tiphys.cluster.settings import from_document


@click.command(name="list")
@options.state_dir
@options.output
def list_clusters(state_dir: str | None, output: str) -> None:
    """List clusters, running or not."""
    rows = [_row(directory) for directory in clusters(state_root(state_dir, os.environ))]
    if output == "json":
        show(rows)
        return
    header = ("NAME", "STATUS", "VERSION", "SERVER", "NODES")
    table(header, [tuple(str(row[key]) for key in ("name", "status", "version", "server", "nodes")) for row in rows])


def _row(directory: ClusterDirectory) -> dict[str, str | int]:
    settings = from_document(directory.saved())
    return {
        "name": directory.name,
        "status": "Running" if directory.running() is not None else "Stopped",
        "version": f"v1.{settings.minor}",
        "server": server_url(settings),
        "nodes": len(settings.nodes),
    }


COMMAND = list_clusters

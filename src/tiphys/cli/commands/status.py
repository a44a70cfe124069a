"""`tiphys status`: whether a cluster runs and is well."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from tiphys.cli import options
from tiphys.cli.output import show
from tiphys.cluster import kubeconfig_entry, probe
from tiphys.cluster.settings import from_document


@click.command()
@options.name
@options.state_dir
@options.output
def status(name: str, state_dir: str | None, output: str) -> None:
    """Show a cluster's state; the exit code is 0 only if it is ready."""
    directory = options.existing(state_dir, name)
    settings = from_document(directory.saved())
    pid = directory.running()
    found: dict[str, Any] = {"name": name, "running": pid is not None, "pid": pid, "stateDir": str(directory.path)}
    found |= kubeconfig_entry.describe(settings)
    found |= asyncio.run(probe.look(directory, settings)) if pid is not None else {"ready": False}
    if output == "json":
        show(found)
    else:
        _tell(found)
    raise SystemExit(0 if found["ready"] else 1)


def _tell(found: dict[str, Any]) -> None:
    if not found["running"]:
        click.echo(f"Cluster {found['name']} is stopped; its state is in {found['stateDir']}")
        return
    state = "ready" if found["ready"] else f"not ready: {found['why']}"
    click.echo(f"Cluster {found['name']} is {state} (pid {found['pid']}) at {found['server']}")
    if found["ready"]:
        nodes = f"{found['nodesReady']} of {found['nodes']} nodes ready"
        click.echo(f"Kubernetes {found['version']}, {nodes}, {found['pods']} pods")


COMMAND = status

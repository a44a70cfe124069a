"""`tiphys down`: stop a cluster; its state stays unless it is purged."""

from __future__ import annotations

import click

from tiphys.cli import options
from tiphys.cli.output import show
from tiphys.cluster import kubeconfig_entry, launch
from tiphys.cluster.settings import from_document


@click.command()
@options.name
@options.state_dir
@click.option("--purge", is_flag=True, help="Remove the cluster's state too.")
@options.output
def down(name: str, state_dir: str | None, purge: bool, output: str) -> None:
    """Stop a cluster and take its context out of the kubeconfig."""
    directory = options.existing(state_dir, name)
    settings = from_document(directory.saved())
    stopped = launch.stop(directory)
    kubeconfig_entry.remove(settings)
    if purge:
        directory.purge()
    if output == "json":
        show({"name": name, "stopped": stopped, "purged": purge})
        return
    click.echo(
        f"Cluster {name} {'stopped' if stopped else 'was not running'}{'; its state is removed' if purge else ''}"
    )


COMMAND = down

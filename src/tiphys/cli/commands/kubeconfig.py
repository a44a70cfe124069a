"""`tiphys kubeconfig`: the administrator's kubeconfig, printed."""

from __future__ import annotations

import click

from tiphys.cli import options
from tiphys.cli.output import show
from tiphys.cluster import kubeconfig_entry
from tiphys.cluster.settings import from_document
from tiphys.pki.kubeconfig import dump


@click.command()
@options.name
@options.state_dir
@options.output
def kubeconfig(name: str, state_dir: str | None, output: str) -> None:
    """Print a kubeconfig for a cluster."""
    directory = options.existing(state_dir, name)
    config = kubeconfig_entry.admin(directory, from_document(directory.saved()))
    if output == "json":
        show(config)
        return
    click.echo(dump(config), nl=False)


COMMAND = kubeconfig

"""`tiphys version`: this release, and the Kubernetes versions it can be."""

from __future__ import annotations

import click

from tiphys import __version__
from tiphys.cli import options
from tiphys.cli.output import show
from tiphys.schema.definitions import SUPPORTED_MINORS


@click.command()
@options.output
def version(output: str) -> None:
    """Show the version of Tiphys and of Kubernetes."""
    versions = [f"1.{minor}" for minor in SUPPORTED_MINORS]
    if output == "json":
        show({"tiphys": __version__, "kubernetes": versions})
        return
    click.echo(f"tiphys {__version__}")
    click.echo(f"Kubernetes {versions[0]} to {versions[-1]}")


COMMAND = version

"""`tiphys pki cert info FILE`: `certinfo` with its file as an argument."""

from __future__ import annotations

import click

from tiphys.cli.pki.certinfo import certinfo


@click.group()
def cert() -> None:
    """A certificate of a file."""


@cert.command()
@click.argument("file")
@click.pass_context
def info(context: click.Context, file: str) -> None:
    """Show a certificate as JSON."""
    context.invoke(certinfo, cert=file)


COMMAND = cert

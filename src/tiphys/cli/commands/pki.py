"""`tiphys pki`: certificates made and read as cfssl does, without cfssl."""

from __future__ import annotations

import click

from tiphys.cli.lazy import LazyGroup


@click.group(cls=LazyGroup, package="tiphys.cli.pki")
def pki() -> None:
    """Keys and certificates, in cfssl's files and words."""


COMMAND = pki

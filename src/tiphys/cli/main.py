"""`tiphys`: the command line, over click."""

from __future__ import annotations

import sys

import click

from tiphys.cli.lazy import LazyGroup
from tiphys.cluster.failure import ClusterFailure, UsageFailure


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def tiphys() -> None:
    """A whole Kubernetes cluster in Python."""


def main() -> None:
    """Run a command; failures are one line on standard error: exit 2 for wrong use, 1 for the rest."""
    try:
        code = tiphys.main(standalone_mode=False)
    except UsageFailure as failure:
        _end(str(failure), 2)
    except ClusterFailure as failure:
        _end(str(failure), 1)
    except click.UsageError as failure:
        _end(failure.format_message(), 2)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as failure:
        _end(failure.format_message(), failure.exit_code)
    else:
        sys.exit(code if isinstance(code, int) else 0)


def _end(message: str, code: int) -> None:
    click.echo(f"tiphys: {message}", err=True)
    sys.exit(code)

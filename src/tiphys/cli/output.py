"""How commands speak: bullets on a terminal, plain lines elsewhere, JSON where a script asked for it."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from tiphys.cluster.progress import Kind


class Progress:
    """Prints the steps of a boot; silent for JSON output."""

    def __init__(self, output: str) -> None:
        self._silent = output == "json"
        self._terminal = sys.stderr.isatty()

    def __call__(self, kind: Kind, text: str) -> None:
        if self._silent or kind not in ("begin", "done"):
            return
        if not self._terminal:
            if kind == "done":
                click.echo(text, err=True)
        elif kind == "begin":
            click.echo(f"• {text} …", err=True, nl=False)
        else:
            click.echo(f"\r\x1b[K✓ {text}", err=True)


def show(document: Any) -> None:
    click.echo(json.dumps(document, indent=2))


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Columns as kubectl prints them: upper-case header, three spaces between."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    for row in [header, *rows]:
        click.echo("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

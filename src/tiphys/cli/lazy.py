"""Commands found in a folder and imported only when they are run."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import click


class LazyGroup(click.Group):
    """A group whose commands are the modules of `package`, each exporting `COMMAND`."""

    def __init__(self, *args: Any, package: str = "tiphys.cli.commands", **options: Any) -> None:
        super().__init__(*args, **options)
        self._package = package

    def list_commands(self, context: click.Context) -> list[str]:
        path = importlib.import_module(self._package).__path__
        return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(path))

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self.list_commands(context):
            return None
        command = importlib.import_module(f"{self._package}.{name.replace('-', '_')}").COMMAND
        return command if isinstance(command, click.Command) else None

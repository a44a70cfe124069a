"""Commands found in the folder `commands/` and imported only when they are run."""

from __future__ import annotations

import importlib
import pkgutil

import click

from tiphys.cli import commands


class LazyGroup(click.Group):
    """A group whose commands are the modules of `tiphys.cli.commands`, each exporting `COMMAND`."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(module.name for module in pkgutil.iter_modules(commands.__path__))

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self.list_commands(context):
            return None
        command = importlib.import_module(f"{commands.__name__}.{name}").COMMAND
        return command if isinstance(command, click.Command) else None

"""Progress of a boot, told step by step: by a daemon to the command that started it, or to the terminal."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any, Literal

Kind = Literal["begin", "done", "ready", "failed", "misused"]
Report = Callable[[Kind, str], None]
"""`begin` and `done` carry the step's name, `ready` nothing, `failed` and `misused` the line for the operator."""


def pipe_report(descriptor: int) -> Report:
    """A report that writes JSON lines to a pipe, and closes it when the boot has ended either way."""

    def report(kind: Kind, text: str) -> None:
        try:
            os.write(descriptor, json.dumps([kind, text]).encode() + b"\n")
            if kind in ("ready", "failed", "misused"):
                os.close(descriptor)
        except OSError:
            pass  # the command that started us is gone; the cluster goes on

    return report


def read_line(line: str) -> tuple[Kind, str]:
    """One line of `pipe_report`."""
    entry: Any = json.loads(line)
    return entry[0], entry[1]

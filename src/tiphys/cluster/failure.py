"""A failure an operator can mend: one line that says what is wrong and how to put it right."""

from __future__ import annotations


class ClusterFailure(Exception):
    """Something about the machine, not about how the command was used. The message carries the remedy."""


class UsageFailure(Exception):
    """The command or its configuration file was used wrongly: one clear line, exit code 2."""

"""What the commands that stand in for cfssl share: its log on standard error, its options, how it fails.

Options are Go's: `-ca=FILE`, `-ca FILE`, `--ca=FILE` all mean the same.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from tiphys.pki import bare_files
from tiphys.pki.pki_error import PkiError
from tiphys.pki.profile import SigningConfig, read_config

Command = TypeVar("Command", bound=Callable[..., Any])
_NAMES_OF_SYSTEM_ERRORS = {2: "no such file or directory", 13: "permission denied", 21: "is a directory"}


def option(name: str, help: str, **more: Any) -> Callable[[Command], Command]:
    """An option with one dash or two."""
    return click.option(f"-{name}", f"--{name}", name.replace("-", "_"), help=help, **more)


ca = option("ca", "CA used to sign the new certificate", metavar="FILE")
ca_key = option("ca-key", "CA private key", metavar="FILE")
config = option("config", "Signing config with profiles", metavar="FILE")
profile = option("profile", "Signing profile to use", default="")
hostname = option("hostname", "Host names for the certificate, separated by commas", default="")
bare = option("bare", "Write NAME.pem, NAME-key.pem and NAME.csr instead of JSON", metavar="NAME")


def speaks_cfssl(command: Callable[..., None]) -> Callable[..., None]:
    """Log lines of the work go to standard error; a refusal is one line there, and exit code 1."""

    @functools.wraps(command)
    def wrapped(*args: Any, **options: Any) -> None:
        _log_to_stderr()
        try:
            command(*args, **options)
        except (PkiError, OSError) as error:
            click.echo(words(error), err=True)
            sys.exit(1)

    return wrapped


def words(error: Exception) -> str:
    """As Go words what the system refused: `open x: no such file or directory`."""
    if not isinstance(error, OSError) or error.filename is None:
        return str(error)
    why = _NAMES_OF_SYSTEM_ERRORS.get(error.errno or 0, (error.strerror or "").lower())
    return f"open {os.fsdecode(error.filename)}: {why}"


def read(path: str) -> bytes:
    """A file, or standard input for `-`. Raises OSError."""
    return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()


def read_profiles(path: str | None) -> SigningConfig | None:
    """Raises PkiError in the words of cfssl's command line."""
    if path is None:
        return None
    try:
        return read_config(Path(path))
    except PkiError as error:
        raise PkiError(f"Failed to load config file: {error}") from None


def show(parts: Mapping[str, bytes], bare: str | None) -> None:
    if bare is None:
        click.echo(bare_files.to_json(parts))
    else:
        bare_files.write(parts, bare)


def _log_to_stderr() -> None:
    """Go's log format: `2022/06/08 03:46:08 [INFO] encoded CSR`."""
    log = logging.getLogger("tiphys.pki")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s [%(levelname)s] %(message)s", "%Y/%m/%d %H:%M:%S"))
    log.handlers[:] = [handler]
    log.setLevel(logging.INFO)
    log.propagate = False

"""`tiphys pki json`: files out of the JSON that gencert and sign print (cfssljson)."""

from __future__ import annotations

import click

from tiphys.cli import cfssl
from tiphys.pki import bare_files


@click.command(name="json")
@cfssl.option("bare", "The JSON is cfssl's own, not wrapped in an answer of its API", is_flag=True)
@cfssl.option("f", "JSON input", default="-", metavar="FILE")
@cfssl.option("stdout", "Print instead of writing files", is_flag=True)
@click.argument("name", default="cert")
@cfssl.speaks_cfssl
def from_json(bare: bool, f: str, stdout: bool, name: str) -> None:
    """Write NAME.pem, NAME-key.pem and NAME.csr.

    Both kinds of input are told apart by what they hold; -bare is taken for cfssljson's sake.
    """
    parts = bare_files.from_json(cfssl.read(f))
    if not stdout:
        bare_files.write(parts, name)
        return
    for part in parts.values():
        click.echo(part.decode())


COMMAND = from_json

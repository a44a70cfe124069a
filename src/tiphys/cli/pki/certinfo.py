"""`tiphys pki certinfo`: what a certificate says (cfssl `cli/certinfo`)."""

from __future__ import annotations

import json

import click

from tiphys.cli import cfssl
from tiphys.pki.certificate_info import describe
from tiphys.pki.pki_error import PkiError
from tiphys.pki.signer import load_certificate


@click.command()
@cfssl.option("cert", "Certificate to read, - for standard input", metavar="FILE")
@cfssl.speaks_cfssl
def certinfo(cert: str | None) -> None:
    """Show a certificate as JSON."""
    if cert is None:
        raise PkiError("Must specify certinfo target through -cert")
    info = describe(load_certificate(cfssl.read(cert)))
    click.echo(json.dumps(info, indent=2, ensure_ascii=False))


COMMAND = certinfo

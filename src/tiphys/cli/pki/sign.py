"""`tiphys pki sign`: a certificate for a request that is there (cfssl `cli/sign`)."""

from __future__ import annotations

import time

import click

from tiphys.cli import cfssl
from tiphys.cli.pki.gencert import read_signer
from tiphys.pki.pki_error import PkiError


@click.command()
@cfssl.ca
@cfssl.ca_key
@cfssl.config
@cfssl.profile
@cfssl.hostname
@cfssl.option("csr", "PEM file of the request, instead of the argument", metavar="FILE")
@cfssl.bare
@click.argument("request", required=False)
@cfssl.speaks_cfssl
def sign(
    ca: str | None,
    ca_key: str | None,
    config: str | None,
    profile: str,
    hostname: str,
    csr: str | None,
    bare: str | None,
    request: str | None,
) -> None:
    """Sign REQUEST, a PEM file, or standard input for `-`."""
    profiles = cfssl.read_profiles(config)
    source = csr or request
    if source is None:
        raise PkiError("not enough arguments are supplied --- please refer to the usage")
    pem = cfssl.read(source)
    if ca is None or ca_key is None:
        missing, flag = ("certificate", "-ca") if ca is None else ("key", "-ca-key")
        raise PkiError(f"need CA {missing} (provide one with {flag})")
    hosts = hostname.split(",") if hostname else None
    certificate = read_signer((ca, ca_key), profiles).sign(pem, time.time(), profile=profile, hosts=hosts)
    cfssl.show({"cert": certificate, "csr": pem}, bare)


COMMAND = sign

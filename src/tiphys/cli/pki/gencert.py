"""`tiphys pki gencert`: a new key and its certificate from a request in JSON (cfssl `cli/gencert`)."""

from __future__ import annotations

import dataclasses
import logging
import time

import click

from tiphys.cli import cfssl
from tiphys.pki import initca
from tiphys.pki.certificate_request import CertificateRequest, process
from tiphys.pki.key_request import key_pem, load_key
from tiphys.pki.pair import Pair
from tiphys.pki.pki_error import PkiError
from tiphys.pki.profile import SigningConfig
from tiphys.pki.signer import Signer

log = logging.getLogger("tiphys.pki")
_WITHOUT_HOSTS = """\
This certificate lacks a "hosts" field. This makes it unsuitable for
websites. For more information see the Baseline Requirements for the Issuance and Management
of Publicly-Trusted Certificates, v.1.1.6, from the CA/Browser Forum (https://cabforum.org);
specifically, section 10.2.3 ("Information Requirements")."""


@click.command()
@cfssl.option("initca", "Make a new CA", is_flag=True)
@cfssl.ca
@cfssl.ca_key
@cfssl.config
@cfssl.profile
@cfssl.hostname
@cfssl.option("cn", "Common name, instead of the request's", default="")
@cfssl.bare
@click.argument("csr_json", required=False)
@cfssl.speaks_cfssl
def gencert(
    initca: bool,
    ca: str | None,
    ca_key: str | None,
    config: str | None,
    profile: str,
    hostname: str,
    cn: str,
    bare: str | None,
    csr_json: str | None,
) -> None:
    """Generate a new key and signed certificate from CSR_JSON, or from standard input for `-`."""
    profiles = cfssl.read_profiles(config)
    if csr_json is None:
        raise PkiError("not enough arguments are supplied --- please refer to the usage")
    request = CertificateRequest.read(cfssl.read(csr_json))
    if cn:
        request = dataclasses.replace(request, common_name=cn)
    if initca:
        cfssl.show(_new_authority(request, ca_key), bare)
        return
    if request.ca is not None:
        raise PkiError("ca section only permitted in initca")
    hosts = hostname.split(",") if hostname else None
    if ca is None or ca_key is None:
        raise PkiError(f"need a CA {'certificate' if ca is None else 'key'} (provide one with {_missing(ca)})")
    cfssl.show(_certificate(request, (ca, ca_key), profiles, profile, hosts), bare)


def _missing(ca: str | None) -> str:
    return "-ca" if ca is None else "-ca-key"


def _new_authority(request: CertificateRequest, ca_key: str | None) -> dict[str, bytes]:
    if ca_key is not None:
        log.info("re-generate a CA certificate from CSR and CA key")
        return initca.renew(request, load_key(cfssl.read(ca_key)), time.time())
    log.info("generating a new CA key and certificate from CSR")
    return initca.create(request, time.time())


def _certificate(
    request: CertificateRequest,
    files: tuple[str, str],
    profiles: SigningConfig | None,
    profile: str,
    hosts: list[str] | None,
) -> dict[str, bytes]:
    if hosts is not None:
        request = dataclasses.replace(request, hosts=hosts)
    key, csr = process(request)
    signer = read_signer(files, profiles)
    certificate = signer.sign(csr, time.time(), profile=profile, hosts=hosts)
    if not request.hosts:
        log.warning(_WITHOUT_HOSTS)
    return {"cert": certificate, "csr": csr, "key": key_pem(key)}


def read_signer(files: tuple[str, str], profiles: SigningConfig | None) -> Signer:
    """From a CA's certificate and key file. Raises PkiError, and OSError for the certificate, as cfssl does."""
    certificate = cfssl.read(files[0])
    try:
        key = cfssl.read(files[1])
    except OSError as error:
        raise PkiError(cfssl.words(error), 1001) from None
    return Signer.of(Pair(certificate, key), profiles or SigningConfig())


COMMAND = gencert

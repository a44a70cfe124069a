"""A new authority from a request: its key and a certificate signed with it (cfssl `initca/initca.go`)."""

from __future__ import annotations

import logging
from datetime import timedelta

from tiphys.pki.certificate_request import CertificateRequest, encode, process
from tiphys.pki.go_duration import parse_duration
from tiphys.pki.key_request import SigningKey, key_pem
from tiphys.pki.pki_error import PkiError
from tiphys.pki.profile import CaConstraint, Profile, SigningConfig
from tiphys.pki.signer import Signer

log = logging.getLogger("tiphys.pki")
EXPIRY = timedelta(hours=43800)
"""Five years, where the request does not say."""


def create(request: CertificateRequest, now: float) -> dict[str, bytes]:
    """`cert`, `csr` and `key`, PEM. Raises PkiError."""
    config = _policy(request)
    try:
        key, csr = process(request, CertificateRequest.need_subject)
    except PkiError as error:
        log.error("failed to process request: %s", error)
        raise
    return {"cert": _sign(request, key, csr, config, now), "csr": csr, "key": key_pem(key)}


def renew(request: CertificateRequest, key: SigningKey, now: float) -> dict[str, bytes]:
    """`cert` and `csr` for a key that is there. Raises PkiError."""
    csr = encode(request, key)
    return {"cert": _sign(request, key, csr, _policy(request), now), "csr": csr}


def _sign(request: CertificateRequest, key: SigningKey, csr: bytes, config: SigningConfig, now: float) -> bytes:
    return Signer(None, key, config).sign(csr, now)


def _policy(request: CertificateRequest) -> SigningConfig:
    ca = request.ca
    constraint = CaConstraint(True)
    if ca is not None:
        if ca.path_length and ca.path_length_zero:
            log.info("ignore invalid 'pathlenzero' value")
        constraint = CaConstraint(True, ca.path_length, ca.path_length_zero and not ca.path_length)
    expiry = _duration(ca.expiry) if ca is not None and ca.expiry else EXPIRY
    backdate = _duration(ca.backdate) if ca is not None and ca.backdate else timedelta()
    return SigningConfig(Profile(("cert sign", "crl sign"), expiry, backdate, constraint, crl_url=request.crl_url))


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise PkiError(str(error)) from None

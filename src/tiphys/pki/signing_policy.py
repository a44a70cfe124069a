"""How Kubernetes' signers issue: the subject and names of the request, the usages asked for, nothing else
(k/k `pkg/controller/certificates/authority`, PermissiveSigningPolicy).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from tiphys.pki.key_request import hash_for
from tiphys.pki.pair import Pair
from tiphys.pki.pem import blocks
from tiphys.pki.profile import SigningConfig
from tiphys.pki.signer import Signer
from tiphys.pki.usage import in_order_of_table, read_usages

BACKDATE = timedelta(minutes=5)
SHORT = timedelta(hours=8)
"""Below this a certificate lasts for the whole time asked for; above, from its backdated start."""
SHORTEST = timedelta(minutes=10)


class SigningRefusal(Exception):
    """Why a request cannot be signed, in upstream's words."""


def parse_request(pem: bytes) -> x509.CertificateSigningRequest:
    """Raises ValueError for what is no PKCS #10 request in PEM (certificates.ParseCSR)."""
    found = blocks(pem)
    if not found or found[0].kind != "CERTIFICATE REQUEST":
        raise ValueError("PEM block type must be CERTIFICATE REQUEST")
    try:
        request = x509.load_der_x509_csr(found[0].der)
        list(request.subject)
        list(request.extensions)
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.UnsupportedGeneralNameType) as error:
        raise ValueError(f"asn1: structure error: {error}") from None
    return request


def check_signature(request: x509.CertificateSigningRequest) -> None:
    """Raises ValueError unless the request is signed with the key in it."""
    try:
        valid = request.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature):
        raise ValueError("x509: cannot verify signature: algorithm unimplemented") from None
    if not valid:
        raise ValueError("x509: signature verification failed")


def duration(asked: int | None, longest: timedelta) -> timedelta:
    """How long a certificate lasts for `spec.expirationSeconds`."""
    if asked is None:
        return longest
    return min(longest, max(SHORTEST, timedelta(seconds=asked)))


def sign(authority: Pair, request: bytes, usages: Sequence[str], lasts: timedelta, now: float) -> bytes:
    """The PEM certificate. Raises SigningRefusal, PkiError for an authority that is none, ValueError for a request
    that is none."""
    signer = Signer.of(authority, SigningConfig())
    assert signer.certificate is not None
    asked = parse_request(request)
    start, end = _bounds(signer.certificate, lasts, datetime.fromtimestamp(int(now), UTC))
    try:
        builder = (
            x509.CertificateBuilder()
            .subject_name(asked.subject)
            .issuer_name(signer.certificate.subject)
            .public_key(asked.public_key())
            .serial_number(x509.random_serial_number() >> 32)
            .not_valid_before(start)
            .not_valid_after(end)
        )
        for extension, critical in _extensions(signer, asked, usages):
            builder = builder.add_extension(extension, critical)
        made = builder.sign(signer.key, hash_for(signer.key))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SigningRefusal(f"failed to sign certificate: {error}") from None
    return made.public_bytes(serialization.Encoding.PEM)


def _bounds(authority: x509.Certificate, lasts: timedelta, now: datetime) -> tuple[datetime, datetime]:
    """From when until when; never longer than the authority."""
    last = authority.not_valid_after_utc
    start = now - BACKDATE
    if start >= last:
        raise SigningRefusal(f"the signer has expired: NotAfter={last}")
    if now >= last:
        raise SigningRefusal(f"refusing to sign a certificate that expired in the past: NotAfter={last}")
    return start, min(last, now + lasts if lasts < SHORT else start + lasts)


def _extensions(
    signer: Signer, asked: x509.CertificateSigningRequest, usages: Sequence[str]
) -> list[tuple[x509.ExtensionType, bool]]:
    known = read_usages(usages)
    if known.unknown:
        quoted = " ".join(f'"{name}"' for name in known.unknown)
        raise SigningRefusal(f"unrecognized usage values: [{quoted}]")
    found = read_usages(in_order_of_table(usages)).extensions()
    found.append((x509.BasicConstraints(False, None), True))
    found += signer.authority_key()
    try:
        found.append((asked.extensions.get_extension_for_class(x509.SubjectAlternativeName).value, False))
    except x509.ExtensionNotFound:
        pass
    return found

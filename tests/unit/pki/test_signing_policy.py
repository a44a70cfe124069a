"""How Kubernetes' signers issue (k/k `pkg/controller/certificates/authority/authority_test.go` and `policies.go`)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from tiphys.pki.authority import CA_YEARS, Authority
from tiphys.pki.certificate_request import CertificateRequest, process
from tiphys.pki.pem import blocks
from tiphys.pki.signer import load_certificate
from tiphys.pki.signing_policy import SigningRefusal, check_signature, duration, parse_request, sign

NOW = 1_800_000_000.0
HOUR = timedelta(hours=1)
YEAR = timedelta(days=365)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.create("ca", NOW)


@pytest.fixture(scope="module")
def csr() -> bytes:
    return process(CertificateRequest("alice", hosts=["a.b"]))[1]


def test_the_usages_asked_for_and_no_others(authority: Authority, csr: bytes) -> None:
    made = load_certificate(sign(authority.pair, csr, ["client auth", "digital signature", "server auth"], YEAR, NOW))
    usage = made.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature and not usage.key_encipherment
    extended = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(extended) == [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH], "in upstream's order"
    assert made.extensions.get_extension_for_class(x509.BasicConstraints).value == x509.BasicConstraints(False, None)
    assert made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value == x509.SubjectAlternativeName(
        [x509.DNSName("a.b")]
    )
    made.verify_directly_issued_by(load_certificate(authority.pair.certificate))


@pytest.mark.parametrize(
    ("lasts", "start", "end"),
    [(HOUR, -300, 3600), (timedelta(hours=8), -300, 8 * 3600 - 300), (YEAR, -300, 365 * 86400 - 300)],
)
def test_short_ones_last_for_all_the_time_asked(
    authority: Authority, csr: bytes, lasts: timedelta, start: int, end: int
) -> None:
    made = load_certificate(sign(authority.pair, csr, ["client auth"], lasts, NOW))
    assert made.not_valid_before_utc.timestamp() - NOW == start
    assert made.not_valid_after_utc.timestamp() - NOW == end


def test_nothing_outlives_its_authority(authority: Authority, csr: bytes) -> None:
    last = NOW + CA_YEARS * 365 * 86400
    made = load_certificate(sign(authority.pair, csr, ["client auth"], YEAR, last - 60))
    assert made.not_valid_after_utc.timestamp() == last
    for late, words in (
        (last, "refusing to sign a certificate that expired in the past"),
        (last + 300, "has expired"),
    ):
        with pytest.raises(SigningRefusal, match=words):
            sign(authority.pair, csr, ["client auth"], YEAR, late)


def test_unknown_usages(authority: Authority, csr: bytes) -> None:
    with pytest.raises(SigningRefusal, match=r'unrecognized usage values: \["x" "y"\]'):
        sign(authority.pair, csr, ["x", "client auth", "y"], YEAR, NOW)


@pytest.mark.parametrize(("asked", "given"), [(None, YEAR), (3600, HOUR), (60, timedelta(minutes=10)), (10**9, YEAR)])
def test_durations(asked: int | None, given: timedelta) -> None:
    """signer.go `duration`."""
    assert duration(asked, YEAR) == given


def test_a_request_may_stand_among_other_text(csr: bytes) -> None:
    """encoding/pem looks for the first block."""
    assert parse_request(b"hello\n" + csr + b"bye")
    assert parse_request(csr.replace(b"\n", b"\r\n"))
    with pytest.raises(ValueError, match="PEM block type must be CERTIFICATE REQUEST"):
        parse_request(csr.replace(b"CERTIFICATE REQUEST", b"CERTIFICATE"))
    with pytest.raises(ValueError, match="PEM block type must be CERTIFICATE REQUEST"):
        parse_request(b"hello" + csr)


def test_the_signature_is_looked_at(csr: bytes) -> None:
    der = bytearray(blocks(csr)[0].der)
    der[-1] ^= 1
    with pytest.raises(ValueError, match="signature"):
        check_signature(x509.load_der_x509_csr(bytes(der)))
    check_signature(parse_request(csr))


def test_headers_of_a_block_are_seen() -> None:
    found = blocks(b"-----BEGIN A-----\nx: y\n\nAAAA\n-----END A-----\n-----BEGIN B-----\nAAAA\n-----END B-----")
    assert [(block.kind, block.headers, block.der) for block in found] == [
        ("A", True, b"\0" * 3),
        ("B", False, b"\0" * 3),
    ]
    assert blocks(b"-----BEGIN A-----\n???\n-----END A-----\n") == []

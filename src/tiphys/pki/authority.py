"""A certificate authority: ECDSA P-256 where we make it, small and quick; RSA and other curves where we find one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tiphys.pki.key_request import SigningKey, hash_for
from tiphys.pki.pair import Pair

CA_YEARS = 100
"""Longer than any certificate of the cluster's signing config lasts."""
LEAF_YEARS = 1
_BACKDATE = timedelta(minutes=5)
"""Certificates begin a little in the past, so that a client whose clock is behind accepts them."""


class Authority:
    """Issues certificates under one CA pair."""

    def __init__(self, pair: Pair) -> None:
        """Raises ValueError if the pair is not a PEM certificate with its RSA or EC key."""
        self.pair = pair
        self._certificate = x509.load_pem_x509_certificate(pair.certificate)
        key = serialization.load_pem_private_key(pair.key, None)
        if not isinstance(key, SigningKey):
            raise ValueError("the CA key is neither an RSA nor an EC private key")
        if key.public_key() != self._certificate.public_key():
            raise ValueError("the CA key does not belong to the CA certificate")
        self._key: SigningKey = key

    @classmethod
    def create(cls, common_name: str, now: float) -> Authority:
        """A new self-signed authority, valid a hundred years from `now` (seconds since the epoch)."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(common_name)
        builder = (
            _dated(_builder(name, key), now, CA_YEARS)
            .issuer_name(name)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
        )
        certificate = builder.sign(key, hashes.SHA256())
        return cls(Pair(certificate.public_bytes(serialization.Encoding.PEM), _pem(key)))

    def issue_client(self, common_name: str, organizations: Sequence[str], now: float) -> Pair:
        """A client certificate: the common name is the user, each organization a group."""
        return self._issue(_name(common_name, organizations), ExtendedKeyUsageOID.CLIENT_AUTH, (), now)

    def issue_server(self, common_name: str, hosts: Sequence[str], now: float) -> Pair:
        """A server certificate good for `hosts`, each a DNS name or an IP address."""
        return self._issue(_name(common_name), ExtendedKeyUsageOID.SERVER_AUTH, hosts, now)

    def _issue(self, subject: x509.Name, purpose: x509.ObjectIdentifier, hosts: Sequence[str], now: float) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _dated(_builder(subject, key), now, LEAF_YEARS)
            .issuer_name(self._certificate.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName(_names(hosts)), critical=False)
        certificate = builder.sign(self._key, hash_for(self._key))
        return Pair(certificate.public_bytes(serialization.Encoding.PEM), _pem(key))


def serves(certificate: bytes, hosts: Sequence[str], now: float, days: int = 30) -> bool:
    """Whether a PEM certificate covers all `hosts` and has at least `days` left."""
    parsed = x509.load_pem_x509_certificate(certificate)
    if parsed.not_valid_after_utc < datetime.fromtimestamp(now, UTC) + timedelta(days=days):
        return False
    if not hosts:
        return True
    names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return all(name in names for name in _names(hosts))


def _names(hosts: Sequence[str]) -> list[x509.GeneralName]:
    return [_general_name(host) for host in hosts]


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _name(common_name: str, organizations: Sequence[str] = ()) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, name) for name in organizations]
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _dated(builder: x509.CertificateBuilder, now: float, years: int) -> x509.CertificateBuilder:
    start = datetime.fromtimestamp(now, UTC)
    return builder.not_valid_before(start - _BACKDATE).not_valid_after(start + timedelta(days=365 * years))


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not signs_certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

"""What a certificate says, as `cfssl certinfo` tells it (cfssl `certinfo/certinfo.go`)."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from tiphys.base.clock import rfc3339
from tiphys.base.document import Document

_FIELDS = (
    ("common_name", NameOID.COMMON_NAME),
    ("serial_number", NameOID.SERIAL_NUMBER),
    ("country", NameOID.COUNTRY_NAME),
    ("organization", NameOID.ORGANIZATION_NAME),
    ("organizational_unit", NameOID.ORGANIZATIONAL_UNIT_NAME),
    ("locality", NameOID.LOCALITY_NAME),
    ("province", NameOID.STATE_OR_PROVINCE_NAME),
    ("street_address", NameOID.STREET_ADDRESS),
    ("postal_code", NameOID.POSTAL_CODE),
)
_ALONE = {"common_name", "serial_number"}


def describe(certificate: x509.Certificate) -> Document:
    """In the order of cfssl's JSON; what is empty is left out where cfssl leaves it out."""
    info: Document = {
        "subject": _name(certificate.subject),
        "issuer": _name(certificate.issuer),
        "serial_number": str(certificate.serial_number),
        "sans": _alternative_names(certificate),
        "not_before": rfc3339(certificate.not_valid_before_utc.timestamp()),
        "not_after": rfc3339(certificate.not_valid_after_utc.timestamp()),
        "sigalg": _algorithm(certificate),
        "authority_key_id": _authority_key(certificate),
        "subject_key_id": _subject_key(certificate),
        "pem": certificate.public_bytes(serialization.Encoding.PEM).decode(),
    }
    if not info["sans"]:
        del info["sans"]
    return info


def _name(name: x509.Name) -> Document:
    found: Document = {}
    for field, oid in _FIELDS:
        values = [str(each.value) for each in name.get_attributes_for_oid(oid)]
        if values:
            found[field] = values[-1] if field in _ALONE else ",".join(values)
    names = [str(each.value) for each in name]
    return {**found, "names": names} if names else found


def _alternative_names(certificate: x509.Certificate) -> list[str]:
    """DNS names, then addresses: cfssl shows no others."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    kinds = (x509.DNSName, x509.IPAddress)
    return [str(name.value) for kind in kinds for name in names if isinstance(name, kind)]


def _algorithm(certificate: x509.Certificate) -> str:
    """helpers.SignatureString, as `SHA256WithRSA` and `ECDSAWithSHA256`."""
    try:
        digest = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        digest = None
    if digest is None:
        return (
            "Ed25519" if certificate.signature_algorithm_oid.dotted_string == "1.3.101.112" else "Unknown Signature"
        )
    name = digest.name.upper()
    is_ecdsa = certificate.signature_algorithm_oid.dotted_string.startswith("1.2.840.10045.")
    return f"ECDSAWith{name}" if is_ecdsa else f"{name}WithRSA"


def _authority_key(certificate: x509.Certificate) -> str:
    try:
        found = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    except x509.ExtensionNotFound:
        return ""
    return _hex(found.key_identifier or b"")


def _subject_key(certificate: x509.Certificate) -> str:
    try:
        return _hex(certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest)
    except x509.ExtensionNotFound:
        return ""


def _hex(digest: bytes) -> str:
    return digest.hex(":").upper()

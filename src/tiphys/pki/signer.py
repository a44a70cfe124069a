"""Signing: a PEM request becomes a certificate under a profile (cfssl `signer/local`, `signer/signer.go`)."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import AuthorityInformationAccessOID

from tiphys.pki.certificate_request import alternative_names
from tiphys.pki.key_request import SigningKey, hash_for, load_key
from tiphys.pki.pair import Pair
from tiphys.pki.pki_error import PkiError, violated_policy
from tiphys.pki.profile import BACKDATE, Profile, SigningConfig

log = logging.getLogger("tiphys.pki")
_COPIED_ALWAYS = (x509.SubjectAlternativeName, x509.BasicConstraints)


@dataclass(frozen=True, slots=True)
class Signer:
    """An authority's certificate and key, and the profiles it issues by. Without a certificate it makes its own."""

    certificate: x509.Certificate | None
    key: SigningKey
    config: SigningConfig = field(default_factory=SigningConfig)

    @classmethod
    def of(cls, pair: Pair, config: SigningConfig) -> Signer:
        """Raises PkiError for PEM that is no certificate or key."""
        return cls(load_certificate(pair.certificate), load_key(pair.key), config)

    def sign(self, request: bytes, now: float, *, profile: str = "", hosts: Sequence[str] | None = None) -> bytes:
        """A PEM certificate for a PEM request; `hosts`, when given, replace those in it. Raises PkiError."""
        chosen = self.config.profile(profile)
        asked = load_request(request)
        names = _names(asked) if hosts is None else _checked_names(hosts)
        self._check_authority(asked, chosen)
        _check_whitelist(chosen, asked.subject, names)
        builder = self._builder(asked, chosen, now)
        for extension, critical in self._extensions(asked, chosen, names):
            builder = builder.add_extension(extension, critical)
        try:
            made = builder.sign(self.key, hash_for(self.key))
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise PkiError(str(error), 1000) from None
        log.info("signed certificate with serial number %d", made.serial_number)
        return made.public_bytes(serialization.Encoding.PEM)

    def authority_key(self) -> list[tuple[x509.ExtensionType, bool]]:
        """The authority's own key identifier, where it has one; a self-signed certificate needs none."""
        if self.certificate is None:
            return []
        try:
            own = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        except x509.ExtensionNotFound:
            return []
        return [(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own), False)]

    def _check_authority(self, asked: x509.CertificateSigningRequest, profile: Profile) -> None:
        """Whether the request may be for an authority, and this one may have one below it."""
        wanted = _constraints(asked)
        if not wanted.ca:
            return
        if not profile.constraint.is_ca:
            log.error("local signer policy disallows issuing CA certificate")
            raise violated_policy()
        own = None if self.certificate is None else _constraints(self.certificate).path_length
        if own == 0:
            log.error("local signer certificate disallows issuing CA certificate")
            raise violated_policy()
        if own is not None and (wanted.path_length or 0) >= own:
            log.error("local signer certificate disallows CA MaxPathLen extending")
            raise violated_policy()

    def _builder(
        self, asked: x509.CertificateSigningRequest, profile: Profile, now: float
    ) -> x509.CertificateBuilder:
        begin = profile.not_before or _whole_minute(now) - (profile.backdate or BACKDATE)
        try:
            end = profile.not_after or begin + (profile.expiry or self.config.default.expiry)
            return (
                x509.CertificateBuilder()
                .subject_name(asked.subject)
                .issuer_name(self.certificate.subject if self.certificate else asked.subject)
                .public_key(asked.public_key())
                .serial_number(_serial())
                .not_valid_before(begin)
                .not_valid_after(end)
            )
        except (ValueError, OverflowError, TypeError, UnsupportedAlgorithm) as error:
            raise PkiError(str(error), 1000) from None

    def _extensions(
        self, asked: x509.CertificateSigningRequest, profile: Profile, names: Sequence[x509.GeneralName]
    ) -> list[tuple[x509.ExtensionType, bool]]:
        """In the order Go writes them. Raises PkiError 5100 for a profile without any usage."""
        found = profile.sorted_usages().extensions()
        if not found:
            raise PkiError("Invalid policy: no key usage available", 5100)
        constraint = profile.constraint
        found.append((x509.BasicConstraints(constraint.is_ca, constraint.limit if constraint.is_ca else None), True))
        found.append((x509.SubjectKeyIdentifier.from_public_key(asked.public_key()), False))
        found += self.authority_key()
        found += _access(profile, self.config.default)
        if constraint.is_ca:
            names = [name for name in names if isinstance(name, x509.IPAddress)]
        if names:
            found.append((x509.SubjectAlternativeName(names), False))
        found += _revocation(profile, self.config.default)
        if profile.copy_extensions:
            found += [(e.value, e.critical) for e in asked.extensions if not isinstance(e.value, _COPIED_ALWAYS)]
        return found


def load_certificate(pem: bytes) -> x509.Certificate:
    """Raises PkiError 1002, 1003."""
    if b"-----BEGIN" not in pem:
        raise PkiError("Failed to decode certificate", 1002)
    if pem.count(b"-----BEGIN") > 1:
        raise PkiError("the PEM file should contain only one object", 1003)
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError:
        raise PkiError("Failed to parse certificate", 1003) from None


def load_request(pem: bytes) -> x509.CertificateSigningRequest:
    """A request whose signature is its key's. Raises PkiError 9002, 9003, 9300."""
    if b"-----BEGIN" not in pem:
        raise PkiError("CSR Decode failed", 9002)
    if b"CERTIFICATE REQUEST-----" not in pem.split(b"\n", 1)[0]:
        raise PkiError("not a csr", 9300)
    try:
        found = x509.load_pem_x509_csr(pem)
        signed = found.is_signature_valid
        list(found.extensions)
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature, x509.UnsupportedGeneralNameType) as error:
        raise PkiError(str(error), 9003) from None
    if not signed:
        raise PkiError("x509: signature does not match the key", 9300)
    return found


def _names(asked: x509.CertificateSigningRequest) -> list[x509.GeneralName]:
    try:
        return list(asked.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return []


def _checked_names(hosts: Sequence[str]) -> list[x509.GeneralName]:
    try:
        return alternative_names(hosts)
    except ValueError as error:
        raise PkiError(str(error), 1000) from None


def _constraints(of: x509.CertificateSigningRequest | x509.Certificate) -> x509.BasicConstraints:
    try:
        return of.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return x509.BasicConstraints(False, None)


def _check_whitelist(profile: Profile, subject: x509.Name, names: Sequence[x509.GeneralName]) -> None:
    if profile.name_whitelist is None:
        return
    common = [str(each.value) for each in subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    for text in [*common, *(str(name.value) for name in names if not isinstance(name, x509.IPAddress))]:
        if not profile.name_whitelist.search(text):
            raise PkiError("Request does not match policy whitelist", 5500)


def _access(profile: Profile, default: Profile) -> list[tuple[x509.ExtensionType, bool]]:
    ocsp = profile.ocsp_url or default.ocsp_url
    found = [(AuthorityInformationAccessOID.OCSP, ocsp)] if ocsp else []
    found += [(AuthorityInformationAccessOID.CA_ISSUERS, url) for url in profile.issuer_urls or default.issuer_urls]
    if not found:
        return []
    places = [x509.AccessDescription(oid, x509.UniformResourceIdentifier(url)) for oid, url in found]
    return [(x509.AuthorityInformationAccess(places), False)]


def _revocation(profile: Profile, default: Profile) -> list[tuple[x509.ExtensionType, bool]]:
    found: list[tuple[x509.ExtensionType, bool]] = []
    url = profile.crl_url or default.crl_url
    if url:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)
        found.append((x509.CRLDistributionPoints([point]), False))
    if profile.ocsp_no_check:
        found.append((x509.OCSPNoCheck(), False))
    return found


def _whole_minute(now: float) -> datetime:
    return datetime.fromtimestamp(round(now / 60) * 60, UTC)


def _serial() -> int:
    """Twenty random bytes of which the first bit is clear: the longest that RFC 5280 allows."""
    return int.from_bytes(secrets.token_bytes(20)) & ~(1 << 159) or 1

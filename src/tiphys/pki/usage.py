"""What a key may be used for, by the names that cfssl's profiles and Kubernetes' signing requests share.

From cfssl `config/config.go` and k/k `pkg/controller/certificates/authority/policies.go`, which have one table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

_KEY_USAGES = {
    "signing": "digital_signature",
    "digital signature": "digital_signature",
    "content commitment": "content_commitment",
    "key encipherment": "key_encipherment",
    "key agreement": "key_agreement",
    "data encipherment": "data_encipherment",
    "cert sign": "key_cert_sign",
    "crl sign": "crl_sign",
    "encipher only": "encipher_only",
    "decipher only": "decipher_only",
}
_EXTENDED = {
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "server auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "s/mime": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "ipsec end system": ObjectIdentifier("1.3.6.1.5.5.7.3.5"),
    "ipsec tunnel": ObjectIdentifier("1.3.6.1.5.5.7.3.6"),
    "ipsec user": ObjectIdentifier("1.3.6.1.5.5.7.3.7"),
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp signing": ExtendedKeyUsageOID.OCSP_SIGNING,
    "microsoft sgc": ObjectIdentifier("1.3.6.1.4.1.311.10.3.3"),
    "netscape sgc": ObjectIdentifier("2.16.840.1.113730.4.1"),
}
ALL_USAGES = (*_KEY_USAGES, *_EXTENDED)


@dataclass(frozen=True, slots=True)
class Usages:
    """Usages sorted out: those of the key itself, the extended ones once each, and names nobody knows."""

    key: frozenset[str]
    extended: tuple[ObjectIdentifier, ...]
    unknown: tuple[str, ...]

    def extensions(self) -> list[tuple[x509.ExtensionType, bool]]:
        """(extension, critical) for a certificate, in the order Go writes them."""
        found: list[tuple[x509.ExtensionType, bool]] = []
        if self.key:
            found.append((self._key_usage(), True))
        if self.extended:
            found.append((x509.ExtendedKeyUsage(self.extended), False))
        return found

    def _key_usage(self) -> x509.KeyUsage:
        """Encipher only and decipher only mean something beside key agreement alone (RFC 5280, 4.2.1.3)."""
        flags = {name: name in self.key for name in _KEY_USAGES.values()}
        for name in ("encipher_only", "decipher_only"):
            flags[name] = flags[name] and flags["key_agreement"]
        return x509.KeyUsage(**flags)


def read_usages(names: Iterable[str]) -> Usages:
    key = set()
    extended: list[ObjectIdentifier] = []
    unknown = []
    for name in names:
        if name in _KEY_USAGES:
            key.add(_KEY_USAGES[name])
        elif name not in _EXTENDED:
            unknown.append(name)
        elif _EXTENDED[name] not in extended:
            extended.append(_EXTENDED[name])
    return Usages(frozenset(key), tuple(extended), tuple(unknown))


def in_order_of_table(names: Sequence[str]) -> list[str]:
    """Names in the table's order: Kubernetes writes extended usages so, whatever order they were asked in."""
    return [name for name in ALL_USAGES if name in names]

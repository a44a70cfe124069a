"""The subject of a certificate, written as Go's pkix.Name writes it: same order, same string types."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID, ObjectIdentifier

_PRINTABLE = re.compile(r"[A-Za-z0-9 '()+,\-./:=?]*\Z")
_EMAIL = ObjectIdentifier("1.2.840.113549.1.9.1")
_PARTS = (
    ("C", NameOID.COUNTRY_NAME),
    ("ST", NameOID.STATE_OR_PROVINCE_NAME),
    ("L", NameOID.LOCALITY_NAME),
    ("O", NameOID.ORGANIZATION_NAME),
    ("OU", NameOID.ORGANIZATIONAL_UNIT_NAME),
)


@dataclass(frozen=True, slots=True)
class NamePart:
    """One entry of a request's `names`."""

    C: str = ""
    ST: str = ""
    L: str = ""
    O: str = ""  # noqa: E741, the letter is X.500's
    OU: str = ""
    E: str = ""

    @property
    def is_empty(self) -> bool:
        return not any(part.strip() for part in (self.C, self.ST, self.L, self.O, self.OU))


def make_name(common_name: str, parts: Sequence[NamePart] = (), serial_number: str = "") -> x509.Name:
    """Values of one kind from several parts share one relative name, as several organizations do."""
    relative = [(oid, [getattr(part, field) for part in parts]) for field, oid in _PARTS]
    relative += [(NameOID.COMMON_NAME, [common_name]), (NameOID.SERIAL_NUMBER, [serial_number])]
    relative += [(_EMAIL, [part.E]) for part in parts]
    found = [(oid, list(dict.fromkeys(value for value in values if value))) for oid, values in relative]
    return x509.Name(
        [
            x509.RelativeDistinguishedName([_attribute(oid, value) for value in values])
            for oid, values in found
            if values
        ]
    )


def _attribute(oid: ObjectIdentifier, value: str) -> x509.NameAttribute[str]:
    """Unvalidated, since Go takes countries of more than two letters, too."""
    kind = _ASN1Type.PrintableString if _PRINTABLE.match(value) else _ASN1Type.UTF8String
    return x509.NameAttribute(oid, value, kind, _validate=False)

"""Certificate requests: the JSON that people write, and the key and PKCS #10 request made of it (cfssl `csr`)."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tiphys.pki import go_json
from tiphys.pki.key_request import KeyRequest, SigningKey, hash_for
from tiphys.pki.pki_error import PkiError
from tiphys.pki.subject import NamePart, make_name

log = logging.getLogger("tiphys.pki")
_EMAIL = re.compile(r"[^@\s<>\"]+@[^@\s<>\"]+\Z")
_URI = re.compile(r"(/|[A-Za-z][A-Za-z0-9+.\-]*:.)")


@dataclass(frozen=True, slots=True)
class CaSection:
    """The `ca` of a request for a new authority; durations as Go writes them."""

    path_length: int = 0
    path_length_zero: bool = False
    expiry: str = ""
    backdate: str = ""


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """What is to be certified."""

    common_name: str = ""
    names: Sequence[NamePart] = ()
    hosts: Sequence[str] = ()
    key: KeyRequest = field(default_factory=KeyRequest)
    ca: CaSection | None = None
    serial_number: str = ""
    crl_url: str = ""

    @classmethod
    def read(cls, data: bytes) -> CertificateRequest:
        """From a file as `cfssl print-defaults csr` shows. Raises PkiError for one that is not so.

        Fields that cfssl does not know are passed over, as it does.
        """
        top = go_json.Struct.of(go_json.load(data), "CertificateRequest", package="csr.")
        for name in ("extensions", "delegation_enabled"):
            if top.fields.get(name):
                raise PkiError(f"{name} in a certificate request is not supported")
        names = [
            NamePart(**{part: entry.text(part) for part in ("C", "ST", "L", "O", "OU", "E")})
            for entry in top.structs("names", "Name", "csr.")
        ]
        return cls(
            top.text("CN"),
            names,
            top.texts("hosts"),
            _key(top),
            _ca(top),
            top.text("serialnumber"),
            top.text("crl_url"),
        )

    @property
    def subject(self) -> x509.Name:
        return make_name(self.common_name, self.names, self.serial_number)

    def need_subject(self) -> None:
        """Raises PkiError for a request that names nobody (initca's validator)."""
        if not self.common_name and (not self.names or any(name.is_empty for name in self.names)):
            raise PkiError("missing subject information", 5300)


def _key(top: go_json.Struct) -> KeyRequest:
    if top.fields.get("key") is None:
        return KeyRequest()
    key = top.struct("key", "KeyRequest", "csr.")
    return KeyRequest(
        key.text("algo") if "algo" in key.fields else "ecdsa", key.number("size") if "size" in key.fields else 256
    )


def _ca(top: go_json.Struct) -> CaSection | None:
    if top.fields.get("ca") is None:
        return None
    ca = top.struct("ca", "CAConfig", "csr.")
    return CaSection(ca.number("pathlen"), ca.flag("pathlenzero"), ca.text("expiry"), ca.text("backdate"))


def process(
    request: CertificateRequest, validate: Callable[[CertificateRequest], None] | None = None
) -> tuple[SigningKey, bytes]:
    """A new key and the PEM request for it, with cfssl's log lines. Raises PkiError."""
    log.info("generate received request")
    if validate is not None:
        try:
            validate(request)
        except PkiError as error:
            log.warning("invalid request: %s", error)
            raise
    log.info("received CSR")
    log.info("generating key: %s-%d", request.key.algorithm, request.key.size)
    key = request.key.generate()
    return key, encode(request, key)


def encode(request: CertificateRequest, key: SigningKey) -> bytes:
    """The PEM request for a key that is there. Raises PkiError."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(request.subject)
    try:
        if request.hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternative_names(request.hosts)), False)
        if request.ca is not None:
            builder = builder.add_extension(x509.BasicConstraints(True, _path_length(request.ca)), True)
        made = builder.sign(key, hash_for(key))
    except (ValueError, TypeError) as error:
        log.error("failed to generate a CSR: %s", error)
        raise PkiError(str(error), 9300) from None
    log.info("encoded CSR")
    return made.public_bytes(serialization.Encoding.PEM)


def _path_length(ca: CaSection) -> int | None:
    return None if ca.path_length == 0 and not ca.path_length_zero else ca.path_length


def alternative_names(hosts: Sequence[str]) -> list[x509.GeneralName]:
    """What each host is: an address, a mail box, a URI or else a DNS name, in the order Go writes them."""
    found = [_general_name(host) for host in hosts]
    kinds = (x509.DNSName, x509.RFC822Name, x509.IPAddress, x509.UniformResourceIdentifier)
    return [name for kind in kinds for name in found if isinstance(name, kind)]


def _general_name(host: str) -> x509.GeneralName:
    """Raises ValueError for what no certificate can hold."""
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        pass
    if not host.isascii():
        raise ValueError(f'x509: "{host}" cannot be encoded as an IA5String')
    if _EMAIL.match(host):
        return x509.RFC822Name(host)
    return x509.UniformResourceIdentifier(host) if _URI.match(host) else x509.DNSName(host)

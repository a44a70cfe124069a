"""Client certificates: the common name is the user, the organizations are the groups (apiserver `request/x509`).

The TLS layer has verified the certificate against the client CA by the time it gets here, but for its time, which may
have run out on a connection kept open, and its usage.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tiphys.auth.contract import with_authenticated_group
from tiphys.base.clock import Clock, SystemClock
from tiphys.base.http import Request
from tiphys.base.status import unauthorized
from tiphys.base.user import User

_CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"
_UID = x509.ObjectIdentifier("1.3.6.1.4.1.57683.2")
_UID_SINCE = 33
_CACHED = 4096


@dataclass(frozen=True, slots=True)
class _Known:
    """What one certificate says. `user` is None when it names nobody or is not for clients."""

    user: User | None
    not_before: float
    not_after: float


class ClientCertificate:
    """Remembers what each certificate says, by its bytes: a few µs the first time, a dict lookup after."""

    def __init__(self, clock: Clock | None = None, *, minor: int = 37) -> None:
        self._clock = clock or SystemClock()
        self._minor = minor
        self._known: dict[bytes, _Known] = {}

    async def authenticate(self, request: Request) -> User | None:
        """Raises StatusError 401 for a certificate out of its time, unreadable, or not for clients."""
        if request.certificate is None:
            return None
        known = self._known.get(request.certificate) or self._remember(request.certificate)
        if not known.not_before <= self._clock.now() <= known.not_after:
            raise unauthorized()
        return known.user

    def _remember(self, der: bytes) -> _Known:
        try:
            certificate = x509.load_der_x509_certificate(der)
            if not _for_clients(certificate):
                raise unauthorized()
            not_before, not_after = certificate.not_valid_before_utc, certificate.not_valid_after_utc
            known = _Known(self._user(certificate, der), not_before.timestamp(), not_after.timestamp())
        except ValueError as error:
            raise unauthorized() from error
        if len(self._known) >= _CACHED:
            self._known.clear()
        self._known[der] = known
        return known

    def _user(self, certificate: x509.Certificate, der: bytes) -> User | None:
        subject = certificate.subject
        name = _values(subject, NameOID.COMMON_NAME)
        if not name or not name[-1]:
            return None
        groups = _values(subject, NameOID.ORGANIZATION_NAME)
        uid = _values(subject, _UID)[-1:] if self._minor >= _UID_SINCE else ()
        extra = {_CREDENTIAL_ID: (f"X509SHA256={sha256(der).hexdigest()}",)}
        return with_authenticated_group(User(name[-1], groups, uid[0] if uid else "", extra))


def _values(subject: x509.Name, oid: x509.ObjectIdentifier) -> tuple[str, ...]:
    values = (attribute.value for attribute in subject.get_attributes_for_oid(oid))
    return tuple(value if isinstance(value, str) else value.decode("latin-1") for value in values)


def _for_clients(certificate: x509.Certificate) -> bool:
    """Without the extension any use is allowed; with it, client authentication must be among them."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.CLIENT_AUTH in usage or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in usage

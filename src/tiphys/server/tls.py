"""TLS for the server: contexts, and what a connection's TLS tells the application (ASGI's TLS extension)."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from cryptography import x509

CLIENT_CERTIFICATE_DER = "tiphys.client_certificate"
"""Beside ASGI's own keys in the extension: the verified client certificate, DER, or None."""

_NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which `ssl` does not name. Upstream answers 401 to a certificate out of its
time, where OpenSSL would break off."""
_VERSIONS = {"TLSv1.2": 0x0303, "TLSv1.3": 0x0304}


def server_context(certificate: str, key: str, *client_cas: str) -> ssl.SSLContext:
    """TLS 1.2 and newer for HTTP/1.1 from PEM files.

    With `client_cas` a client may show a certificate, which is verified against those bundles during the handshake:
    one of another authority ends the connection there; its time is looked at with each request. No session is
    resumed, so that a client is always verified against the bundles of the day.
    Raises OSError or ssl.SSLError for files that cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    if client_cas:
        context.verify_mode = ssl.CERT_OPTIONAL
        context.verify_flags |= _NO_CHECK_TIME
    for bundle in client_cas:
        context.load_verify_locations(bundle)
    return context


def tls_extension(get_extra_info: Callable[[str], Any]) -> dict[str, Any] | None:
    """The scope's `tls` extension, made once a connection; None on a plain one."""
    tls = get_extra_info("ssl_object")
    if tls is None:
        return None
    der = tls.getpeercert(True)
    return {
        "server_cert": None,
        "client_cert_chain": [ssl.DER_cert_to_PEM_cert(der)] if der else [],
        "client_cert_name": _subject(der) if der else None,
        "client_cert_error": None,
        "tls_version": _VERSIONS.get(tls.version()),
        "cipher_suite": _cipher_suite(tls),
        CLIENT_CERTIFICATE_DER: der or None,
    }


@lru_cache(maxsize=1024)
def _subject(der: bytes) -> str | None:
    try:
        return x509.load_der_x509_certificate(der).subject.rfc4514_string()
    except ValueError:
        return None


def _cipher_suite(tls: ssl.SSLObject) -> int | None:
    """The IANA number of the cipher in use: the low half of OpenSSL's."""
    used = tls.cipher()
    return _suites(tls.context).get(used[0]) if used else None


@lru_cache(maxsize=8)
def _suites(context: ssl.SSLContext) -> Mapping[str, int]:
    return {cipher["name"]: cipher["id"] & 0xFFFF for cipher in context.get_ciphers()}

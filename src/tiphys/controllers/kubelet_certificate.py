"""What a kubelet may ask a certificate for (k/k `pkg/apis/certificates/helpers.go`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from cryptography import x509
from cryptography.x509.oid import NameOID

_SERVING = ("digital signature", "key encipherment", "server auth")
_CLIENT = ("client auth", "digital signature", "key encipherment")
_OPTIONAL = "key encipherment"


def client_problem(request: x509.CertificateSigningRequest, usages: Iterable[str]) -> str:
    """Why this is no request for a kubelet's client certificate; empty if it is."""
    return (
        _organization_problem(request)
        or _names_problem(request, ("DNS", "Email", "IP", "URI"))
        or _common_name_problem(request)
        or _usages_problem(usages, _CLIENT)
    )


def serving_problem(request: x509.CertificateSigningRequest, usages: Iterable[str]) -> str:
    """Why this is no request for a kubelet's serving certificate; empty if it is."""
    kinds = {kind for kind in ("DNS", "IP") if _has(request, kind)}
    return (
        _organization_problem(request)
        or ("" if kinds else "DNS or IP subjectAltName is required")
        or _names_problem(request, ("Email", "URI"))
        or _usages_problem(usages, _SERVING)
        or _common_name_problem(request)
    )


def common_name(request: x509.CertificateSigningRequest) -> str:
    found = _values(request, NameOID.COMMON_NAME)
    return found[-1] if found else ""


def _organization_problem(request: x509.CertificateSigningRequest) -> str:
    if _values(request, NameOID.ORGANIZATION_NAME) == ["system:nodes"]:
        return ""
    return "subject organization is not system:nodes"


def _common_name_problem(request: x509.CertificateSigningRequest) -> str:
    if common_name(request).startswith("system:node:"):
        return ""
    return "subject common name does not begin with system:node:"


def _names_problem(request: x509.CertificateSigningRequest, refused: Iterable[str]) -> str:
    return next((f"{kind} subjectAltNames are not allowed" for kind in refused if _has(request, kind)), "")


def _usages_problem(usages: Iterable[str], wanted: Collection[str]) -> str:
    """Key encipherment may be left out: not every kind of key can do it."""
    if {*usages, _OPTIONAL} == set(wanted):
        return ""
    return f"usages did not match [{' '.join(wanted)}]"


_KINDS: dict[str, type[x509.GeneralName]] = {
    "DNS": x509.DNSName,
    "Email": x509.RFC822Name,
    "IP": x509.IPAddress,
    "URI": x509.UniformResourceIdentifier,
}


def _has(request: x509.CertificateSigningRequest, kind: str) -> bool:
    try:
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    return any(isinstance(name, _KINDS[kind]) for name in names)


def _values(request: x509.CertificateSigningRequest, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(attribute.value) for attribute in request.subject.get_attributes_for_oid(oid)]

"""When certificates end: every certificate of a directory, the soonest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509


@dataclass(frozen=True, slots=True)
class Expiry:
    """One certificate of a file. Times in seconds since the epoch; `problem` when it cannot be read."""

    path: Path
    subject: str = ""
    not_before: float = 0.0
    not_after: float = 0.0
    problem: str = ""

    def days_left(self, now: float) -> int:
        """Whole days until it ends, negative once it has."""
        return int((self.not_after - now) // 86400)

    def needs_care(self, now: float, days: float) -> bool:
        """Unreadable, not valid yet, or at its end within so many days."""
        return bool(self.problem) or self.not_before > now or self.not_after <= now + days * 86400


def of_directory(directory: Path) -> list[Expiry]:
    """Of every `.pem`, `.crt` and `.cert` file that holds certificates. Raises OSError."""
    files = sorted(path for path in directory.iterdir() if path.suffix in (".pem", ".crt", ".cert"))
    found = [each for path in files for each in _of_file(path)]
    return sorted(found, key=lambda each: (each.not_after, str(each.path)))


def _of_file(path: Path) -> Iterable[Expiry]:
    data = path.read_bytes()
    if b"-----BEGIN CERTIFICATE-----" not in data:
        return [] if b"-----BEGIN" in data else [Expiry(path, problem="holds no PEM")]
    try:
        return [_of(path, certificate) for certificate in x509.load_pem_x509_certificates(data)]
    except ValueError as error:
        return [Expiry(path, problem=str(error))]


def _of(path: Path, certificate: x509.Certificate) -> Expiry:
    return Expiry(
        path,
        certificate.subject.rfc4514_string(),
        certificate.not_valid_before_utc.timestamp(),
        certificate.not_valid_after_utc.timestamp(),
    )


def shown(seconds: float) -> str:
    """`Nov 23, 2027 17:22 UTC`, as `kubeadm certs check-expiration` writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%b %d, %Y %H:%M UTC")

"""The certificates a cluster lives on, made once and kept in its `pki` directory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tiphys.base.user import MASTERS
from tiphys.pki import signing_files
from tiphys.pki.authority import Authority, serves
from tiphys.pki.files import write_atomically, write_key
from tiphys.pki.pair import Pair

ADMIN = "kubernetes-admin"


@dataclass(frozen=True, slots=True)
class ClusterCertificates:
    """The CA, the API server's pair and the administrator's."""

    directory: Path
    ca: bytes
    server: Pair
    admin: Pair

    @property
    def ca_file(self) -> Path:
        return self.directory / "ca.pem"

    @property
    def ca_key_file(self) -> Path:
        return self.directory / "ca-key.pem"

    @property
    def server_files(self) -> tuple[Path, Path]:
        return self.directory / "apiserver.pem", self.directory / "apiserver-key.pem"


def ensure(directory: Path, cluster: str, hosts: Sequence[str], now: float) -> ClusterCertificates:
    """Read the certificates below `directory`, making what is missing, due to expire or lacking a host.

    The CA is made once and never replaced. Raises OSError, and ValueError for files that are no certificates.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept = _read(directory, "ca")
    authority = Authority(kept) if kept else Authority.create(f"tiphys-{cluster}", now)
    if not kept:
        _write(directory, "ca", authority.pair)
    server = _read(directory, "apiserver")
    if server is None or not serves(server.certificate, hosts, now):
        server = _write(directory, "apiserver", authority.issue_server("kube-apiserver", hosts, now))
    admin = _read(directory, "admin")
    if admin is None or not serves(admin.certificate, (), now):
        admin = _write(directory, "admin", authority.issue_client(ADMIN, [MASTERS], now))
    signing_files.ensure(directory, {"ca": f"tiphys-{cluster}", "apiserver": "kube-apiserver", "admin": ADMIN}, hosts)
    return ClusterCertificates(directory, authority.pair.certificate, server, admin)


def _read(directory: Path, name: str) -> Pair | None:
    certificate, key = directory / f"{name}.pem", directory / f"{name}-key.pem"
    if not (certificate.exists() and key.exists()):
        return None
    return Pair(certificate.read_bytes(), key.read_bytes())


def _write(directory: Path, name: str, pair: Pair) -> Pair:
    write_key(directory / f"{name}-key.pem", pair.key)
    write_atomically(directory / f"{name}.pem", pair.certificate)
    return pair

"""The cluster's certificates: made once, renewed when due, verified by OpenSSL's own code."""

from __future__ import annotations

import stat
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import PolicyBuilder, Store

from tiphys.pki import cluster_certificates

HOSTS = ["127.0.0.1", "localhost"]
YEAR = 365 * 86400.0


def test_made_once_and_kept(tmp_path: Path) -> None:
    now = time.time()
    first = cluster_certificates.ensure(tmp_path / "pki", "dev", HOSTS, now)
    second = cluster_certificates.ensure(tmp_path / "pki", "dev", HOSTS, now + 86400)
    assert (first.ca, first.server, first.admin) == (second.ca, second.server, second.admin)
    assert stat.S_IMODE((tmp_path / "pki" / "ca-key.pem").stat().st_mode) == 0o600


def test_renewed_before_they_end_but_never_the_ca(tmp_path: Path) -> None:
    now = time.time()
    first = cluster_certificates.ensure(tmp_path, "dev", HOSTS, now)
    later = cluster_certificates.ensure(tmp_path, "dev", HOSTS, now + YEAR - 86400)
    assert later.ca == first.ca
    assert later.server != first.server
    assert later.admin != first.admin


def test_a_new_host_makes_a_new_server_certificate(tmp_path: Path) -> None:
    now = time.time()
    first = cluster_certificates.ensure(tmp_path, "dev", HOSTS, now)
    second = cluster_certificates.ensure(tmp_path, "dev", [*HOSTS, "10.96.0.1"], now)
    assert second.server != first.server
    assert second.admin == first.admin


def test_the_chain_verifies(tmp_path: Path) -> None:
    made = cluster_certificates.ensure(tmp_path, "dev", HOSTS, time.time())
    store = Store([x509.load_pem_x509_certificate(made.ca)])
    server = x509.load_pem_x509_certificate(made.server.certificate)
    PolicyBuilder().store(store).build_server_verifier(x509.DNSName("localhost")).verify(server, [])
    admin = x509.load_pem_x509_certificate(made.admin.certificate)
    assert admin.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "kubernetes-admin"
    assert admin.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "system:masters"
    ca_key = x509.load_pem_x509_certificate(made.ca).public_key()
    assert isinstance(ca_key, ec.EllipticCurvePublicKey)
    admin.verify_directly_issued_by(x509.load_pem_x509_certificate(made.ca))


def test_a_foreign_key_is_refused(tmp_path: Path) -> None:
    cluster_certificates.ensure(tmp_path / "a", "a", HOSTS, time.time())
    cluster_certificates.ensure(tmp_path / "b", "b", HOSTS, time.time())
    (tmp_path / "a" / "ca-key.pem").write_bytes((tmp_path / "b" / "ca-key.pem").read_bytes())
    with pytest.raises(ValueError, match="does not belong"):
        cluster_certificates.ensure(tmp_path / "a", "a", HOSTS, time.time())

"""The CA's directory as kubeasz lays it out, and when what is in it ends (ours)."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from pathlib import Path

import pytest

from tiphys.pki import cluster_certificates
from tiphys.pki.authority import Authority
from tiphys.pki.certificate_request import CertificateRequest, process
from tiphys.pki.expiry import of_directory, shown
from tiphys.pki.profile import read_config
from tiphys.pki.signing_policy import sign

DAY = 86400.0


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    cluster_certificates.ensure(tmp_path, "dev", ["127.0.0.1", "localhost"], time.time())
    return tmp_path


def test_the_config_has_the_walkthroughs_profile(directory: Path) -> None:
    profile = read_config(directory / "ca-config.json").profile("kubernetes")
    assert profile.expiry.total_seconds() == 438000 * 3600
    assert list(profile.usages) == ["signing", "key encipherment", "server auth", "client auth"]


def test_the_requests_are_those_of_the_certificates(directory: Path) -> None:
    admin = CertificateRequest.read((directory / "admin-csr.json").read_bytes())
    assert (admin.common_name, [name.O for name in admin.names]) == ("kubernetes-admin", ["system:masters"])
    server = CertificateRequest.read((directory / "apiserver-csr.json").read_bytes())
    assert list(server.hosts) == ["127.0.0.1", "localhost"]


def test_what_the_operator_wrote_stays(directory: Path) -> None:
    (directory / "ca-config.json").write_text('{"mine": true}')
    (directory / "admin-csr.json").unlink()
    cluster_certificates.ensure(directory, "dev", ["127.0.0.1"], time.time())
    assert json.loads((directory / "ca-config.json").read_text()) == {"mine": True}
    assert (directory / "admin-csr.json").exists()


def test_certificates_by_their_end(directory: Path) -> None:
    now = time.time()
    _, csr = process(CertificateRequest("short"))
    short = sign(Authority.create("other", now).pair, csr, ["client auth"], timedelta(hours=1), now)
    (directory / "short.pem").write_bytes(short)
    (directory / "broken.crt").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    found = {each.path.name: each for each in of_directory(directory)}
    assert list(found) == ["broken.crt", "short.pem", "admin.pem", "apiserver.pem", "ca.pem"], (
        "keys are no certificates"
    )
    assert found["short.pem"].days_left(now) == 0 and found["short.pem"].needs_care(now, 30)
    assert found["broken.crt"].problem and found["broken.crt"].needs_care(now, 0)
    assert not found["admin.pem"].needs_care(now, 30) and found["admin.pem"].needs_care(now, 366)
    assert found["ca.pem"].needs_care(now - DAY, 0), "not valid yet"


def test_times_are_shown_as_kubeadm_does() -> None:
    assert shown(1_800_000_000) == "Jan 15, 2027 08:00 UTC"

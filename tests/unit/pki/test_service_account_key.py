"""The key pair of service account tokens: kubeadm's names, upstream's key ids, rotation of our own."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tiphys.pki.service_account_key import ensure


def test_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    first = ensure(tmp_path / "pki")
    assert (tmp_path / "pki" / "sa.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "pki" / "sa.key").read_bytes().startswith(b"-----BEGIN RSA PRIVATE KEY-----")
    assert (tmp_path / "pki" / "sa.pub").read_bytes().startswith(b"-----BEGIN PUBLIC KEY-----")
    again = ensure(tmp_path / "pki")
    assert again.key_id == first.key_id and list(again.verifying) == [first.key_id]


def test_the_key_id_is_the_hash_of_the_public_key(tmp_path: Path) -> None:
    """k/k pkg/serviceaccount/jwt.go keyIDFromPublicKey: base64url(sha256(DER SubjectPublicKeyInfo))."""
    keys = ensure(tmp_path)
    pem = (tmp_path / "sa.pub").read_text().splitlines()
    der = base64.b64decode("".join(line for line in pem if not line.startswith("-")))
    assert keys.key_id == base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")


def test_a_removed_key_is_replaced_and_the_old_one_believed_until_it_is_taken_out(tmp_path: Path) -> None:
    old = ensure(tmp_path)
    (tmp_path / "sa.key").unlink()
    new = ensure(tmp_path)
    assert list(new.verifying) == [new.key_id, old.key_id] and new.key_id != old.key_id
    (tmp_path / "sa.pub").unlink()
    assert list(ensure(tmp_path).verifying) == [new.key_id]


def test_other_keys_are_refused_by_file(tmp_path: Path) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    private = other.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = other.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (tmp_path / "sa.key").write_bytes(private)
    with pytest.raises(ValueError, match=r"sa\.key is not an RSA private key"):
        ensure(tmp_path)
    (tmp_path / "sa.key").write_bytes(b"nonsense")
    with pytest.raises(ValueError):
        ensure(tmp_path)
    (tmp_path / "sa.key").unlink()
    (tmp_path / "sa.pub").write_bytes(public)
    with pytest.raises(ValueError, match=r"sa\.pub holds a key that is not an RSA public key"):
        ensure(tmp_path)

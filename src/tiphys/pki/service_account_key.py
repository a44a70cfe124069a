"""The key pair that signs service account tokens, and the public keys they are verified with.

`sa.key` and `sa.pub` as kubeadm names them, made once. `sa.pub` may hold several public keys: to rotate, remove
`sa.key` and start anew. The new key's public half is put in front of the old ones, which are believed for as long as
they are in the file. A key is known by its id, the hash of its public half.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tiphys.pki.files import write_atomically, write_key

_BITS = 2048
_EXPONENT = 65537
_PUBLIC = re.compile(rb"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ServiceAccountKeys:
    """`verifying` is by key id, the signing key's own first."""

    signing: rsa.RSAPrivateKey
    verifying: Mapping[str, rsa.RSAPublicKey]

    @property
    def key_id(self) -> str:
        """The id of the signing key."""
        return next(iter(self.verifying))


def key_id(key: rsa.RSAPublicKey) -> str:
    """The hash of the public key, as upstream makes it (k/k `pkg/serviceaccount/jwt.go` keyIDFromPublicKey)."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return urlsafe_b64encode(sha256(der).digest()).rstrip(b"=").decode()


def ensure(directory: Path) -> ServiceAccountKeys:
    """Read the keys below `directory`, making what is missing: some 50 ms for a new key, in which other threads run.

    Raises OSError, and ValueError for files that hold no RSA keys.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    private, public = directory / "sa.key", directory / "sa.pub"
    signing = _read_private(private) if private.exists() else _make(private)
    believed = _read_public(public) if public.exists() else []
    own = signing.public_key()
    if own not in believed:
        believed.insert(0, own)
        write_atomically(public, b"".join(_pem(key) for key in believed))
    ordered = sorted(believed, key=lambda key: key != own)
    return ServiceAccountKeys(signing, {key_id(key): key for key in ordered})


def _make(path: Path) -> rsa.RSAPrivateKey:
    made = rsa.generate_private_key(_EXPONENT, _BITS)
    pem = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    write_key(path, pem)
    return made


def _read_private(path: Path) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError(f"{path.name} is not an RSA private key")
    return key


def _read_public(path: Path) -> list[rsa.RSAPublicKey]:
    found: list[rsa.RSAPublicKey] = []
    for block in _PUBLIC.finditer(path.read_bytes()):
        key = serialization.load_pem_public_key(block[0])
        if not isinstance(key, rsa.RSAPublicKey):
            raise ValueError(f"{path.name} holds a key that is not an RSA public key")
        found.append(key)
    return found


def _pem(key: rsa.RSAPublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

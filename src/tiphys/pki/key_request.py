"""Private keys as a request asks for them, and how they are written (cfssl `csr/csr.go`)."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tiphys.pki.pki_error import PkiError

Digest = hashes.SHA256 | hashes.SHA384 | hashes.SHA512
SigningKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
_CURVES: dict[int, type[ec.EllipticCurve]] = {256: ec.SECP256R1, 384: ec.SECP384R1, 521: ec.SECP521R1}
_SMALLEST_RSA, _LARGEST_RSA = 2048, 8192


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """`algorithm` is rsa or ecdsa, `size` is in bits."""

    algorithm: str = "ecdsa"
    size: int = 256

    def generate(self) -> SigningKey:
        """Raises PkiError 2400 for a key that cannot or should not be."""
        if self.algorithm == "rsa":
            return self._rsa()
        if self.algorithm != "ecdsa":
            raise _failed("invalid algorithm")
        if self.size not in _CURVES:
            raise _failed("invalid curve")
        return ec.generate_private_key(_CURVES[self.size]())

    def _rsa(self) -> rsa.RSAPrivateKey:
        if self.size < _SMALLEST_RSA:
            raise _failed("RSA key is too weak")
        if self.size > _LARGEST_RSA:
            raise _failed("RSA key size too large")
        return rsa.generate_private_key(65537, self.size)


def hash_for(key: SigningKey) -> Digest:
    """The digest to sign with, as strong as the key (signer.DefaultSigAlgo)."""
    bits = key.key_size
    if isinstance(key, rsa.RSAPrivateKey):
        return hashes.SHA512() if bits >= 4096 else hashes.SHA384() if bits >= 3072 else hashes.SHA256()
    return hashes.SHA512() if bits == 521 else hashes.SHA384() if bits == 384 else hashes.SHA256()


def key_pem(key: SigningKey) -> bytes:
    """PKCS #1 for RSA, SEC 1 for elliptic curves, as cfssl and OpenSSL of old write them."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def load_key(pem: bytes) -> SigningKey:
    """An RSA or ECDSA key of any of the usual forms. Raises PkiError 2002, 2003, 2100 and 2200."""
    if b"-----BEGIN" not in pem:
        raise PkiError("Failed to decode private key", 2002)
    try:
        key = serialization.load_pem_private_key(pem, None)
    except TypeError:
        raise PkiError("Private key is encrypted.", 2100) from None
    except Exception:
        # cryptography raises ValueError, UnsupportedAlgorithm and, for some garbage, its own internal errors.
        raise PkiError("Failed to parse private key", 2003) from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise PkiError("Private key algorithm is not RSA or ECC", 2200)
    return key


def _failed(why: str) -> PkiError:
    return PkiError(why, 2400)

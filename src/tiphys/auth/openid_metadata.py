"""What others need to verify our tokens by themselves: the issuer's discovery document and its public keys
(k/k `pkg/serviceaccount/openidmetadata.go`, `pkg/routes/openidmetadata.go`)."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable

import orjson
from cryptography.hazmat.primitives.asymmetric import rsa

from tiphys.base.document import Document
from tiphys.base.http import JSON, Request, Response
from tiphys.pki.jwt import ALGORITHM
from tiphys.pki.service_account_key import ServiceAccountKeys

CONFIGURATION = "/.well-known/openid-configuration"
KEYS = "/openid/v1/jwks"
_CACHE = [("Cache-Control", "public, max-age=3600")]


class OpenIdMetadata:
    """Serves both documents. `address` tells where the API server is reached, `127.0.0.1:6443`."""

    def __init__(self, issuer: str, keys: ServiceAccountKeys, address: Callable[[], str]) -> None:
        self._issuer = issuer
        self._address = address
        self._keys = orjson.dumps({"keys": [_jwk(key_id, key) for key_id, key in keys.verifying.items()]})

    def paths(self) -> list[str]:
        return [CONFIGURATION, KEYS]

    async def respond(self, request: Request) -> Response | None:
        path = request.path.removesuffix("/")
        if path not in (CONFIGURATION, KEYS):
            return None
        if request.method not in ("GET", "HEAD"):
            return Response(405, b"405: Method Not Allowed", "text/plain; charset=utf-8")
        if path == KEYS:
            return Response(200, self._keys, "application/jwk-set+json", list(_CACHE))
        return Response(200, orjson.dumps(self._configuration()), JSON, list(_CACHE))

    def _configuration(self) -> Document:
        return {
            "issuer": self._issuer,
            "jwks_uri": f"https://{self._address()}{KEYS}",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
        }


def _jwk(key_id: str, key: rsa.RSAPublicKey) -> Document:
    numbers = key.public_numbers()
    return {
        "use": "sig",
        "kty": "RSA",
        "kid": key_id,
        "alg": ALGORITHM,
        "n": _unsigned(numbers.n),
        "e": _unsigned(numbers.e),
    }


def _unsigned(number: int) -> str:
    """Base64urlUInt of RFC 7518."""
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return urlsafe_b64encode(raw).rstrip(b"=").decode()

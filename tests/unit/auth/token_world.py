"""A cluster in memory, its signing keys, and tokens made, signed and broken at will."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tiphys.auth.bearer_token import BearerToken
from tiphys.auth.last_used import LastUsed
from tiphys.auth.service_account_token import ServiceAccountToken
from tiphys.base.document import Document
from tiphys.pki.service_account_key import ServiceAccountKeys, key_id
from tiphys.pki.service_account_token import ISSUER, TokenSigner

NOW = 1_700_000_000


class StillClock:
    def __init__(self) -> None:
        self.seconds = float(NOW)

    def now(self) -> float:
        return self.seconds

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here waits")


class Objects:
    """A Reader over documents the test puts there."""

    def __init__(self) -> None:
        self.documents: dict[tuple[str, str, str, str], Document] = {}

    def put(self, plural: str, name: str, uid: str, namespace: str = "erp", **more: Any) -> Document:
        metadata = {"name": name, "namespace": namespace, "uid": uid, **more.pop("metadata", {})}
        document = {"metadata": metadata, **more}
        self.documents["", plural, namespace, name] = document
        return document

    def remove(self, plural: str, name: str, namespace: str = "erp") -> None:
        del self.documents["", plural, namespace, name]

    async def get(self, group: str, plural: str, namespace: str, name: str) -> Document | None:
        return self.documents.get((group, plural, namespace, name))

    async def list(self, group: str, plural: str, namespace: str = "") -> list[Document]:
        raise AssertionError("tokens list nothing")


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@lru_cache
def some_keys() -> ServiceAccountKeys:
    """The cluster's keys, the same for all tests."""
    key = new_key()
    return ServiceAccountKeys(key, {key_id(key.public_key()): key.public_key()})


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forge(header: Mapping[str, Any], claims: Any, key: rsa.RSAPrivateKey | None = None) -> str:
    """A token of this header and these claims, signed with RS256 whatever the header says, or not at all."""
    body = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    signed = f"{b64(json.dumps(header).encode())}.{b64(body)}"
    signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()) if key else b""
    return f"{signed}.{b64(signature)}"


@dataclass
class World:
    """`tokens` authenticates; `signer` makes good tokens; `claims` are those of a good one, to be changed."""

    keys: ServiceAccountKeys = field(default_factory=some_keys)
    clock: StillClock = field(default_factory=StillClock)
    objects: Objects = field(default_factory=Objects)
    minor: int = 37

    def __post_init__(self) -> None:
        self.signer = TokenSigner(self.keys)
        self.account = self.objects.put("serviceaccounts", "builder", "sa-1")
        self.believe(self.keys)

    def believe(self, keys: ServiceAccountKeys, minor: int = 37) -> None:
        self.last_used = LastUsed(self.clock)
        more = {"last_used": self.last_used}
        self.service_accounts = ServiceAccountToken(keys, self.objects, self.clock, minor, **more)
        self.tokens = BearerToken([self.service_accounts])

    @property
    def header(self) -> dict[str, Any]:
        return {"alg": "RS256", "kid": self.keys.key_id}

    def claims(self, **changed: Any) -> dict[str, Any]:
        claims = {
            "iss": ISSUER,
            "sub": "system:serviceaccount:erp:builder",
            "aud": [ISSUER],
            "iat": NOW,
            "nbf": NOW,
            "exp": NOW + 3600,
            "kubernetes.io": {"namespace": "erp", "serviceaccount": {"name": "builder", "uid": "sa-1"}},
        }
        return {key: value for key, value in {**claims, **changed}.items() if value is not None}

    def token(self, **more: Any) -> str:
        return self.signer.bound(self.account, [ISSUER], NOW, 3600, **more)

    def forged(self, **changed: Any) -> str:
        """Signed with the cluster's own key, whatever it says."""
        return forge(self.header, self.claims(**changed), self.keys.signing)

"""What service account tokens say, and how they are made (k/k `pkg/serviceaccount/claims.go`, `legacy.go`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tiphys.base.document import Document
from tiphys.base.user import service_account_user
from tiphys.pki import jwt
from tiphys.pki.service_account_key import ServiceAccountKeys

ISSUER = "https://kubernetes.default.svc.cluster.local"
"""kubeadm's default `--service-account-issuer`."""
LEGACY_ISSUER = "kubernetes/serviceaccount"
LEGACY_CLAIM = "kubernetes.io/serviceaccount/"


class TokenSigner:
    """Makes tokens with the cluster's key. An account, pod, secret or node is given as its document."""

    def __init__(self, keys: ServiceAccountKeys, issuer: str = ISSUER) -> None:
        self.keys = keys
        self.issuer = issuer

    def bound(
        self,
        account: Document,
        audiences: Sequence[str],
        now: int,
        seconds: int,
        *,
        to: Mapping[str, Document] | None = None,
        warn_after: int = 0,
        token_id: str = "",
    ) -> str:
        """A token good for `seconds` from `now` while what it is bound `to` (`pod`, `secret`, `node`) exists.

        After `warn_after` seconds, if given, its use is noted as one that should have ended.
        """
        meta = account["metadata"]
        private: Document = {"namespace": meta["namespace"], "serviceaccount": _reference(account)}
        private |= {name: _reference(document) for name, document in (to or {}).items()}
        if warn_after:
            private["warnafter"] = now + warn_after
        claims: Document = {
            "iss": self.issuer,
            "sub": _subject(account),
            "aud": list(audiences),
            "iat": now,
            "nbf": now,
            "exp": now + seconds,
            "kubernetes.io": private,
        }
        if token_id:
            claims["jti"] = token_id
        return self._sign(claims)

    def legacy(self, account: Document, secret: str) -> str:
        """The token kept in the secret of this name: it has no end but that of its account or secret."""
        meta = account["metadata"]
        return self._sign(
            {
                "iss": LEGACY_ISSUER,
                "sub": _subject(account),
                f"{LEGACY_CLAIM}namespace": meta["namespace"],
                f"{LEGACY_CLAIM}secret.name": secret,
                f"{LEGACY_CLAIM}service-account.name": meta["name"],
                f"{LEGACY_CLAIM}service-account.uid": meta["uid"],
            }
        )

    def _sign(self, claims: Document) -> str:
        return jwt.sign(claims, self.keys.signing, self.keys.key_id)


def _subject(account: Document) -> str:
    meta = account["metadata"]
    return service_account_user(meta["namespace"], meta["name"]).name


def _reference(document: Document) -> Document:
    meta = document["metadata"]
    return {key: meta[key] for key in ("name", "uid") if meta.get(key)}

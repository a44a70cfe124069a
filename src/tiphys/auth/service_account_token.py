"""Service account tokens: a signature of ours, and everything the token rests on still there (k/k
`pkg/serviceaccount/jwt.go`, `claims.go`, `legacy.go`).

A signature is verified once, 35 µs; what a token says is then remembered under the token's digest. What it rests
on, its account and the pod, secret or node it is bound to, is looked at for every request: a token dies with them at
once.
"""

from __future__ import annotations

import hmac
import json
from base64 import b64decode
from collections.abc import Sequence
from hashlib import sha256

from tiphys.api.admission import Reader
from tiphys.auth.bearer_token import API_AUDIENCES
from tiphys.auth.last_used import LastUsed
from tiphys.auth.service_account_claims import LEEWAY, Claims, Reference, read_claims, read_issuer
from tiphys.auth.token import Authenticated, TokenRefused
from tiphys.base.clock import Clock, parse_rfc3339
from tiphys.base.document import Document
from tiphys.pki import jwt
from tiphys.pki.service_account_key import ServiceAccountKeys
from tiphys.pki.service_account_token import ISSUER, LEGACY_ISSUER

_REMEMBERED = 8192
_INVALIDATED = "service account token has been invalidated"
INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since"
_INVALID_SINCE_COUNTS = 29


class ServiceAccountToken:
    """Knows the tokens signed with one of `keys` for one of `issuers`."""

    def __init__(
        self,
        keys: ServiceAccountKeys,
        reader: Reader,
        clock: Clock,
        minor: int,
        *,
        issuers: Sequence[str] = (ISSUER,),
        api_audiences: Sequence[str] = API_AUDIENCES,
        last_used: LastUsed | None = None,
    ) -> None:
        self._keys = keys
        self._reader = reader
        self._clock = clock
        self._minor = minor
        self._issuers = {*issuers, LEGACY_ISSUER}
        self._api_audiences = tuple(api_audiences)
        self._last_used = last_used
        self._remembered: dict[bytes, Claims] = {}

    async def authenticate_token(self, token: str, audiences: Sequence[str]) -> Authenticated | None:
        digest = sha256(token.encode("utf-8", "surrogatepass")).digest()
        claims = self._remembered.get(digest)
        if claims is None:
            claims = self._read(token)
            if claims is None:
                return None
            self._remember(digest, claims)
        found = claims.for_the_api if audiences is self._api_audiences else None
        found = found or Authenticated(claims.user, _shared(claims.audiences, audiences))
        if claims.legacy:
            await self._check_legacy(claims, token)
        else:
            claims.check_time(self._clock.now())
            for reference in claims.references:
                await self._check(reference)
        return found

    def _remember(self, digest: bytes, claims: Claims) -> None:
        if len(self._remembered) >= _REMEMBERED:
            self._remembered.clear()
        self._remembered[digest] = claims

    def _read(self, token: str) -> Claims | None:
        """What a token says that is signed by us, None for one that is not for us to judge. Raises TokenRefused."""
        try:
            if read_issuer(jwt.payload_of(token)) not in self._issuers:
                return None
            parsed = jwt.parse(token)
        except ValueError:
            return None
        self._verify(parsed)
        return read_claims(parsed.payload, self._minor, self._api_audiences)

    def _verify(self, token: jwt.Jws) -> None:
        """A token names its key; one that does not is tried with every key."""
        known = self._keys.verifying
        keys = [known[token.key_id]] if token.key_id in known else [] if token.key_id else list(known.values())
        if not keys:
            raise TokenRefused("invalid signature, no keys found")
        if not any(token.verified_by(key) for key in keys):
            raise TokenRefused("go-jose/go-jose: error in cryptographic primitive")

    async def _check(self, reference: Reference) -> None:
        """That what the token rests on is there, is the one it was made for, and is not long deleted."""
        found = await self._reader.get("", reference.plural, reference.namespace, reference.name)
        if found is not None and found is reference.seen:
            return
        reference.seen = None
        if found is None:
            raise TokenRefused(reference.missing or _INVALIDATED)
        meta = found["metadata"]
        if meta.get("uid") != reference.uid:
            raise TokenRefused(reference.replaced.format(meta.get("uid"), reference.uid))
        deleted = meta.get("deletionTimestamp")
        if not deleted:
            reference.seen = found
        elif parse_rfc3339(deleted) < self._clock.now() - LEEWAY:
            raise TokenRefused(reference.deleted or _INVALIDATED)

    async def _check_legacy(self, claims: Claims, token: str) -> None:
        """That the secret still holds this very token, and its account is there."""
        secret, account = claims.references
        found = await self._reader.get("", "secrets", secret.namespace, secret.name)
        if found is None or found["metadata"].get("deletionTimestamp"):
            raise TokenRefused("Token has been invalidated")
        if found is not secret.seen and not _holds(found, token):
            raise TokenRefused("Token does not match server's copy")
        owner = await self._reader.get("", "serviceaccounts", account.namespace, account.name)
        if owner is None:
            raise TokenRefused(account.missing)
        if owner["metadata"].get("deletionTimestamp"):
            raise TokenRefused(f"ServiceAccount {account.namespace}/{account.name} has been deleted")
        if owner["metadata"].get("uid") != account.uid:
            told = f"ServiceAccount UID ({owner['metadata'].get('uid')}) does not match claim ({account.uid})"
            raise TokenRefused(told)
        if self._last_used is not None:
            self._last_used.note(found)
        self._check_mark(found, account)
        secret.seen = found

    def _check_mark(self, secret: Document, account: Reference) -> None:
        """Secrets marked as invalid for want of use, by the cleaner of legacy tokens or by hand."""
        meta = secret["metadata"]
        if self._minor >= _INVALID_SINCE_COUNTS and (meta.get("labels") or {}).get(INVALID_SINCE):
            raise TokenRefused(
                f"the token in secret {meta['namespace']}/{meta['name']} for service account "
                f"{account.namespace}/{account.name} has been marked invalid. Use tokens from the TokenRequest API "
                f"or manually created secret-based tokens, or remove the '{INVALID_SINCE}' label from the secret to "
                "temporarily allow use of this token"
            )


def _shared(meant_for: tuple[str, ...], asked: Sequence[str]) -> tuple[str, ...]:
    """Raises TokenRefused if there is none."""
    shared = tuple(audience for audience in meant_for if audience in asked)
    if not shared:
        wrong, right = _quoted(meant_for), _quoted(asked)
        raise TokenRefused(f"token audiences {wrong} is invalid for the target audiences {right}")
    return shared


def _quoted(texts: Sequence[str]) -> str:
    """Go's %q of a slice."""
    return "[" + " ".join(json.dumps(text, ensure_ascii=False) for text in texts) + "]"


def _holds(secret: Document, token: str) -> bool:
    try:
        kept = b64decode((secret.get("data") or {}).get("token") or "")
    except ValueError:
        return False
    return hmac.compare_digest(kept, token.encode("utf-8", "surrogatepass"))

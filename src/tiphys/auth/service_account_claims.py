"""What a service account token says, read from a payload whose signature has been verified.

The account is named twice in a token, in `sub` and in the private claims. Upstream goes by the private claims, and
for legacy tokens sees to it that both agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from tiphys.auth.token import Authenticated, TokenRefused
from tiphys.base.document import Document
from tiphys.base.user import User, service_account_user
from tiphys.pki.service_account_token import LEGACY_CLAIM, LEGACY_ISSUER

LEEWAY = 60.0
"""Seconds that clocks may differ (go-jose DefaultLeeway)."""
_EXTRA = "authentication.kubernetes.io/"
_TOKEN_ID_SINCE = _POD_NODE_SINCE = _NODE_BINDING_SINCE = 30
"""The minors whose gates ServiceAccountTokenJTI, -PodNodeInfo and -NodeBindingValidation are on by default."""
_UID_DIFFERS = "{} UID ({{}}) does not match {} ({{}})"

Seconds = int | float


class _Ref(msgspec.Struct):
    name: str = ""
    uid: str = ""


class _Kubernetes(msgspec.Struct):
    namespace: str = ""
    serviceaccount: _Ref = msgspec.field(default_factory=_Ref)
    pod: _Ref | None = None
    secret: _Ref | None = None
    node: _Ref | None = None


class _Payload(msgspec.Struct):
    iss: str = ""
    sub: str = ""
    jti: str = ""
    aud: str | list[str] | None = None
    exp: Seconds | None = None
    nbf: Seconds | None = None
    iat: Seconds | None = None
    kubernetes: _Kubernetes = msgspec.field(name="kubernetes.io", default_factory=_Kubernetes)
    namespace: str = msgspec.field(name=f"{LEGACY_CLAIM}namespace", default="")
    secret: str = msgspec.field(name=f"{LEGACY_CLAIM}secret.name", default="")
    account: str = msgspec.field(name=f"{LEGACY_CLAIM}service-account.name", default="")
    account_uid: str = msgspec.field(name=f"{LEGACY_CLAIM}service-account.uid", default="")


class _Issuer(msgspec.Struct):
    iss: str = ""


_read_payload = msgspec.json.Decoder(_Payload).decode
_read_issuer = msgspec.json.Decoder(_Issuer).decode


@dataclass(slots=True)
class Reference:
    """An object a token rests on, and the words for its being gone. `seen` is the document last found to be right."""

    plural: str
    namespace: str
    name: str
    uid: str
    replaced: str = ""
    missing: str = ""
    deleted: str = ""
    seen: Document | None = None


@dataclass(frozen=True, slots=True)
class Claims:
    """`references` are in the order they are checked in: of a legacy token, the secret and the account.

    `for_the_api` is the answer to who asks for the API server's own audiences, None where the token is for others.
    """

    user: User
    audiences: tuple[str, ...]
    references: tuple[Reference, ...]
    for_the_api: Authenticated | None
    legacy: bool = False
    expires: Seconds | None = None
    not_before: Seconds | None = None
    issued: Seconds | None = None

    def check_time(self, now: float) -> None:
        """Raises TokenRefused outside the token's time."""
        if self.not_before is not None and now + LEEWAY < self.not_before:
            raise TokenRefused("service account token is not valid yet")
        if self.expires is not None and now - LEEWAY > self.expires:
            raise TokenRefused("service account token has expired")
        if self.issued is not None and now + LEEWAY < self.issued:
            raise TokenRefused("service account token is issued in the future")


def read_issuer(payload: bytes) -> str:
    """Who a token says made it: not verified, to be used for nothing but to ask whose business it is.

    Raises ValueError."""
    try:
        return _read_issuer(payload).iss
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError("the payload is not one of a token") from error


def read_claims(payload: bytes, minor: int, api_audiences: Sequence[str]) -> Claims:
    """What a verified payload says. Raises TokenRefused for claims that are not ours."""
    try:
        read = _read_payload(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise TokenRefused("service account token claims could not be validated") from None
    if read.iss == LEGACY_ISSUER:
        user, references = _legacy(read)
    else:
        user = _user(read.kubernetes, read.jti, minor)
        references = (_account(read.kubernetes), *_bound(read.kubernetes, minor))
    named = (read.aud,) if isinstance(read.aud, str) else tuple(read.aud or ())
    audiences = named or tuple(api_audiences)
    shared = tuple(audience for audience in audiences if audience in api_audiences)
    return Claims(
        user,
        audiences,
        references,
        Authenticated(user, shared) if shared else None,
        read.iss == LEGACY_ISSUER,
        read.exp,
        read.nbf,
        read.iat,
    )


def _legacy(read: _Payload) -> tuple[User, tuple[Reference, ...]]:
    needed = {
        "sub": read.sub,
        "namespace": read.namespace,
        "secretName": read.secret,
        "serviceAccountName": read.account,
        "serviceAccountUID": read.account_uid,
    }
    for name, value in needed.items():
        if not value:
            raise TokenRefused(f"{name} claim is missing")
    user = replace(service_account_user(read.namespace, read.account), uid=read.account_uid)
    if user.name != read.sub:
        raise TokenRefused("sub claim is invalid")
    secret = Reference("secrets", read.namespace, read.secret, "")
    missing = f'serviceaccounts "{read.account}" not found'
    account = Reference("serviceaccounts", read.namespace, read.account, read.account_uid, missing=missing)
    return user, (secret, account)


def _account(private: _Kubernetes) -> Reference:
    name = private.serviceaccount.name
    return Reference(
        "serviceaccounts",
        private.namespace,
        name,
        private.serviceaccount.uid,
        replaced=_UID_DIFFERS.format("service account", "claim"),
        missing=f'serviceaccounts "{name}" not found',
        deleted=f"service account {private.namespace}/{name} has been deleted",
    )


def _bound(private: _Kubernetes, minor: int) -> list[Reference]:
    found = []
    for kind, reference in (("secret", private.secret), ("pod", private.pod)):
        if reference is not None:
            words = _UID_DIFFERS.format(kind, f"service account {kind} ref claim")
            found.append(Reference(f"{kind}s", private.namespace, reference.name, reference.uid, words))
    if private.node is not None and private.pod is None:
        if minor < _NODE_BINDING_SINCE:
            gate = "ServiceAccountTokenNodeBindingValidation"
            raise TokenRefused(f"token is bound to a Node object but the {gate} feature gate is disabled")
        words = _UID_DIFFERS.format("node", "service account node ref claim")
        found.append(Reference("nodes", "", private.node.name, private.node.uid, words))
    return found


def _user(private: _Kubernetes, token_id: str, minor: int) -> User:
    """ServiceAccountInfo.UserInfo (apiserver `authentication/serviceaccount/util.go`)."""
    extra: dict[str, tuple[str, ...]] = {}
    if private.pod is not None and private.pod.name and private.pod.uid:
        extra |= {f"{_EXTRA}pod-name": (private.pod.name,), f"{_EXTRA}pod-uid": (private.pod.uid,)}
    if token_id and minor >= _TOKEN_ID_SINCE:
        extra[f"{_EXTRA}credential-id"] = (f"JTI={token_id}",)
    if private.node is not None and private.node.name and minor >= _POD_NODE_SINCE:
        extra[f"{_EXTRA}node-name"] = (private.node.name,)
        if private.node.uid:
            extra[f"{_EXTRA}node-uid"] = (private.node.uid,)
    user = service_account_user(private.namespace, private.serviceaccount.name)
    return replace(user, uid=private.serviceaccount.uid, extra=extra)

"""Service account tokens: k/k `pkg/serviceaccount/claims_test.go`, `jwt_test.go`, and the attacks on them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from tests.unit.auth.token_world import NOW, World, b64, forge, new_key

from tiphys.auth.token import TokenRefused
from tiphys.base.clock import rfc3339
from tiphys.base.http import Request
from tiphys.base.status import StatusError
from tiphys.base.user import User
from tiphys.pki.service_account_key import ServiceAccountKeys, key_id
from tiphys.pki.service_account_token import ISSUER

GROUPS = ("system:serviceaccounts", "system:serviceaccounts:erp", "system:authenticated")
EXTRA = "authentication.kubernetes.io/"


@pytest.fixture
def world() -> World:
    return World()


async def user_of(world: World, token: str) -> User:
    return (await world.tokens.authenticate_token(token)).user


async def why_refused(world: World, token: str, *audiences: str) -> str:
    with pytest.raises(TokenRefused) as refused:
        await world.tokens.authenticate_token(token, audiences)
    return str(refused.value).removeprefix("[invalid bearer token, ").removesuffix("]")


async def test_a_good_token_is_its_account(world: World) -> None:
    user = await user_of(world, world.token(token_id="t-1"))
    assert user == User("system:serviceaccount:erp:builder", GROUPS, "sa-1", {f"{EXTRA}credential-id": ("JTI=t-1",)})
    assert await user_of(world, world.token()) == User("system:serviceaccount:erp:builder", GROUPS, "sa-1")


async def test_a_token_of_a_pod_tells_of_pod_and_node(world: World) -> None:
    pod = world.objects.put("pods", "web", "p-1")
    node = world.objects.put("nodes", "n1", "n-1", namespace="")
    token = world.token(to={"pod": pod, "node": node}, token_id="t")
    told = {"pod-name": "web", "pod-uid": "p-1", "credential-id": "JTI=t", "node-name": "n1", "node-uid": "n-1"}
    assert (await user_of(world, token)).extra == {EXTRA + key: (value,) for key, value in told.items()}
    world.objects.remove("nodes", "n1", "")
    assert (await user_of(world, token)).extra, "a pod's token does not end with the node"
    world.believe(world.keys, minor=29)
    assert set((await user_of(world, token)).extra) == {f"{EXTRA}pod-name", f"{EXTRA}pod-uid"}


async def test_time(world: World) -> None:
    """go-jose's leeway of a minute either way."""
    token = world.token()
    world.clock.seconds = NOW + 3600 + 60
    assert await user_of(world, token)
    world.clock.seconds += 1
    assert await why_refused(world, token) == "service account token has expired"
    world.clock.seconds = NOW - 60
    assert await user_of(world, token)
    world.clock.seconds -= 1
    assert await why_refused(world, token) == "service account token is not valid yet"
    future = world.forged(nbf=None, iat=NOW + 3600)
    assert await why_refused(world, future) == "service account token is issued in the future"


async def test_audiences(world: World) -> None:
    mine = world.signer.bound(world.account, ["vault", "db"], NOW, 3600)
    assert await why_refused(world, mine) == (
        f'token audiences ["vault" "db"] is invalid for the target audiences ["{ISSUER}"]'
    )
    assert (await world.tokens.authenticate_token(mine, ["db", "x"])).audiences == ("db",)
    assert "invalid for the target" in await why_refused(world, world.token(), "vault")
    assert await user_of(world, world.forged(aud=ISSUER))
    assert await user_of(world, world.forged(aud=None)), "no audience is the API server's"


@pytest.mark.parametrize("plural", ["serviceaccounts", "secrets", "pods", "nodes"])
async def test_a_token_dies_with_what_it_rests_on(world: World, plural: str) -> None:
    kind, namespace = plural.removesuffix("s"), "" if plural == "nodes" else "erp"
    name = "builder" if plural == "serviceaccounts" else "x"
    bound = {} if plural == "serviceaccounts" else {kind: world.objects.put(plural, name, "sa-1", namespace)}
    token = world.token(to=bound)
    for _ in range(2):
        assert await user_of(world, token)
    world.objects.remove(plural, name, namespace)
    gone = 'serviceaccounts "builder" not found'
    assert await why_refused(world, token) == (
        gone if plural == "serviceaccounts" else "service account token has been invalidated"
    )
    world.objects.put(plural, name, "another", namespace)
    assert "UID (another) does not match" in await why_refused(world, token)
    world.objects.put(plural, name, "sa-1", namespace)
    assert await user_of(world, token)
    deleted = {"deletionTimestamp": rfc3339(NOW)}
    world.objects.put(plural, name, "sa-1", namespace, metadata=deleted)
    world.clock.seconds = NOW + 60
    assert await user_of(world, token), "as upstream, for a minute after its time to go"
    world.clock.seconds += 1
    assert "been" in await why_refused(world, token)


async def test_node_binding_is_judged_since_1_30(world: World) -> None:
    node = world.objects.put("nodes", "n1", "n-1", namespace="")
    world.believe(world.keys, minor=29)
    assert "feature gate is disabled" in await why_refused(world, world.token(to={"node": node}))


# Attacks


async def test_another_issuer(world: World) -> None:
    assert await why_refused(world, world.forged(iss="https://elsewhere")) == "invalid bearer token"


async def test_alg_none(world: World) -> None:
    for algorithm in ("none", "None", "NONE", ""):
        token = forge({"alg": algorithm}, world.claims())
        assert await why_refused(world, token) == "invalid bearer token"
        assert await why_refused(world, forge({"alg": algorithm}, world.claims(), world.keys.signing))
    assert await why_refused(world, forge(world.header, world.claims()))


async def test_hs256_with_the_public_key_as_secret(world: World) -> None:
    public = world.keys.signing.public_key()
    forms = (
        public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1),
    )
    for secret in forms:
        for header in ({"alg": "HS256"}, {"alg": "HS256", "kid": world.keys.key_id}):
            signed = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(world.claims()).encode())}"
            signature = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
            assert await why_refused(world, f"{signed}.{b64(signature)}") == "invalid bearer token"


async def test_a_foreign_key(world: World) -> None:
    foreign = new_key()
    claimed = forge(world.header, world.claims(), foreign)
    assert await why_refused(world, claimed) == "go-jose/go-jose: error in cryptographic primitive"
    honest = forge({"alg": "RS256", "kid": key_id(foreign.public_key())}, world.claims(), foreign)
    assert await why_refused(world, honest) == "invalid signature, no keys found"
    nameless = forge({"alg": "RS256"}, world.claims(), foreign)
    assert await why_refused(world, nameless) == "go-jose/go-jose: error in cryptographic primitive"


async def test_an_altered_payload(world: World) -> None:
    head, _, signature = world.token().split(".")
    other = world.objects.put("serviceaccounts", "admin", "sa-2")
    _, payload, _ = world.signer.bound(other, [ISSUER], NOW, 3600).split(".")
    assert "cryptographic" in await why_refused(world, f"{head}.{payload}.{signature}")


async def test_every_letter_counts(world: World) -> None:
    """Among them the last ones, whose lowest bits base64 does not need."""
    token = world.token()
    for place in {
        0,
        20,
        len(token) // 2,
        len(token) - 2,
        len(token) - 1,
        token.rindex(".") - 1,
        token.index(".") - 1,
    }:
        for letter in "AQgw_-":
            if token[place] != letter:
                altered = token[:place] + letter + token[place + 1 :]
                assert await why_refused(world, altered), (place, letter)


@pytest.mark.parametrize(
    "kid", ["../../etc/passwd", "/dev/null", "' OR 1=1 --", "x" * 5000, 7, None, ["a"], {"a": "b"}, "\x00"]
)
async def test_tricks_with_the_key_id(world: World, kid: Any) -> None:
    assert await why_refused(world, forge({"alg": "RS256", "kid": kid}, world.claims(), new_key()))
    carried = {"alg": "RS256", "kid": kid, "jku": "https://evil", "jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}}
    assert await why_refused(world, forge(carried, world.claims(), new_key()))


async def test_extensions_that_must_be_understood(world: World) -> None:
    token = forge({**world.header, "crit": ["b64"], "b64": False}, world.claims(), world.keys.signing)
    assert await why_refused(world, token) == "invalid bearer token"


async def test_oversized_tokens(world: World) -> None:
    assert await why_refused(world, "a" * 10_000_000) == "invalid bearer token"
    assert await why_refused(world, f"{'a' * 100_000}.{'b' * 100_000}.c") == "invalid bearer token"
    assert await why_refused(world, world.forged(sub="s" * 100_000)) == "invalid bearer token"


async def test_nesting_and_nonsense(world: World) -> None:
    deep = b'{"iss":"' + ISSUER.encode() + b'","x":' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    bodies = [deep, b"", b"[]", b"null", b'"x"', b"{", b"\xff\xfe", b'{"iss":7}', b'{"iss":"a","iss":["b"]}']
    for body in bodies:
        assert await why_refused(world, forge(world.header, body, new_key()))
        assert await why_refused(world, forge(world.header, body, world.keys.signing))
    for text in (".", "..", "...", "a.b.c", "é.ü.ñ", "\udcff.\udcff.\udcff", " . . ", "=.=.=", "{}.{}.{}"):
        assert await why_refused(world, text) == "invalid bearer token"


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": "never"},
        {"exp": True},
        {"nbf": [1]},
        {"aud": {"a": 1}},
        {"aud": [1]},
        {"kubernetes.io": []},
        {"kubernetes.io": {"serviceaccount": "builder"}},
        {"kubernetes.io": {"namespace": 1}},
        {"kubernetes.io": None},
        {"kubernetes.io": {"namespace": "erp", "serviceaccount": {"name": "builder"}}},
    ],
)
async def test_claims_of_other_types_under_our_own_signature(world: World, changed: dict[str, Any]) -> None:
    assert await why_refused(world, world.forged(**changed))


async def test_the_account_made_anew(world: World) -> None:
    token = world.token()
    assert await user_of(world, token)
    world.objects.remove("serviceaccounts", "builder")
    world.objects.put("serviceaccounts", "builder", "sa-2")
    assert await why_refused(world, token) == "service account UID (sa-2) does not match claim (sa-1)"


async def test_whoever_shows_it_hears_the_same_words_and_the_log_no_token(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    bad = [world.forged(exp=NOW - 4000), forge({"alg": "none"}, world.claims()), "x" * 300, world.forged(aud=["b"])]
    with caplog.at_level(logging.DEBUG):
        for token in bad:
            request = Request("GET", "/", headers={"authorization": f"Bearer {token}"})
            with pytest.raises(StatusError) as refused:
                await world.tokens.authenticate(request)
            assert (refused.value.code, refused.value.message) == (401, "Unauthorized")
            for part in filter(lambda part: len(part) > 8, token.split(".")):
                assert part not in caplog.text
    assert "service account token has expired" in caplog.text


# Rotation


async def test_old_keys_are_believed_as_long_as_they_are_kept(world: World) -> None:
    old, new = world.keys, new_key()
    token, nameless = world.token(), forge({"alg": "RS256"}, world.claims(), world.keys.signing)
    fresh = {key_id(new.public_key()): new.public_key()}
    world.believe(ServiceAccountKeys(new, {**fresh, **old.verifying}))
    assert await user_of(world, token)
    assert await user_of(world, nameless), "a token without key id is tried with every key"
    world.believe(ServiceAccountKeys(new, fresh))
    assert await why_refused(world, token) == "invalid signature, no keys found"
    assert "cryptographic" in await why_refused(world, nameless)


# Legacy tokens


def _secret(world: World, token: str, **metadata: Any) -> None:
    data = {"token": base64.b64encode(token.encode()).decode()}
    world.objects.put("secrets", "builder-token", "s-1", data=data, metadata=metadata)


async def test_a_legacy_token_lives_as_long_as_its_secret_holds_it(world: World) -> None:
    token = world.signer.legacy(world.account, "builder-token")
    assert await why_refused(world, token) == "Token has been invalidated"
    _secret(world, token)
    for _ in range(2):
        assert await user_of(world, token) == User("system:serviceaccount:erp:builder", GROUPS, "sa-1")
    world.clock.seconds += 10 * 365 * 86400
    assert await user_of(world, token), "it has no end of its own"
    _secret(world, token + "x")
    assert await why_refused(world, token) == "Token does not match server's copy"
    _secret(world, token, deletionTimestamp=rfc3339(NOW))
    assert await why_refused(world, token) == "Token has been invalidated"
    _secret(world, token)
    world.objects.put("serviceaccounts", "builder", "sa-2")
    assert await why_refused(world, token) == "ServiceAccount UID (sa-2) does not match claim (sa-1)"
    world.objects.remove("serviceaccounts", "builder")
    assert await why_refused(world, token) == 'serviceaccounts "builder" not found'


async def test_a_legacy_token_marked_as_invalid(world: World) -> None:
    token = world.signer.legacy(world.account, "builder-token")
    _secret(world, token)
    assert await user_of(world, token)
    _secret(world, token, labels={"kubernetes.io/legacy-token-invalid-since": "2023-10-27"})
    assert "has been marked invalid" in await why_refused(world, token)
    world.believe(world.keys, minor=28)
    assert await user_of(world, token)


class Patches:
    """A client that remembers what it is to change, and refuses the first."""

    def __init__(self) -> None:
        self.made: list[tuple[str, Any]] = []
        self.done = asyncio.Event()

    async def patch(self, api_version: str, plural: str, name: str, patch: Any, namespace: str) -> None:
        self.made.append((f"{plural}/{namespace}/{name}", patch))
        self.done.set()
        if len(self.made) == 1:
            raise StatusError(409, "Conflict", "changed meanwhile")


async def test_the_day_of_the_last_use_is_noted(world: World) -> None:
    token, client = world.signer.legacy(world.account, "builder-token"), Patches()
    _secret(world, token)
    work = asyncio.create_task(world.last_used.run(client))  # type: ignore[arg-type]
    for _ in range(2):
        client.done.clear()
        await user_of(world, token)
        await user_of(world, token)
        await client.done.wait()
        await asyncio.sleep(0)
    note = {"metadata": {"uid": "s-1", "labels": {"kubernetes.io/legacy-token-last-used": "2023-11-14"}}}
    assert client.made == [("secrets/erp/builder-token", note)] * 2
    for day in ("2023-11-14", "2023-11-15"):
        _secret(world, token, labels={"kubernetes.io/legacy-token-last-used": day})
        await user_of(world, token)
    world.clock.seconds += 2 * 86400
    client.done.clear()
    await user_of(world, token)
    await client.done.wait()
    assert client.made[2:][0][1]["metadata"]["labels"] == {"kubernetes.io/legacy-token-last-used": "2023-11-16"}
    work.cancel()


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        ("sub", "sub claim is missing"),
        ("kubernetes.io/serviceaccount/namespace", "namespace claim is missing"),
        ("kubernetes.io/serviceaccount/secret.name", "secretName claim is missing"),
        ("kubernetes.io/serviceaccount/service-account.name", "serviceAccountName claim is missing"),
        ("kubernetes.io/serviceaccount/service-account.uid", "serviceAccountUID claim is missing"),
    ],
)
async def test_a_legacy_token_says_everything(world: World, claim: str, said: str) -> None:
    payload = world.signer.legacy(world.account, "s").split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    del claims[claim]
    assert await why_refused(world, forge(world.header, claims, world.keys.signing)) == said


async def test_a_legacy_token_whose_halves_disagree(world: World) -> None:
    payload = world.signer.legacy(world.account, "s").split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    claims["sub"] = "system:serviceaccount:kube-system:admin"
    assert await why_refused(world, forge(world.header, claims, world.keys.signing)) == "sub claim is invalid"

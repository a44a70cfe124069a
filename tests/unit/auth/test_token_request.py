"""serviceaccounts/token, TokenReview and the issuer's documents, through the real verbs
(k/k `pkg/registry/core/serviceaccount/storage/token.go`, `pkg/registry/authentication/tokenreview`)."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.unit.api.world import RecordingAdmission, StillClock, World
from tests.unit.auth.token_world import some_keys

from tiphys.api.catalog import Catalog
from tiphys.api.service import Api
from tiphys.auth.openid_metadata import OpenIdMetadata
from tiphys.base.clock import rfc3339
from tiphys.base.discovery import discover
from tiphys.base.document import Document
from tiphys.base.http import Request
from tiphys.base.names import RandomIds
from tiphys.cluster import authentication
from tiphys.pki.service_account_key import ServiceAccountKeys, key_id
from tiphys.pki.service_account_token import ISSUER
from tiphys.schema.definitions import Definitions
from tiphys.store.memory import MemoryStore

KINDS = discover("tiphys.kinds", "KIND")
TOKEN = "/api/v1/namespaces/erp/serviceaccounts/builder/token"
REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
POD = {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}

Make = Callable[[int], Any]


@pytest.fixture
def keys() -> ServiceAccountKeys:
    return some_keys()


@pytest.fixture
async def make(keys: ServiceAccountKeys, tmp_path: Any) -> AsyncIterator[Make]:
    """Worlds of one minor version or another, with a service account erp/builder and a static token."""
    store = MemoryStore()
    await store.open()
    file = tmp_path / "tokens.csv"
    file.write_text("static-token,alice,u1,dev\n")

    async def made(minor: int = 37) -> World:
        clock, admission = StillClock(), RecordingAdmission()
        api = Api(store, Catalog(Definitions.load(minor), KINDS), admission, clock, RandomIds(random.Random(1)))
        authentication.compose(api, keys, str(file))
        world = World(api, store, clock, admission)
        account = {"metadata": {"name": "builder"}}
        await world.ok("POST", "/api/v1/namespaces/erp/serviceaccounts", account)
        return world

    yield made
    await store.close()


def claims_of(token: str) -> Document:
    payload = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))


async def ask(world: World, **spec: Any) -> tuple[Document, Document]:
    """The answer and the claims of its token."""
    answer = await world.ok("POST", TOKEN, {"spec": spec})
    return answer, claims_of(answer["status"]["token"])


async def test_a_request_that_asks_nothing_gets_the_defaults(make: Make) -> None:
    world = await make()
    account = await world.ok("GET", TOKEN.removesuffix("/token"))
    response = await world.ask("POST", TOKEN, {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1"})
    answer, now = orjson.loads(response.body), int(world.clock.now())
    assert response.status == 201
    claims = claims_of(answer["status"].pop("token"))
    assert answer == {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {
            "name": "builder",
            "namespace": "erp",
            "uid": account["metadata"]["uid"],
            "creationTimestamp": rfc3339(now),
        },
        "spec": {"audiences": [ISSUER], "expirationSeconds": 3600, "boundObjectRef": None},
        "status": {"expirationTimestamp": rfc3339(now + 3600)},
    }
    token_id = claims.pop("jti")
    assert len(token_id) == 36
    assert claims == {
        "iss": ISSUER,
        "sub": "system:serviceaccount:erp:builder",
        "aud": [ISSUER],
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "kubernetes.io": {
            "namespace": "erp",
            "serviceaccount": {"name": "builder", "uid": account["metadata"]["uid"]},
        },
    }
    assert list(claims) == sorted(claims)


async def test_older_minors_put_less_in(make: Make) -> None:
    world = await make(29)
    answer, claims = await ask(world)
    assert "jti" not in claims and "uid" not in answer["metadata"]


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        (
            {"spec": {"expirationSeconds": 599}},
            422,
            'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 599: '
            "may not specify a duration less than 10 minutes",
        ),
        (
            {"spec": {"expirationSeconds": (1 << 32) + 1}},
            422,
            'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 4294967297: '
            "may not specify a duration larger than 2^32 seconds",
        ),
        (
            {"metadata": {"name": "default"}},
            422,
            'TokenRequest.authentication.k8s.io "builder" is invalid: metadata.name: Invalid value: "default": '
            "must match the service account name if specified",
        ),
        (
            {"metadata": {"namespace": "default"}},
            422,
            'TokenRequest.authentication.k8s.io "builder" is invalid: metadata.namespace: Invalid value: "default": '
            "must match the service account namespace if specified",
        ),
        ({"spec": {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "x"}}}, 404, 'pods "x" not found'),
        (
            {"spec": {"boundObjectRef": {"kind": "ConfigMap", "apiVersion": "v1", "name": "x"}}},
            400,
            "cannot bind token to object of type /v1, Kind=ConfigMap",
        ),
        (
            {"spec": {"boundObjectRef": {"kind": "Pod", "apiVersion": "metrics.k8s.io/v1", "name": "x"}}},
            400,
            "cannot bind token to object of type metrics.k8s.io/v1, Kind=Pod",
        ),
        (
            {"metadata": {"uid": "u"}},
            409,
            'Operation cannot be fulfilled on TokenRequest.authentication.k8s.io "builder": '
            "the UID in the token request (u) does not match the UID of the service account (",
        ),
    ],
)
async def test_refusals(make: Make, body: Document, code: int, said: str) -> None:
    world = await make()
    status = await world.refused(code, "POST", TOKEN, body)
    assert status["message"].startswith(said)


async def test_an_account_there_is_not(make: Make) -> None:
    world = await make()
    status = await world.refused(404, "POST", TOKEN.replace("builder", "nobody"), {})
    assert status["message"] == 'serviceaccounts "nobody" not found'


async def test_only_posts(make: Make) -> None:
    world = await make()
    for method in ("GET", "PUT", "DELETE"):
        await world.refused(405, method, TOKEN)


async def test_bound_to_a_pod_and_its_node(make: Make) -> None:
    world = await make()
    pods = "/api/v1/namespaces/erp/pods"
    node = await world.ok("POST", "/api/v1/nodes", {"metadata": {"name": "n1"}})
    other = await world.ok("POST", pods, POD)
    reference = {"kind": "Pod", "apiVersion": "v1", "name": "web"}
    status = await world.refused(400, "POST", TOKEN, {"spec": {"boundObjectRef": reference}})
    assert status["message"] == (
        'cannot bind token for serviceaccount "builder" to pod running with different serviceaccount name.'
    )
    await world.ok("DELETE", f"{pods}/web", {"gracePeriodSeconds": 0})
    spec = {**POD["spec"], "serviceAccountName": "builder", "nodeName": "n1"}
    pod = await world.ok("POST", pods, {**POD, "spec": spec})
    stale = {"spec": {"boundObjectRef": {**reference, "uid": other["metadata"]["uid"]}}}
    status = await world.refused(409, "POST", TOKEN, stale)
    assert status["message"] == (
        'Operation cannot be fulfilled on Pod "web": the UID in the bound object reference '
        f"({other['metadata']['uid']}) does not match the UID in record. "
        "The object might have been deleted and then recreated"
    )
    answer, claims = await ask(world, boundObjectRef={**reference, "uid": pod["metadata"]["uid"]})
    bound = claims["kubernetes.io"]
    assert bound["pod"] == {"name": "web", "uid": pod["metadata"]["uid"]}
    assert bound["node"] == {"name": "n1", "uid": node["metadata"]["uid"]}
    assert answer["spec"]["boundObjectRef"]["name"] == "web"


async def test_a_token_as_pods_ask_for_it_is_extended_to_a_year(make: Make) -> None:
    """WarnOnlyBoundTokenExpirationSeconds: the answer tells of the hour, `warnafter` too, `exp` of the year."""
    world = await make()
    await world.ok(
        "POST", "/api/v1/namespaces/erp/pods", {**POD, "spec": {**POD["spec"], "serviceAccountName": "builder"}}
    )
    reference, now = {"kind": "Pod", "apiVersion": "v1", "name": "web"}, int(world.clock.now())
    answer, claims = await ask(world, boundObjectRef=reference, expirationSeconds=3607)
    assert answer["status"]["expirationTimestamp"] == rfc3339(now + 3607)
    assert (claims["exp"], claims["kubernetes.io"]["warnafter"]) == (now + 365 * 86400, now + 3607)
    for spec in ({"audiences": ["vault"]}, {"expirationSeconds": 3608}, {"boundObjectRef": None}):
        _, claims = await ask(world, **{"boundObjectRef": reference, "expirationSeconds": 3607, **spec})
        assert claims["exp"] < now + 4000 and "warnafter" not in claims["kubernetes.io"]


async def test_bound_to_a_secret_or_a_node(make: Make) -> None:
    world = await make()
    secret = await world.ok("POST", "/api/v1/namespaces/erp/secrets", {"metadata": {"name": "s"}})
    node = await world.ok("POST", "/api/v1/nodes", {"metadata": {"name": "n1"}})
    for kind, name, found in (("Secret", "s", secret), ("Node", "n1", node)):
        _, claims = await ask(world, boundObjectRef={"kind": kind, "apiVersion": "v1", "name": name})
        assert claims["kubernetes.io"][kind.lower()] == {"name": name, "uid": found["metadata"]["uid"]}
    world.api.minor = 30
    body = {"spec": {"boundObjectRef": {"kind": "Node", "apiVersion": "v1", "name": "n1"}}}
    status = await world.refused(400, "POST", TOKEN, body)
    assert "ServiceAccountTokenNodeBinding" in status["message"]


async def test_admission_sees_the_request(make: Make) -> None:
    world = await make()
    world.admission.seen.clear()
    await ask(world)
    assert [phase for phase, _ in world.admission.seen] == ["admit", "validate"]
    for _, seen in world.admission.seen:
        named = (seen.kind, seen.resource, seen.subresource, seen.name)
        assert named == ("TokenRequest", "serviceaccounts", "token", "builder")
        assert "status" not in (seen.object or {}), "the token is not for admission to see"


# TokenReview


async def review(world: World, token: str, *audiences: str) -> Document:
    spec = {"token": token, **({"audiences": list(audiences)} if audiences else {})}
    answer = await world.ok("POST", REVIEWS, {"spec": spec})
    assert answer["spec"]["token"] == token
    return dict(answer["status"])


async def test_a_review_tells_whose_token_it_is(make: Make) -> None:
    world = await make()
    answer, claims = await ask(world)
    status = await review(world, answer["status"]["token"])
    assert status == {
        "authenticated": True,
        "audiences": [ISSUER],
        "user": {
            "username": "system:serviceaccount:erp:builder",
            "uid": claims["kubernetes.io"]["serviceaccount"]["uid"],
            "groups": ["system:serviceaccounts", "system:serviceaccounts:erp", "system:authenticated"],
            "extra": {"authentication.kubernetes.io/credential-id": [f"JTI={claims['jti']}"]},
        },
    }


async def test_a_review_for_an_audience(make: Make) -> None:
    world = await make()
    answer, _ = await ask(world, audiences=["vault"])
    token = answer["status"]["token"]
    assert (await review(world, token, "vault", "db"))["audiences"] == ["vault"]
    why = f'token audiences ["vault"] is invalid for the target audiences ["{ISSUER}"]'
    assert await review(world, token) == {"user": {}, "error": f"[invalid bearer token, {why}]"}


async def test_a_review_of_other_tokens(make: Make) -> None:
    world = await make()
    assert await review(world, "nobody's") == {"user": {}, "error": "invalid bearer token"}
    status = await review(world, "static-token")
    assert status["user"] == {"username": "alice", "uid": "u1", "groups": ["dev", "system:authenticated"]}
    assert (await review(world, "static-token", "vault"))["error"] == "invalid bearer token"
    answer, _ = await ask(world, expirationSeconds=600)
    world.clock.seconds += 661
    error = (await review(world, answer["status"]["token"]))["error"]
    assert error == "[invalid bearer token, service account token has expired]"


async def test_a_review_of_nothing(make: Make) -> None:
    world = await make()
    for body in ({}, {"spec": {}}, {"spec": {"token": ""}}):
        status = await world.refused(400, "POST", REVIEWS, body)
        assert status["message"] == "token is required for TokenReview in authentication"


# The issuer's documents


async def _get(metadata: OpenIdMetadata, path: str, method: str = "GET") -> Any:
    response = await metadata.respond(Request(method, path))
    assert response is not None
    return response


async def test_others_can_verify_a_token_by_the_published_keys(make: Make, keys: ServiceAccountKeys) -> None:
    metadata = OpenIdMetadata(ISSUER, keys, lambda: "127.0.0.1:6443")
    found = await _get(metadata, "/.well-known/openid-configuration")
    assert ("Cache-Control", "public, max-age=3600") in found.headers
    assert orjson.loads(found.body) == {
        "issuer": ISSUER,
        "jwks_uri": "https://127.0.0.1:6443/openid/v1/jwks",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }
    published = await _get(metadata, "/openid/v1/jwks")
    assert published.content_type == "application/jwk-set+json"
    (jwk,) = orjson.loads(published.body)["keys"]
    numbers = [int.from_bytes(base64.urlsafe_b64decode(jwk[each] + "=="), "big") for each in ("e", "n")]
    key = rsa.RSAPublicNumbers(*numbers).public_key()
    assert jwk == {**jwk, "kid": key_id(key), "kty": "RSA", "alg": "RS256", "use": "sig"}
    assert key == keys.signing.public_key()


async def test_the_documents_are_only_read(keys: ServiceAccountKeys) -> None:
    metadata = OpenIdMetadata(ISSUER, keys, lambda: "")
    assert (await _get(metadata, "/openid/v1/jwks", "POST")).status == 405
    assert await metadata.respond(Request("GET", "/openid/v1")) is None

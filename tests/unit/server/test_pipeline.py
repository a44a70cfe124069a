"""The pipeline: order and words of apiserver's handler chain (`server/config.go`, `endpoints/filters`)."""

from __future__ import annotations

import logging

import orjson
import pytest

from tiphys.api.catalog import Catalog
from tiphys.api.discovery import Discovery
from tiphys.api.kind import Kind
from tiphys.auth.bearer_token import BearerToken
from tiphys.auth.contract import AnyOf, Decision
from tiphys.auth.masters import Masters
from tiphys.auth.token_file import TokenFile
from tiphys.base.http import Request, Response
from tiphys.base.status import not_found
from tiphys.base.user import AUTHENTICATED, MASTERS, User
from tiphys.schema.definitions import Definitions
from tiphys.server.pipeline import build_pipeline

ADMIN = User("admin", (MASTERS,))


class Api:
    """Answers every resource request with who asked what; fails at pods called `bug`."""

    async def handle(self, request, info):
        if info.name == "bug":
            raise KeyError("secret")
        if info.name == "missing":
            raise not_found("pods", "missing")
        return Response(200, f"{request.user.name} {info.verb} {info.resource}".encode())


class Public:
    """Who may see what everyone may see: health and version everyone, discovery those with credentials."""

    async def decide(self, user, info):
        paths = ("/healthz", "/livez", "/readyz", "/version")
        known = AUTHENTICATED in user.groups and info.path.startswith(("/api", "/openapi"))
        return Decision(not info.is_resource and info.verb == "get" and (info.path in paths or known))


@pytest.fixture
def handler():
    catalog = Catalog(Definitions.load(37), [Kind(kind="Pod", plural="pods")])
    tokens = BearerToken([TokenFile({"a": ADMIN, "j": User("joe")})])
    authorizer = AnyOf([Masters(), Public()])
    return build_pipeline(Api(), Discovery(catalog), tokens, authorizer, checks={"boot": lambda: True})


async def get(handler, path: str, token: str = "", user: User | None = None, query: str = "") -> Response:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return await handler(Request("GET", path, query, headers, user=user))


def message(response: Response) -> str:
    return orjson.loads(response.body)["message"]


async def test_a_resource_goes_to_the_api_with_its_user(handler):
    response = await get(handler, "/api/v1/namespaces/erp/pods", "a")
    assert (response.status, response.body) == (200, b"admin list pods")


async def test_who_does_not_say_who_they_are_is_anonymous(handler):
    """With `--anonymous-auth`, upstream's default, authorization refuses: 403 and not 401."""
    response = await get(handler, "/api/v1/pods")
    what = 'cannot list resource "pods" in API group "" at the cluster scope'
    expected = f'pods is forbidden: User "system:anonymous" {what}'
    assert response.status == 403 and message(response) == expected
    assert message(await get(handler, "/apis")) == 'forbidden: User "system:anonymous" cannot get path "/apis"'


async def test_a_wrong_token_is_refused_even_at_public_paths(handler):
    assert (await get(handler, "/healthz", "nobody's")).status == 401


async def test_a_stranger_is_forbidden_in_upstreams_words(handler):
    response = await get(handler, "/api/v1/namespaces/erp/pods", "j")
    expected = 'pods is forbidden: User "joe" cannot list resource "pods" in API group "" in the namespace "erp"'
    assert response.status == 403 and message(response) == expected
    assert ("x-content-type-options", "nosniff") in response.headers


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz", "/version"])
async def test_health_and_version_are_for_everyone(handler, path):
    assert (await get(handler, path)).status == 200
    assert (await get(handler, path, "j")).status == 200


async def test_requests_from_within_come_with_their_user(handler):
    response = await get(handler, "/api/v1/nodes", user=ADMIN)
    assert response.body == b"admin list nodes"
    assert (await get(handler, "/api/v1/nodes", user=User("joe"))).status == 403


async def test_a_refusal_of_the_api_is_its_status(handler):
    response = await get(handler, "/api/v1/namespaces/erp/pods/missing", "a")
    assert response.status == 404 and message(response) == 'pods "missing" not found'


async def test_a_bug_is_logged_and_not_told(handler, caplog):
    with caplog.at_level(logging.ERROR):
        response = await get(handler, "/api/v1/namespaces/erp/pods/bug", "a")
    assert response.status == 500
    assert response.body == b"This request caused apiserver to panic. Look in the logs for details.\n"
    assert "secret" in caplog.text


async def test_a_path_that_names_no_target(handler):
    response = await get(handler, "/api/v1/watch", "a", query="x=<>")
    assert response.status == 500
    assert response.body == (
        b'Internal Server Error: "/api/v1/watch?x=&lt;&gt;": failed to create RequestInfo: '
        b"unable to determine kind and namespace from url, /api/v1/watch\n"
    )


async def test_an_unknown_path_is_not_found(handler):
    response = await get(handler, "/nope", "a")
    assert (response.status, response.body) == (404, b"404 page not found\n")
    assert (await get(handler, "/apis/nope.example.com", "a")).status == 404


async def test_the_index_lists_what_there_is(handler):
    paths = orjson.loads((await get(handler, "/", "a")).body)["paths"]
    assert paths == sorted(paths)
    assert {"/api/v1", "/apis", "/healthz", "/readyz/boot", "/openapi/v3", "/version"} <= set(paths)


async def test_every_document_is_served(handler):
    for path in ("/api", "/apis", "/api/v1", "/openapi/v3", "/openapi/v3/api/v1", "/openapi/v2", "/version"):
        assert (await get(handler, path, "a")).status == 200, path
    version = orjson.loads((await get(handler, "/version", "a")).body)
    assert (version["major"], version["minor"], version["gitVersion"]) == ("1", "37", "v1.37.0")

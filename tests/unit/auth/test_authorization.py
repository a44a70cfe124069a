"""system:masters, several authorizers as one, and the words of a refusal (`responsewriters/errors.go`)."""

from __future__ import annotations

import pytest

from tiphys.api.request_info import RequestInfo, read_request_info
from tiphys.auth.contract import AnyOf, Decision, UserRules
from tiphys.auth.masters import Masters
from tiphys.auth.refusal import forbidden_request
from tiphys.auth.union import Union
from tiphys.base.http import Request
from tiphys.base.status import unauthorized
from tiphys.base.user import AUTHENTICATED, MASTERS, User

JOE = User("joe", (AUTHENTICATED,))


async def allowed(user: User, path: str, method: str = "GET") -> bool:
    return (await Masters().decide(user, read_request_info(method, path, ""))).allowed


async def test_masters_may_do_everything():
    admin = User("admin", (MASTERS,))
    for method in ("GET", "DELETE", "POST"):
        assert await allowed(admin, "/api/v1/namespaces/a/secrets/b", method)
        assert await allowed(admin, "/metrics", method)


async def test_others_may_do_nothing_by_it():
    assert not await allowed(JOE, "/healthz") and not await allowed(JOE, "/api/v1/pods")
    assert not (await Masters().rules(User("admin", (MASTERS,)), "erp")).rules


def refusal(method: str, path: str, reason: str = "", name: str = "x") -> tuple[str, object]:
    error = forbidden_request(User(name), read_request_info(method, path, ""), reason)
    assert (error.code, error.reason) == (403, "Forbidden")
    return error.message, error.details


def test_a_refusal_in_a_namespace():
    assert refusal("GET", "/api/v1/namespaces/erp/pods") == (
        'pods is forbidden: User "x" cannot list resource "pods" in API group "" in the namespace "erp"',
        {"kind": "pods"},
    )


def test_a_refusal_of_a_subresource_by_name_and_group():
    assert refusal("PUT", "/apis/apps/v1/namespaces/erp/deployments/web/scale", "no") == (
        'deployments.apps "web" is forbidden: User "x" cannot update resource "deployments/scale" in API group '
        '"apps" in the namespace "erp": no',
        {"name": "web", "group": "apps", "kind": "deployments"},
    )


def test_a_refusal_at_the_cluster_scope():
    expected = 'nodes is forbidden: User "x" cannot list resource "nodes" in API group "" at the cluster scope'
    assert refusal("GET", "/api/v1/nodes")[0] == expected


def test_a_refusal_of_a_path_escapes_what_looks_like_html():
    assert refusal("GET", "/a<b>&c") == (
        'forbidden: User "x" cannot get path "/a&lt;b&gt;&amp;c"',
        {},
    )


class Fixed:
    def __init__(self, outcome):
        self.outcome = outcome

    async def authenticate(self, request):
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    async def decide(self, user, info):
        return self.outcome


async def test_the_first_authenticator_that_knows_the_user_counts():
    request = Request("GET", "/")
    assert await Union([Fixed(None), Fixed(unauthorized()), Fixed(JOE)]).authenticate(request) == JOE
    assert await Union([Fixed(None)]).authenticate(request) is None
    with pytest.raises(type(unauthorized())):
        await Union([Fixed(unauthorized()), Fixed(None)]).authenticate(request)


async def test_the_first_authorizer_that_allows_counts_and_reasons_add_up():
    info = RequestInfo("/", "get")
    no, also_no = Fixed(Decision(False, "a")), Fixed(Decision(False, "b"))
    assert await AnyOf([no, Fixed(Decision(True))]).decide(JOE, info) == Decision(True)
    assert await AnyOf([no, also_no]).decide(JOE, info) == Decision(False, "a\nb")


class Ruled:
    def __init__(self, *rules, incomplete=False, errors=()):
        self.found = UserRules(rules, incomplete, errors)

    async def rules(self, user, namespace):
        return self.found


async def test_rules_add_up():
    both = AnyOf([Ruled({"verbs": ["get"]}, errors=["a"]), Ruled({"verbs": ["list"]}, incomplete=True)])
    expected = UserRules([{"verbs": ["get"]}, {"verbs": ["list"]}], True, ["a"])
    assert await both.rules(JOE, "erp") == expected

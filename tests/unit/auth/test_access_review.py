"""Questions to the authorizer (k/k `pkg/registry/authorization`, `pkg/apis/authorization/validation`)."""

from __future__ import annotations

import pytest
from tests.unit.auth.pipeline_world import ADMIN, JANE, RBAC_PATH

from tiphys.base.user import AUTHENTICATED

PATH = "/apis/authorization.k8s.io/v1"
READ = {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]}
GET_PODS = {"verb": "get", "resource": "pods", "namespace": "erp"}


@pytest.fixture
async def erp(world):
    await world.role("reader", READ, {"verbs": ["get"], "nonResourceURLs": ["/metrics"]})
    await world.bind("reader", "jane", "erp")
    return world


async def review(world, spec, user=ADMIN, plural="subjectaccessreviews"):
    made = await world.ok(user, "POST", f"{PATH}/{plural}", {"spec": spec})
    assert made["spec"] == spec and made["apiVersion"] == "authorization.k8s.io/v1"
    return made["status"]


async def test_subject(erp):
    why = 'RBAC: allowed by RoleBinding "jane-reader/erp" of ClusterRole "reader" to User "jane"'
    asked = {"user": "jane", "resourceAttributes": GET_PODS}
    assert await review(erp, asked) == {"allowed": True, "reason": why}
    assert await review(erp, {**asked, "user": "bob"}) == {"allowed": False}
    elsewhere = {**asked, "resourceAttributes": {**GET_PODS, "namespace": "default"}}
    assert await review(erp, elsewhere) == {"allowed": False}
    log = {**asked, "resourceAttributes": {**GET_PODS, "subresource": "log"}}
    assert await review(erp, log) == {"allowed": False}
    masters = {"groups": ["system:masters"], "nonResourceAttributes": {"path": "/any", "verb": "get"}}
    assert await review(erp, masters) == {"allowed": True}
    assert not (await review(erp, {"user": "jane", "nonResourceAttributes": {"path": "/metrics", "verb": "get"}}))[
        "allowed"
    ]


async def test_a_reason_names_what_is_missing(erp):
    await erp.bind("gone", "bob", "erp")
    asked = {"user": "bob", "resourceAttributes": GET_PODS}
    why = 'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found'
    assert await review(erp, asked) == {"allowed": False, "reason": why}


async def test_only_who_may_ask_about_others_may(erp):
    body = {"spec": {"user": "bob", "resourceAttributes": GET_PODS}}
    message = await erp.refused(403, JANE, "POST", f"{PATH}/subjectaccessreviews", body)
    assert 'cannot create resource "subjectaccessreviews" in API group "authorization.k8s.io"' in message


async def test_self(erp):
    status = await review(erp, {"resourceAttributes": GET_PODS}, JANE, "selfsubjectaccessreviews")
    assert status["allowed"] is True
    status = await review(erp, {"resourceAttributes": {"verb": "*"}}, JANE, "selfsubjectaccessreviews")
    assert status == {"allowed": False}


async def test_local(erp):
    path = f"{PATH}/namespaces/erp/localsubjectaccessreviews"
    body = {"spec": {"user": "jane", "resourceAttributes": GET_PODS}}
    made = await erp.ok(ADMIN, "POST", path, body)
    assert made["status"]["allowed"] is True and made["metadata"]["namespace"] == "erp"
    body["spec"]["resourceAttributes"] = {**GET_PODS, "namespace": "default"}
    message = await erp.refused(422, ADMIN, "POST", path, body)
    assert message == (
        'LocalSubjectAccessReview.authorization.k8s.io "" is invalid: spec.resourceAttributes.namespace: '
        'Invalid value: "default": must match metadata.namespace'
    )
    body["spec"] = {"user": "jane", "nonResourceAttributes": {"path": "/", "verb": "get"}}
    assert "disallowed on this kind of request" in await erp.refused(422, ADMIN, "POST", path, body)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (
            {"spec": {"user": "jane"}},
            "spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or "
            "resourceAttributes must be specified",
        ),
        (
            {"spec": {"resourceAttributes": GET_PODS}},
            'spec.user: Invalid value: "": at least one of user or group must be specified',
        ),
        (
            {"spec": {"user": "j", "resourceAttributes": GET_PODS, "nonResourceAttributes": {"path": "/"}}},
            'spec.nonResourceAttributes: Invalid value: {"Path":"/","Verb":""}: cannot be specified in combination '
            "with resourceAttributes",
        ),
        (
            {"metadata": {"name": "a"}, "spec": {"user": "j", "resourceAttributes": GET_PODS}},
            'metadata: Invalid value: {"name":"a"}: must be empty',
        ),
    ],
)
async def test_what_cannot_be_asked(world, document, message):
    found = await world.refused(422, ADMIN, "POST", f"{PATH}/subjectaccessreviews", document)
    assert found == f'SubjectAccessReview.authorization.k8s.io "" is invalid: {message}'


async def test_rules(erp):
    made = await erp.ok(JANE, "POST", f"{PATH}/selfsubjectrulesreviews", {"spec": {"namespace": "erp"}})
    status = made["status"]
    assert READ in status["resourceRules"] and status["incomplete"] is False
    assert {"verbs": ["get"], "nonResourceURLs": ["/metrics"]} in status["nonResourceRules"]
    assert "evaluationError" not in status
    await erp.ok(ADMIN, "DELETE", f"{RBAC_PATH}/clusterroles/reader")
    made = await erp.ok(JANE, "POST", f"{PATH}/selfsubjectrulesreviews", {"spec": {"namespace": "erp"}})
    assert made["status"]["evaluationError"] == 'clusterrole.rbac.authorization.k8s.io "reader" not found'
    message = await erp.refused(400, JANE, "POST", f"{PATH}/selfsubjectrulesreviews", {"spec": {}})
    assert message == "no namespace on request"


async def test_who_am_i(world):
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    made = await world.ok(JANE, "POST", path, {})
    assert made["status"] == {"userInfo": {"username": "jane", "groups": ["devs", AUTHENTICATED]}}
    assert made["kind"] == "SelfSubjectReview" and made["metadata"]["creationTimestamp"]


async def test_a_field_selector_counts(world):
    """AuthorizeWithSelectors: what a node may list depends on it."""
    node = {"user": "system:node:n1", "groups": ["system:nodes"]}
    asked = {"verb": "list", "resource": "pods"}
    assert not (await review(world, {**node, "resourceAttributes": asked}))["allowed"]
    own = {"requirements": [{"key": "spec.nodeName", "operator": "In", "values": ["n1"]}]}
    for selector in (own, {"rawSelector": "spec.nodeName=n1"}):
        assert (await review(world, {**node, "resourceAttributes": {**asked, "fieldSelector": selector}}))["allowed"]
    others = {"requirements": [{"key": "spec.nodeName", "operator": "NotIn", "values": ["n1"]}]}
    assert not (await review(world, {**node, "resourceAttributes": {**asked, "fieldSelector": others}}))["allowed"]

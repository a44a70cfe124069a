"""What `tiphys why` reads off the policy. Ours."""

from __future__ import annotations

from tiphys.api.request_info import read_request_info
from tiphys.auth.rbac.explanation import explain
from tiphys.base.user import User

READ = {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]}
JANE = {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "jane"}


async def explained(policy, method: str, path: str):
    await policy.rbac.index.refresh()
    return explain(policy.rbac.index.policy, User("jane"), read_request_info(method, path, ""))


def told(grants) -> list[str]:
    return [grant.described(User("jane")) for grant in grants]


async def test_what_decides(policy):
    await policy.role("reader", {**READ, "verbs": ["watch"]}, READ)
    await policy.bind("readers", "reader", JANE)
    found = await explained(policy, "GET", "/api/v1/namespaces/erp/pods")
    assert told(found.deciding) == ['ClusterRoleBinding "readers" of ClusterRole "reader" to User "jane"']
    assert found.deciding[0].rule.document == READ
    assert not (found.verbs or found.names or found.elsewhere or found.roles or found.missing)


async def test_what_comes_near(policy):
    await policy.role("reader", READ, {**READ, "verbs": ["delete"], "resourceNames": ["one"]})
    await policy.role("wide", {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})
    await policy.role("narrow", {**READ, "verbs": ["delete"]})
    await policy.role("system:some", {**READ, "verbs": ["delete"]})
    await policy.role("there", {**READ, "verbs": ["delete"]}, namespace="web")
    await policy.role("here", {**READ, "verbs": ["delete", "get"]}, namespace="erp")
    await policy.bind("readers", "reader", JANE, namespace="erp", cluster=True)
    await policy.bind("elsewhere", "there", JANE, namespace="web")
    await policy.bind("nowhere", "gone", JANE)
    found = await explained(policy, "DELETE", "/api/v1/namespaces/erp/pods/two")
    assert not found.deciding
    assert [grant.rule.document for grant in found.verbs] == [READ]
    assert [grant.rule.document.get("resourceNames") for grant in found.names] == [["one"]]
    assert told(found.elsewhere) == ['RoleBinding "elsewhere/web" of Role "there" to User "jane"']
    assert found.roles == (("", "narrow"), ("erp", "here"), ("", "wide"), ("", "system:some"))
    assert found.missing == ('clusterrole.rbac.authorization.k8s.io "gone" not found',)


async def test_urls(policy):
    await policy.role("metrics", {"verbs": ["get"], "nonResourceURLs": ["/metrics"]})
    found = await explained(policy, "GET", "/metrics")
    assert found.roles == (("", "metrics"),) and not found.names
    await policy.bind("metrics", "metrics", JANE)
    assert (await explained(policy, "GET", "/metrics")).deciding
    assert len((await explained(policy, "POST", "/metrics")).verbs) == 1

"""Who is bound to what, and how a decision says so (`pkg/registry/rbac/validation/rule.go` and its tests)."""

from __future__ import annotations

import pytest

from tiphys.auth.contract import Decision
from tiphys.base.user import AUTHENTICATED, User, service_account_user

READ = {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]}
JANE = {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "jane"}
DEVS = {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "devs"}
PODS = "/api/v1/namespaces/erp/pods"


async def test_a_role_allows_in_its_namespace_only(policy):
    await policy.role("reader", READ, namespace="erp")
    await policy.bind("readers", "reader", JANE, namespace="erp")
    assert await policy.decide("jane", "GET", PODS) == Decision(
        True, 'RBAC: allowed by RoleBinding "readers/erp" of Role "reader" to User "jane"'
    )
    assert not await policy.allows("jane", "GET", "/api/v1/namespaces/web/pods")
    assert not await policy.allows("jane", "GET", "/api/v1/pods")
    assert not await policy.allows("bob", "GET", PODS)


async def test_a_cluster_role_bound_in_a_namespace_allows_there_only(policy):
    await policy.role("reader", READ)
    await policy.bind("readers", "reader", DEVS, namespace="erp", cluster=True)
    jane = User("jane", ("devs",))
    expected = 'RBAC: allowed by RoleBinding "readers/erp" of ClusterRole "reader" to Group "devs"'
    assert (await policy.decide(jane, "GET", PODS)).reason == expected
    assert not await policy.allows(jane, "GET", "/api/v1/pods")


async def test_a_cluster_role_binding_allows_everywhere(policy):
    await policy.role("reader", READ, {"verbs": ["get"], "nonResourceURLs": ["/metrics"]})
    await policy.bind("readers", "reader", JANE)
    expected = 'RBAC: allowed by ClusterRoleBinding "readers" of ClusterRole "reader" to User "jane"'
    for path in (PODS, "/api/v1/pods", "/metrics"):
        assert await policy.decide("jane", "GET", path) == Decision(True, expected)


async def test_a_namespaced_binding_grants_no_urls(policy):
    await policy.role("metrics", {"verbs": ["get"], "nonResourceURLs": ["/metrics"]})
    await policy.bind("readers", "metrics", JANE, namespace="erp", cluster=True)
    assert not await policy.allows("jane", "GET", "/metrics")


@pytest.mark.parametrize("subject", [{"namespace": "erp"}, {}])
async def test_a_service_account_is_of_the_bindings_namespace_unless_it_says_otherwise(policy, subject):
    await policy.role("reader", READ, namespace="erp")
    account = {"kind": "ServiceAccount", "name": "bot", **subject}
    await policy.bind("readers", "reader", account, namespace="erp")
    bot = service_account_user("erp", "bot")
    expected = 'RBAC: allowed by RoleBinding "readers/erp" of Role "reader" to ServiceAccount "bot/erp"'
    assert (await policy.decide(bot, "GET", PODS)).reason == expected
    assert not await policy.allows(service_account_user("web", "bot"), "GET", PODS)
    assert not await policy.allows("bot", "GET", PODS)


async def test_a_cluster_role_binding_of_a_service_account_without_namespace_binds_nobody(policy):
    await policy.role("reader", READ)
    await policy.bind("readers", "reader", {"kind": "ServiceAccount", "name": "bot"})
    assert not await policy.allows("system:serviceaccount::bot", "GET", PODS)


@pytest.mark.parametrize("group", [AUTHENTICATED, "system:serviceaccounts", "system:serviceaccounts:erp"])
async def test_groups_of_service_accounts(policy, group):
    await policy.role("reader", READ)
    await policy.bind("readers", "reader", {**DEVS, "name": group})
    assert await policy.allows(service_account_user("erp", "bot"), "GET", PODS)
    assert not await policy.allows("jane", "GET", PODS)


async def test_a_user_is_no_group_and_a_group_no_user(policy):
    await policy.role("reader", READ)
    await policy.bind("readers", "reader", DEVS)
    assert not await policy.allows(User("devs"), "GET", PODS)
    await policy.bind("readers", "reader", JANE)
    assert not await policy.allows(User("bob", ("jane",)), "GET", PODS)


async def test_what_is_written_counts_from_the_next_decision_on(policy):
    assert not await policy.allows("jane", "GET", PODS)
    await policy.role("reader", READ, namespace="erp")
    await policy.bind("readers", "reader", JANE, namespace="erp")
    assert await policy.allows("jane", "GET", PODS)
    await policy.role("reader", namespace="erp")
    assert not await policy.allows("jane", "GET", PODS)
    await policy.role("reader", READ, namespace="erp")
    assert await policy.allows("jane", "GET", PODS)
    await policy.bind("readers", "reader", {**JANE, "name": "bob"}, namespace="erp")
    assert not await policy.allows("jane", "GET", PODS) and await policy.allows("bob", "GET", PODS)
    await policy.remove("RoleBinding", "readers", "erp")
    assert not await policy.allows("bob", "GET", PODS)


async def test_a_refusal_names_roles_that_are_not_there(policy):
    await policy.bind("readers", "gone", JANE)
    expected = 'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found'
    assert await policy.decide("jane", "GET", PODS) == Decision(False, expected)
    await policy.bind("readers", "lost", JANE, namespace="erp")
    expected = (
        'RBAC: [clusterrole.rbac.authorization.k8s.io "gone" not found, '
        'role.rbac.authorization.k8s.io "lost" not found]'
    )
    assert (await policy.decide("jane", "GET", PODS)).reason == expected
    assert (await policy.decide("bob", "GET", PODS)).reason == ""
    assert (await policy.rbac.rules(User("jane"), "erp")).errors == [
        'clusterrole.rbac.authorization.k8s.io "gone" not found', 'role.rbac.authorization.k8s.io "lost" not found',
    ]  # fmt: skip


async def test_a_role_that_was_deleted_is_missed_and_comes_back(policy):
    await policy.role("reader", READ)
    await policy.bind("readers", "reader", JANE)
    assert await policy.allows("jane", "GET", PODS)
    await policy.remove("ClusterRole", "reader")
    assert (
        'clusterrole.rbac.authorization.k8s.io "reader" not found'
        in (await policy.decide("jane", "GET", PODS)).reason
    )
    await policy.role("reader", READ)
    assert await policy.allows("jane", "GET", PODS)


async def test_names_are_looked_at_anew_each_time(policy):
    named = {**READ, "resourceNames": ["a"]}
    await policy.role("reader", named, {**READ, "verbs": ["get"], "resourceNames": ["b"]})
    await policy.bind("readers", "reader", JANE)
    for name, expected in (("a", True), ("b", True), ("c", False), ("a", True)):
        assert await policy.allows("jane", "GET", f"{PODS}/{name}") is expected


async def test_a_policy_there_was_before_is_read(policy):
    from tiphys.auth.rbac.authorizer import RBAC

    await policy.role("reader", READ)
    await policy.bind("readers", "reader", JANE)
    policy.rbac = RBAC(policy.store)
    assert await policy.allows("jane", "GET", PODS)


async def test_a_flood_of_changes_ends_in_reading_all_anew(policy):
    """More changes between two decisions than the watch may be behind."""
    policy.store._queue = policy.store._subscriptions.limit = 10
    assert not await policy.allows("jane", "GET", PODS)
    for number in range(20):
        await policy.role(f"reader-{number}", READ)
    await policy.bind("readers", "reader-19", JANE)
    assert await policy.allows("jane", "GET", PODS)


async def test_rules_are_all_rules_in_force(policy):
    await policy.role("reader", READ)
    await policy.role("other", {**READ, "verbs": ["delete"]}, namespace="erp")
    await policy.bind("readers", "reader", JANE)
    await policy.bind("others", "other", JANE, namespace="erp")
    assert (await policy.rbac.rules(User("jane"), "erp")).rules == [READ, {**READ, "verbs": ["delete"]}]
    assert (await policy.rbac.rules(User("jane"), "web")).rules == [READ]


async def test_memory_of_answers_is_bounded(policy, monkeypatch):
    monkeypatch.setattr("tiphys.auth.rbac.authorizer._KEPT", 10)
    for number in range(50):
        assert not await policy.allows("jane", "GET", f"/path-{number}")
    assert len(policy.rbac._answers) <= 10
    before = len(policy.rbac._answers)
    assert not await policy.allows("jane", "GET", "/" + "x" * 600)
    assert len(policy.rbac._answers) == before

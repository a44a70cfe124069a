"""Nobody hands on more than they hold: kubernetes.io "Privilege escalation prevention", `policybased/storage.go`."""

from __future__ import annotations

from tests.unit.auth.pipeline_world import ADMIN, JANE, RBAC_PATH, binding

ROLES = f"{RBAC_PATH}/namespaces/erp/roles"
BINDINGS = f"{RBAC_PATH}/namespaces/erp/rolebindings"
READ = {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]}
WRITE_RBAC = {
    "verbs": ["create", "get", "patch", "update"],
    "apiGroups": ["rbac.authorization.k8s.io"],
    "resources": ["roles", "rolebindings", "clusterroles", "clusterrolebindings"],
}
JANES = 'user "jane" (groups=["devs" "system:authenticated"])'
WHO = f"{JANES} is attempting to grant RBAC permissions not currently held:"


def role(*rules, name="r", **more):
    return {"metadata": {"name": name}, "rules": list(rules), **more}


async def test_a_role_of_what_is_not_held(world):
    await world.role("rbac", WRITE_RBAC)
    await world.bind("rbac", "jane")
    message = await world.refused(403, JANE, "POST", ROLES, role(READ, {**READ, "resourceNames": ["a"]}))
    assert message == (
        f'roles.rbac.authorization.k8s.io "r" is forbidden: {WHO}\n'
        '{APIGroups:[""], Resources:["pods"], ResourceNames:["a"], Verbs:["get" "list"]}\n'
        '{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}'
    )
    await world.role("pods", READ)
    await world.bind("pods", "jane", "erp")
    await world.ok(JANE, "POST", ROLES, role(READ, {**READ, "resourceNames": ["a"]}))
    message = await world.refused(403, JANE, "PUT", f"{ROLES}/r", role({**READ, "verbs": ["get", "delete"]}))
    assert message.endswith('{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}')
    assert await world.refused(403, JANE, "PATCH", f"{ROLES}/r", {"rules": [{**READ, "resources": ["*"]}]})


async def test_what_is_held_in_one_namespace_is_not_held_in_all(world):
    await world.role("rbac", WRITE_RBAC)
    await world.bind("rbac", "jane")
    await world.role("pods", READ)
    await world.bind("pods", "jane", "erp")
    assert await world.refused(403, JANE, "POST", f"{RBAC_PATH}/clusterroles", role(READ))
    urls = {"verbs": ["get"], "nonResourceURLs": ["/metrics"]}
    message = await world.refused(403, JANE, "POST", f"{RBAC_PATH}/clusterroles", role(urls))
    assert message.endswith('{NonResourceURLs:["/metrics"], Verbs:["get"]}')


async def test_the_verb_escalate_lifts_it_for_roles(world):
    await world.role("rbac", WRITE_RBAC, {**WRITE_RBAC, "verbs": ["escalate"]})
    await world.bind("rbac", "jane")
    await world.ok(JANE, "POST", ROLES, role(READ))


async def test_a_binding_of_what_is_not_held(world):
    await world.role("bindings", {**WRITE_RBAC, "verbs": ["create"]})
    await world.bind("bindings", "jane")
    await world.role("pods", READ)
    message = await world.refused(403, JANE, "POST", BINDINGS, binding("pods", "jane"))
    expected = '{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}'
    assert message == f'rolebindings.rbac.authorization.k8s.io "b" is forbidden: {WHO}\n{expected}'
    message = await world.refused(403, JANE, "POST", f"{RBAC_PATH}/clusterrolebindings", binding("pods", "jane"))
    assert message.startswith('clusterrolebindings.rbac.authorization.k8s.io "b" is forbidden: user "jane"')


async def test_the_verb_bind_lifts_it_for_one_role(world):
    bind = {**WRITE_RBAC, "verbs": ["bind"], "resources": ["clusterroles"], "resourceNames": ["pods"]}
    await world.role("bindings", {**WRITE_RBAC, "verbs": ["create"]}, bind)
    await world.bind("bindings", "jane", "erp")
    await world.role("pods", READ)
    await world.role("more", {**READ, "verbs": ["delete"]})
    await world.ok(JANE, "POST", BINDINGS, binding("pods", "bob"))
    assert await world.refused(403, JANE, "POST", BINDINGS, binding("more", "bob", name="c"))


async def test_a_binding_of_a_role_that_is_not_there(world):
    await world.role("bindings", {**WRITE_RBAC, "verbs": ["create"]})
    await world.bind("bindings", "jane")
    message = await world.refused(404, JANE, "POST", BINDINGS, binding("gone", "jane"))
    assert message == 'clusterroles.rbac.authorization.k8s.io "gone" not found'
    message = await world.refused(404, JANE, "POST", BINDINGS, binding("gone", "jane", "Role"))
    assert message == 'roles.rbac.authorization.k8s.io "gone" not found'
    await world.ok(ADMIN, "POST", BINDINGS, binding("gone", "jane"))


async def test_only_who_holds_all_may_aggregate(world):
    await world.role("rbac", WRITE_RBAC)
    await world.bind("rbac", "jane")
    rule = {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}
    message = await world.refused(403, JANE, "POST", f"{RBAC_PATH}/clusterroles", role(aggregationRule=rule))
    why = "must have cluster-admin privileges to use the aggregationRule"
    assert message == f'clusterroles.rbac.authorization.k8s.io "r" is forbidden: {why}'
    await world.bind("cluster-admin", "jane")
    await world.ok(JANE, "POST", f"{RBAC_PATH}/clusterroles", role(aggregationRule=rule))


async def test_only_finalizers_and_owners_may_change_without_holding_it(world):
    """IsOnlyMutatingGCFields, for the garbage collector."""
    await world.role("rbac", WRITE_RBAC)
    await world.bind("rbac", "jane")
    await world.role("pods", READ, namespace="erp")
    await world.ok(JANE, "PATCH", f"{ROLES}/pods", {"metadata": {"finalizers": ["example.com/x"]}})
    assert await world.refused(403, JANE, "PATCH", f"{ROLES}/pods", {"metadata": {"labels": {"a": "b"}}})

"""The default policy: upstream's bootstrappolicy, and how a start completes it (`reconcile_role.go`)."""

from __future__ import annotations

import pytest
from tests.unit.auth.pipeline_world import ADMIN, JANE, RBAC_PATH, catalog

from tiphys.auth.rbac.bootstrap import Bootstrap
from tiphys.auth.rbac.policy_file import default_policy
from tiphys.base.clock import SystemClock
from tiphys.base.names import RandomIds
from tiphys.resource.aggregated_rules import aggregated_rules

AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"
VIEW = f"{RBAC_PATH}/clusterroles/system:aggregate-to-view"
BASIC = f"{RBAC_PATH}/clusterrolebindings/system:basic-user"


async def restart(world) -> int:
    return await Bootstrap(world.store, catalog(), SystemClock(), RandomIds()).run()


def rules_of(minor: int, name: str) -> list:
    roles, _ = default_policy(minor)
    return next(role["rules"] for role in roles if role["metadata"]["name"] == name)


@pytest.mark.parametrize("minor", range(25, 38))
def test_every_version_has_a_policy_that_hangs_together(minor):
    roles, bindings = default_policy(minor)
    keys = [(role["kind"], role["metadata"].get("namespace"), role["metadata"]["name"]) for role in roles]
    assert len(set(keys)) == len(keys)
    for binding in bindings:
        ref, place = binding["roleRef"], binding["metadata"].get("namespace")
        assert (ref["kind"], place if ref["kind"] == "Role" else None, ref["name"]) in keys
    for role in roles:
        for rule in role["rules"] or ():
            assert rule["verbs"] and (rule.get("nonResourceURLs") or (rule["resources"] and rule["apiGroups"]))


def test_what_upstream_has_by_name():
    """`testdata/cluster-roles.yaml`, `controller-roles.yaml` of 1.20: all of these are in every later version."""
    roles, _ = default_policy(25)
    names = {role["metadata"]["name"] for role in roles}
    assert {"cluster-admin", "admin", "edit", "view", "system:basic-user", "system:discovery", "system:node"} <= names
    assert sum(name.startswith("system:controller:") for name in names) >= 30


def test_rules_come_and_go_with_versions():
    """SelfSubjectReview is on by default from 1.27 (its feature gate's history)."""
    reviews = {"verbs": ["create"], "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"]}
    assert reviews not in rules_of(26, "system:basic-user") and reviews in rules_of(27, "system:basic-user")


def test_admin_edit_and_view_are_aggregated_from_the_start():
    roles = [role for role in default_policy(37)[0] if role["kind"] == "ClusterRole"]
    for role in (role for role in roles if "aggregationRule" in role):
        assert role["rules"] == aggregated_rules(role, roles)
    secrets = {"secrets"}
    ruled = ((role["metadata"]["name"], rule) for role in roles for rule in role["rules"])
    readers = {name for name, rule in ruled if secrets & set(rule.get("resources", ()))}
    assert {"admin", "edit"} <= readers and "view" not in readers


async def test_a_restart_writes_nothing(world):
    assert await restart(world) == 0


async def test_what_was_taken_away_comes_back_and_what_was_added_stays(world):
    role = await world.ok(ADMIN, "GET", VIEW)
    extra = {"verbs": ["get"], "apiGroups": ["example.com"], "resources": ["things"]}
    role["rules"] = [*role["rules"][1:], extra]
    del role["metadata"]["labels"]["kubernetes.io/bootstrapping"]
    role["metadata"]["labels"]["own"] = "label"
    await world.ok(ADMIN, "PUT", VIEW, role)
    binding = await world.ok(ADMIN, "GET", BASIC)
    binding["subjects"] = [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "own"}]
    await world.ok(ADMIN, "PUT", BASIC, binding)
    await world.ok(ADMIN, "DELETE", f"{RBAC_PATH}/clusterroles/edit")
    assert await restart(world) == 3
    role = await world.ok(ADMIN, "GET", VIEW)
    assert extra in role["rules"] and role["metadata"]["labels"]["own"] == "label"
    assert role["metadata"]["labels"]["kubernetes.io/bootstrapping"] == "rbac-defaults"
    pods = [rule for rule in role["rules"] if "pods" in rule["resources"]]
    assert {verb for rule in pods for verb in rule["verbs"]} == {"get", "list", "watch"}
    subjects = (await world.ok(ADMIN, "GET", BASIC))["subjects"]
    assert [subject["name"] for subject in subjects] == ["own", "system:authenticated"]
    assert (await world.ok(ADMIN, "GET", f"{RBAC_PATH}/clusterroles/edit"))["rules"]
    assert await restart(world) == 0


async def test_autoupdate_false_is_left_alone(world):
    body = {"metadata": {"annotations": {AUTOUPDATE: "false"}}, "rules": []}
    await world.ok(ADMIN, "PATCH", VIEW, body)
    assert await restart(world) == 0
    assert not (await world.ok(ADMIN, "GET", VIEW))["rules"]


async def test_a_binding_of_another_role_is_made_anew(world):
    await world.ok(ADMIN, "DELETE", BASIC)
    other = {
        "metadata": {"name": "system:basic-user"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
    }
    made = await world.ok(ADMIN, "POST", f"{RBAC_PATH}/clusterrolebindings", other)
    assert await restart(world) == 1
    binding = await world.ok(ADMIN, "GET", BASIC)
    assert binding["roleRef"]["name"] == "system:basic-user" and binding["subjects"]
    assert binding["metadata"]["uid"] != made["metadata"]["uid"]


@pytest.mark.parametrize("minor", range(25, 38))
@pytest.mark.parametrize(
    ("user", "method", "path"),
    [
        ("system:kube-scheduler", "POST", "/api/v1/namespaces/a/pods/b/binding"),
        ("system:kube-scheduler", "PATCH", "/api/v1/namespaces/a/pods/b/status"),
        ("system:kube-scheduler", "POST", "/api/v1/namespaces/a/events"),
        ("system:kube-scheduler", "PATCH", "/api/v1/namespaces/a/events/b"),
        ("system:kube-controller-manager", "GET", "/apis/example.com/v1/things"),
    ],
)
async def test_the_control_planes_parts_may_do_what_they_do(policy, minor, user, method, path):
    roles, bindings = default_policy(minor)
    for document in (*roles, *bindings):
        metadata = document["metadata"]
        content = {key: document[key] for key in ("rules", "roleRef", "subjects") if key in document}
        await policy.put(document["kind"], metadata["name"], metadata.get("namespace", ""), content)
    assert await policy.allows(user, method, path)
    assert not await policy.allows(user, "DELETE", "/api/v1/namespaces/a/configmaps/b")


async def test_discovery_and_health_are_who_they_are_for(world):
    """system:public-info-viewer for everyone, system:discovery for those with credentials."""
    for path in ("/healthz", "/livez", "/readyz", "/version"):
        assert (await world.ask(None, "GET", path))[0] == 200
        assert (await world.ask(None, "POST", path))[0] == 403
    for path in ("/api", "/apis", "/apis/apps/v1", "/openapi/v3"):
        assert (await world.ask(None, "GET", path))[0] == 403
        assert (await world.ask(JANE, "GET", path))[0] == 200
    for path in ("/metrics", "/healthz/ping", "/", "/api/v1/pods"):
        assert (await world.ask(JANE, "GET", path))[0] == 403

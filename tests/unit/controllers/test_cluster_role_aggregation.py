"""Roles made of others: `pkg/controller/clusterroleaggregation` and its tests."""

from __future__ import annotations

from typing import Any

from tiphys.base.document import Document
from tiphys.controllers import cluster_role_aggregation
from tiphys.resource.aggregated_rules import aggregated_rules

RBAC = "rbac.authorization.k8s.io/v1"


def rule(resource: str) -> Document:
    return {"verbs": ["get"], "apiGroups": [""], "resources": [resource]}


def role(name: str, *resources: str, labels: dict[str, str] | None = None, of: str = "") -> Document:
    """`of`: the label, true, of the roles it is made of."""
    made: Document = {"metadata": {"name": name, "labels": labels or {}}, "rules": [rule(each) for each in resources]}
    if of:
        made["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": {of: "true"}}]}
    return made


def test_rules_of_all_that_are_selected_in_the_order_of_names_each_once():
    whole = role("whole", "old", of="part")
    parts = [role(name, *resources, labels={"part": "true"}) for name, resources in (("b", "xy"), ("a", "zx"))]
    assert aggregated_rules(whole, [*parts, role("other", "w"), whole]) == [rule("z"), rule("x"), rule("y")]


def test_selectors_one_after_the_other_and_never_itself():
    whole = {**role("whole", "own", labels={"b": "true"}), "aggregationRule": {"clusterRoleSelectors": [
        {"matchLabels": {"b": "true"}}, {"matchExpressions": [{"key": "a", "operator": "Exists"}]},
    ]}}  # fmt: skip
    others = [role("1", "x", labels={"a": "1"}), role("2", "y", labels={"b": "true"})]
    assert aggregated_rules(whole, [whole, *others]) == [rule("y"), rule("x")]
    assert aggregated_rules(role("plain", "x"), others) == []


async def test_they_follow_through_several_steps(cluster: Any) -> None:
    def resources(name: str) -> list[str]:
        found = cluster.api.objects[("rbac.authorization.k8s.io", "clusterroles", "", name)]
        return [each["resources"][0] for each in found.get("rules") or ()]

    async with cluster.running(cluster_role_aggregation.CONTROLLER):
        await cluster.client.create(RBAC, "clusterroles", role("admin", of="to-admin"))
        await cluster.client.create(RBAC, "clusterroles", role("edit", labels={"to-admin": "true"}, of="to-edit"))
        await cluster.client.create(RBAC, "clusterroles", role("things", "things", labels={"to-edit": "true"}))
        await cluster.api.until(lambda: resources("admin") == ["things"])
        await cluster.client.patch(RBAC, "clusterroles", "things", {"rules": [rule("others")]})
        await cluster.api.until(lambda: resources("admin") == ["others"] == resources("edit"))
        await cluster.client.delete(RBAC, "clusterroles", "things")
        await cluster.api.until(lambda: not resources("admin"))

"""pods/binding and pods/eviction (k/k `registry/core/pod/storage/storage.go`, `eviction.go`)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.api.world import PODS, World, pod

from tiphys.base.document import Document

BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
BINDING = {"metadata": {"name": "web"}, "target": {"kind": "Node", "name": "n1"}}
EVICTION = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web"}}
MERGE = {"content-type": "application/merge-patch+json"}


async def test_a_binding_names_the_node_and_says_when(world: World) -> None:
    await world.ok("POST", PODS, pod())
    binding = {**BINDING, "metadata": {"name": "web", "annotations": {"a": "b"}}}
    status = await world.ok("POST", f"{PODS}/web/binding", binding)
    assert (status["status"], status["code"]) == ("Success", 201)
    bound = await world.ok("GET", f"{PODS}/web")
    assert (bound["spec"]["nodeName"], bound["metadata"]["annotations"]) == ("n1", {"a": "b"})
    assert bound["status"]["conditions"] == [
        {
            "type": "PodScheduled",
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": "2023-11-14T22:13:20Z",
        }
    ]
    status = await world.refused(409, "POST", f"{PODS}/web/binding", BINDING)
    assert status["message"] == (
        'Operation cannot be fulfilled on pods/binding "web": pod web is already assigned to node "n1"'
    )


async def test_bindings_that_cannot_be(world: World) -> None:
    await world.refused(404, "POST", f"{PODS}/web/binding", BINDING)
    body = pod(nodeName="n1")
    body["metadata"]["finalizers"] = ["example.com/hold"]
    await world.ok("POST", PODS, body)
    await world.ok("DELETE", f"{PODS}/web")
    status = await world.refused(409, "POST", f"{PODS}/web/binding", BINDING)
    assert status["message"].endswith("pod web is being deleted, cannot be assigned to a host")
    other = {**BINDING, "metadata": {"name": "other"}}
    status = await world.refused(400, "POST", f"{PODS}/web/binding", other)
    assert status["message"] == "name in URL does not match name in Binding object"
    nowhere = {"metadata": {"name": "web"}, "target": {"kind": "Host"}}
    status = await world.refused(422, "POST", f"{PODS}/web/binding", nowhere)
    assert [cause["field"] for cause in status["details"]["causes"]] == ["target.kind", "target.name"]


async def _running(world: World, name: str = "web") -> None:
    await world.ok("POST", PODS, pod(name, {"app": "web"}, nodeName="n1"))
    status = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
    await world.ok("PATCH", f"{PODS}/{name}/status", status, headers=MERGE)


async def _budget(world: World, name: str = "budget", **status: Any) -> None:
    spec: Document = {"selector": {"matchLabels": {"app": "web"}}}
    await world.ok("POST", BUDGETS, {"metadata": {"name": name}, "spec": spec})
    full = {
        "observedGeneration": 1,
        "disruptionsAllowed": 0,
        "currentHealthy": 1,
        "desiredHealthy": 1,
        "expectedPods": 1,
        **status,
    }
    await world.ok("PATCH", f"{BUDGETS}/{name}/status", {"status": full}, headers=MERGE)


async def test_an_eviction_deletes_with_grace(world: World) -> None:
    await _running(world)
    assert (await world.ok("POST", f"{PODS}/web/eviction", EVICTION))["status"] == "Success"
    metadata = (await world.ok("GET", f"{PODS}/web"))["metadata"]
    assert metadata["deletionGracePeriodSeconds"] == 30


async def test_a_budget_with_nothing_left_minds(world: World) -> None:
    await _running(world)
    await _budget(world)
    status = await world.refused(429, "POST", f"{PODS}/web/eviction", EVICTION)
    assert status["message"] == "Cannot evict pod as it would violate the pod's disruption budget."
    assert status["details"]["causes"] == [
        {
            "reason": "DisruptionBudget",
            "message": "The disruption budget budget needs 1 healthy pods and has 1 currently",
        }
    ]
    assert "deletionTimestamp" not in (await world.ok("GET", f"{PODS}/web"))["metadata"]


async def test_a_budget_not_looked_at_yet_minds_for_a_while(world: World) -> None:
    await _running(world)
    await _budget(world, observedGeneration=0, disruptionsAllowed=1)
    status = await world.refused(429, "POST", f"{PODS}/web/eviction", EVICTION)
    assert status["details"]["retryAfterSeconds"] == 10


async def test_a_budget_is_counted_down(world: World) -> None:
    await _running(world)
    await _running(world, "web2")
    await _budget(world, disruptionsAllowed=1)
    dry = {**EVICTION, "deleteOptions": {"dryRun": ["All"]}}
    await world.ok("POST", f"{PODS}/web/eviction", dry)
    await world.ok("POST", f"{PODS}/web/eviction", EVICTION)
    status = (await world.ok("GET", f"{BUDGETS}/budget"))["status"]
    assert (status["disruptionsAllowed"], list(status["disruptedPods"])) == (0, ["web"])
    await world.refused(429, "POST", f"{PODS}/web2/eviction", {**EVICTION, "metadata": {"name": "web2"}})


async def test_pods_that_do_not_run_need_no_budget(world: World) -> None:
    # canIgnorePDB
    await _running(world)
    await _budget(world)
    await world.ok("PATCH", f"{PODS}/web/status", {"status": {"phase": "Failed"}}, headers=MERGE)
    await world.ok("POST", f"{PODS}/web/eviction", EVICTION)


async def _unready(world: World) -> None:
    await _running(world)
    status = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
    await world.ok("PATCH", f"{PODS}/web/status", status, headers=MERGE)


async def test_an_eviction_says_why_the_pod_goes(world: World) -> None:
    # addConditionAndDeletePod, since 1.26
    await _running(world)
    await world.ok("POST", f"{PODS}/web/eviction", EVICTION)
    conditions = (await world.ok("GET", f"{PODS}/web"))["status"]["conditions"]
    assert {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
        "lastProbeTime": None,
        "lastTransitionTime": "2023-11-14T22:13:20Z",
    } in conditions


async def test_a_pod_that_is_not_ready_goes_if_its_budget_lets_it(world: World) -> None:
    # TestEviction, unhealthyPodEvictionPolicy: IfHealthyBudget by default, AlwaysAllow
    await _unready(world)
    await _budget(world, currentHealthy=0)
    await world.refused(429, "POST", f"{PODS}/web/eviction", EVICTION)
    spec = {"spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}}
    await world.ok("PATCH", f"{BUDGETS}/budget", spec, headers=MERGE)
    await world.ok("POST", f"{PODS}/web/eviction", EVICTION)


async def test_a_pod_that_is_not_ready_goes_while_the_others_are(world: World) -> None:
    await _unready(world)
    await _budget(world, currentHealthy=1)
    await world.ok("POST", f"{PODS}/web/eviction", EVICTION)
    status = (await world.ok("GET", f"{BUDGETS}/budget"))["status"]
    assert "disruptedPods" not in status


async def test_the_last_disruption_is_told_in_the_condition(world: World) -> None:
    # checkAndDecrement: UpdateDisruptionAllowedCondition
    await _running(world)
    await _budget(world, disruptionsAllowed=1)
    await world.ok("POST", f"{PODS}/web/eviction", EVICTION)
    (condition,) = (await world.ok("GET", f"{BUDGETS}/budget"))["status"]["conditions"]
    assert (condition["status"], condition["reason"]) == ("False", "InsufficientPods")
    assert condition["observedGeneration"] == 1


@pytest.mark.parametrize(
    ("status", "code", "cause"),
    [
        (
            {"disruptionsAllowed": -1},
            403,
            "does not allow evicting pods currently: pdb disruptions allowed is negative",
        ),
        (
            {"disruptionsAllowed": 1, "disruptedPods": {f"p{n}": "2023-11-14T22:13:20Z" for n in range(2001)}},
            403,
            "does not allow evicting pods currently: too many pending evictions not confirmed by PDB controller",
        ),
        (
            {
                "conditions": [
                    {
                        "type": "DisruptionAllowed",
                        "status": "False",
                        "reason": "SyncFailed",
                        "message": "no scale",
                        "lastTransitionTime": "2023-11-14T22:13:20Z",
                    }
                ]
            },
            429,
            "does not allow evicting pods currently because it failed sync: no scale",
        ),
        ({"currentHealthy": 3}, 429, "does not allow evicting pods currently"),
    ],
)
async def test_why_a_budget_minds(world: World, status: dict[str, Any], code: int, cause: str) -> None:
    # eviction_test.go: TestEviction
    await _running(world)
    await _budget(world, **status)
    refusal = await world.refused(code, "POST", f"{PODS}/web/eviction", EVICTION)
    assert refusal["details"]["causes"] == [
        {"reason": "DisruptionBudget", "message": f"The disruption budget budget {cause}"}
    ]


async def test_preconditions_of_an_eviction(world: World) -> None:
    await _running(world)
    stale = {**EVICTION, "deleteOptions": {"preconditions": {"resourceVersion": "1"}}}
    refusal = await world.refused(409, "POST", f"{PODS}/web/eviction", stale)
    assert "the ResourceVersion in the precondition (1) does not match" in refusal["message"]
    other = {**EVICTION, "deleteOptions": {"preconditions": {"uid": "x"}}}
    await world.refused(409, "POST", f"{PODS}/web/eviction", other)
    pod = await world.ok("GET", f"{PODS}/web")
    assert [each["type"] for each in pod["status"]["conditions"]] == ["Ready"]


async def test_two_budgets_are_one_too_many(world: World) -> None:
    await _running(world)
    await _budget(world, "a", disruptionsAllowed=1)
    await _budget(world, "b", disruptionsAllowed=1)
    status = await world.refused(500, "POST", f"{PODS}/web/eviction", EVICTION)
    assert status["message"].startswith("This pod has more than one PodDisruptionBudget")

"""scale (k/k `registry/apps/deployment/storage/storage.go` ScaleREST)."""

from __future__ import annotations

from tests.unit.api.world import DEPLOYMENTS, World, deployment

SCALE = f"{DEPLOYMENTS}/web/scale"
MERGE = {"content-type": "application/merge-patch+json"}


async def test_a_scale_is_made_of_its_object(world: World) -> None:
    selector = {"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "x", "operator": "Exists"}]}
    made = await world.ok("POST", DEPLOYMENTS, deployment(replicas=2, selector=selector))
    metadata = {name: made["metadata"][name] for name in ("name", "namespace", "uid", "resourceVersion")}
    assert await world.ok("GET", SCALE) == {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {**metadata, "creationTimestamp": made["metadata"]["creationTimestamp"]},
        "spec": {"replicas": 2},
        "status": {"replicas": 0, "selector": "app=web,x"},
    }


async def test_writing_it_writes_the_object(world: World) -> None:
    await world.ok("POST", DEPLOYMENTS, deployment())
    scale = {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {"name": "web"}, "spec": {"replicas": 4}}
    assert (await world.ok("PUT", SCALE, scale))["spec"] == {"replicas": 4}
    assert (await world.ok("PATCH", SCALE, {"spec": {"replicas": 5}}, headers=MERGE))["spec"] == {"replicas": 5}
    made = await world.ok("GET", f"{DEPLOYMENTS}/web")
    assert (made["spec"]["replicas"], made["metadata"]["generation"]) == (5, 3)
    assert world.admission.seen[-1][1].subresource == "scale"


async def test_what_is_refused(world: World) -> None:
    await world.refused(404, "GET", SCALE)
    uid = (await world.ok("POST", DEPLOYMENTS, deployment()))["metadata"]["uid"]
    scale = {"metadata": {"name": "web"}, "spec": {"replicas": -1}}
    status = await world.refused(422, "PUT", SCALE, scale)
    assert status["message"] == (
        'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0'
    )
    scale = {"metadata": {"name": "web", "uid": "x"}, "spec": {"replicas": 1}}
    status = await world.refused(409, "PUT", SCALE, scale)
    assert status["message"] == (
        'Operation cannot be fulfilled on deployments.apps/scale "web": Precondition failed: UID in precondition: x, '
        f"UID in object meta: {uid}"
    )
    scale = {"metadata": {"name": "web", "resourceVersion": "77"}, "spec": {"replicas": 1}}
    await world.refused(409, "PUT", SCALE, scale)

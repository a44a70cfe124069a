"""delete and deletecollection (apiserver `registry/rest/delete.go`, `registry/generic/registry/store.go` Delete)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.api.world import CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, PODS, World, config_map, deployment, pod

from tiphys.base.status import forbidden

ONE = f"{CONFIG_MAPS}/one"
WEB = f"{PODS}/web"


async def test_a_delete_is_told_by_a_status(world: World) -> None:
    # Store.finalizeDelete
    made = await world.ok("POST", DEPLOYMENTS, deployment())
    status = await world.ok("DELETE", f"{DEPLOYMENTS}/web")
    assert status == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {"name": "web", "group": "apps", "kind": "deployments", "uid": made["metadata"]["uid"]},
    }
    assert (await world.refused(404, "DELETE", f"{DEPLOYMENTS}/web"))["message"] == 'deployments.apps "web" not found'


async def test_finalizers_keep_an_object(world: World) -> None:
    # markAsDeleting
    body = deployment()
    body["metadata"]["finalizers"] = ["example.com/hold"]
    await world.ok("POST", DEPLOYMENTS, body)
    metadata = (await world.ok("DELETE", f"{DEPLOYMENTS}/web"))["metadata"]
    assert metadata["deletionTimestamp"] == "2023-11-14T22:13:20Z"
    assert (metadata["deletionGracePeriodSeconds"], metadata["generation"]) == (0, 2)
    world.clock.advance(60)
    again = (await world.ok("DELETE", f"{DEPLOYMENTS}/web"))["metadata"]
    assert again == metadata


@pytest.mark.parametrize(
    ("options", "finalizers"),
    [
        ({"propagationPolicy": "Foreground"}, ["foregroundDeletion"]),
        ({"propagationPolicy": "Orphan"}, ["orphan"]),
        ({"orphanDependents": True}, ["orphan"]),
    ],
)
async def test_propagation_policies_are_finalizers(
    world: World, options: dict[str, Any], finalizers: list[str]
) -> None:
    # deletionFinalizersForGarbageCollection
    await world.ok("POST", DEPLOYMENTS, deployment())
    made = await world.ok("DELETE", f"{DEPLOYMENTS}/web", {"kind": "DeleteOptions", "apiVersion": "v1", **options})
    assert made["metadata"]["finalizers"] == finalizers
    # an explicit policy replaces the other one
    done = await world.ok("DELETE", f"{DEPLOYMENTS}/web", query={"propagationPolicy": "Background"})
    assert done["status"] == "Success"


async def test_not_deleted_yet_with_orphan_dependents_false_is_accepted(world: World) -> None:
    # handlers.DeleteResource: http.StatusAccepted
    body = config_map()
    body["metadata"]["finalizers"] = ["example.com/hold"]
    await world.ok("POST", CONFIG_MAPS, body)
    assert (await world.ask("DELETE", ONE, {"orphanDependents": False})).status == 202


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"propagationPolicy": "Orphan", "orphanDependents": True},
            'propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set',
        ),
        (
            {"propagationPolicy": "Later"},
            'propagationPolicy: Unsupported value: "Later": supported values: "Foreground", "Background", "Orphan", '
            '"nil"',
        ),
    ],
)
async def test_options_that_cannot_be(world: World, options: dict[str, Any], message: str) -> None:
    # ValidateDeleteOptions
    await world.ok("POST", CONFIG_MAPS, config_map())
    status = await world.refused(422, "DELETE", ONE, options)
    assert status["message"] == f'DeleteOptions.meta.k8s.io "" is invalid: {message}'
    await world.refused(400, "DELETE", ONE, query={"gracePeriodSeconds": "x"})
    await world.refused(400, "DELETE", ONE, {"gracePeriodSeconds": "x"})
    await world.refused(400, "DELETE", ONE, {"kind": "Pod", "apiVersion": "v1"})
    await world.refused(422, "DELETE", ONE, query={"dryRun": "x"})


async def test_options_of_any_group(world: World) -> None:
    await world.ok("POST", DEPLOYMENTS, deployment())
    options = {"kind": "DeleteOptions", "apiVersion": "apps/v1", "propagationPolicy": "Background"}
    assert (await world.ok("DELETE", f"{DEPLOYMENTS}/web", options))["status"] == "Success"


async def test_preconditions(world: World) -> None:
    # rest.BeforeDelete
    uid = (await world.ok("POST", CONFIG_MAPS, config_map()))["metadata"]["uid"]
    status = await world.refused(409, "DELETE", ONE, {"preconditions": {"uid": "x"}})
    assert status["message"] == (
        'Operation cannot be fulfilled on ConfigMap "one": the UID in the precondition (x) does not match the UID '
        f"in record ({uid}). The object might have been deleted and then recreated"
    )
    status = await world.refused(409, "DELETE", ONE, {"preconditions": {"resourceVersion": "7"}})
    assert status["message"] == (
        'Operation cannot be fulfilled on ConfigMap "one": the ResourceVersion in the precondition (7) does not '
        "match the ResourceVersion in record (1). The object might have been modified"
    )
    await world.ok("DELETE", ONE, {"preconditions": {"uid": uid, "resourceVersion": "1"}})


async def test_a_pod_gets_its_grace(world: World) -> None:
    await world.ok("POST", PODS, pod(nodeName="n1"))
    metadata = (await world.ok("DELETE", WEB))["metadata"]
    assert metadata["deletionTimestamp"] == "2023-11-14T22:13:50Z"
    assert metadata["deletionGracePeriodSeconds"] == 30
    # longer is not taken
    same = (await world.ok("DELETE", WEB, {"gracePeriodSeconds": 60}))["metadata"]
    assert same == metadata
    # shorter is; the time moves back by the difference
    shorter = (await world.ok("DELETE", WEB, {"gracePeriodSeconds": 10}))["metadata"]
    assert shorter["deletionTimestamp"] == "2023-11-14T22:13:30Z"
    # never into the past
    world.clock.advance(100)
    past = (await world.ok("DELETE", WEB, query={"gracePeriodSeconds": "5"}))["metadata"]
    assert (past["deletionTimestamp"], past["deletionGracePeriodSeconds"]) == ("2023-11-14T22:15:00Z", 1)
    # the node deletes with 0: that is the end, and the answer is the pod
    gone = await world.ok("DELETE", WEB, {"gracePeriodSeconds": 0})
    assert gone["kind"] == "Pod"
    await world.refused(404, "GET", WEB)


async def test_negative_grace_counts_as_one_second(world: World) -> None:
    await world.ok("POST", PODS, pod(nodeName="n1"))
    await world.ok("DELETE", WEB)
    assert (await world.ok("DELETE", WEB, {"gracePeriodSeconds": -3}))["metadata"]["deletionGracePeriodSeconds"] == 1


async def test_an_unscheduled_pod_goes_at_once(world: World) -> None:
    await world.ok("POST", PODS, pod())
    gone = await world.ok("DELETE", WEB)
    assert (gone["kind"], gone["metadata"]["deletionGracePeriodSeconds"]) == ("Pod", 0)
    await world.refused(404, "GET", WEB)


async def test_grace_and_finalizers_together(world: World) -> None:
    body = pod(nodeName="n1")
    body["metadata"]["finalizers"] = ["example.com/hold"]
    await world.ok("POST", PODS, body)
    await world.ok("DELETE", WEB)
    kept = await world.ok("DELETE", WEB, {"gracePeriodSeconds": 0})
    assert kept["metadata"]["deletionGracePeriodSeconds"] == 0
    headers = {"content-type": "application/merge-patch+json"}
    await world.ok("PATCH", WEB, {"metadata": {"finalizers": []}}, headers=headers)
    await world.refused(404, "GET", WEB)


async def test_dry_run(world: World) -> None:
    await world.ok("POST", CONFIG_MAPS, config_map())
    assert (await world.ok("DELETE", ONE, {"dryRun": ["All"]}))["status"] == "Success"
    await world.ok("POST", PODS, pod(nodeName="n1"))
    dry = await world.ok("DELETE", WEB, query={"dryRun": "All"})
    assert dry["metadata"]["deletionGracePeriodSeconds"] == 30
    assert world.store.revision == 2


async def test_admission_may_refuse(world: World) -> None:
    await world.ok("POST", CONFIG_MAPS, config_map())
    world.admission.refuse = forbidden("configmaps", "one", "no")
    await world.refused(403, "DELETE", ONE)
    _, attributes = world.admission.seen[-1]
    assert (attributes.operation, attributes.object) == ("DELETE", None)
    assert attributes.old is not None
    assert attributes.options["kind"] == "DeleteOptions"


async def test_a_namespace_empties_first(world: World) -> None:
    # registry/core/namespace/storage/storage.go
    await world.ok("POST", NAMESPACES, {"metadata": {"name": "dev"}})
    path = f"{NAMESPACES}/dev"
    going = await world.ok("DELETE", path)
    assert (going["kind"], going["status"]["phase"]) == ("Namespace", "Terminating")
    assert going["metadata"]["deletionTimestamp"]
    assert "deletionGracePeriodSeconds" not in going["metadata"]
    assert await world.ok("DELETE", path) == going
    status = await world.refused(409, "DELETE", path, {"preconditions": {"uid": "x"}})
    assert status["message"] == (
        'Operation cannot be fulfilled on namespaces "dev": Precondition failed: UID in precondition: x, UID in '
        f"object meta: {going['metadata']['uid']}"
    )
    # no update but finalize lets it go
    headers = {"content-type": "application/merge-patch+json"}
    await world.ok("PATCH", path, {"metadata": {"labels": {"a": "b"}}}, headers=headers)
    status = await world.refused(
        422, "PUT", f"{path}/finalize", {"metadata": {"name": "dev"}, "spec": {"finalizers": ["x"]}}
    )
    assert status["message"].endswith(
        'Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified'
    )
    await world.ok("PUT", f"{path}/finalize", {"metadata": {"name": "dev"}, "spec": {"finalizers": []}})
    await world.refused(404, "GET", path)


async def test_deletecollection(world: World) -> None:
    for name in ("a", "b", "c"):
        await world.ok("POST", PODS, pod(name, {"app": "web" if name < "c" else "db"}))
    gone = await world.ok(
        "DELETE", PODS, {"kind": "DeleteOptions", "apiVersion": "v1"}, query="labelSelector=app%3Dweb"
    )
    assert (gone["kind"], [item["metadata"]["name"] for item in gone["items"]]) == ("PodList", ["a", "b"])
    left = await world.ok("GET", PODS)
    assert [item["metadata"]["name"] for item in left["items"]] == ["c"]


async def test_a_delete_that_is_overtaken_is_tried_again(world: World) -> None:
    await world.ok("POST", CONFIG_MAPS, config_map(data={"a": "1"}))
    plain = world.store.delete
    raced: list[int] = []

    async def racing(key: str, *, expected: int, value: bytes | None = None) -> Any:
        if not raced:
            raced.append(expected)
            await world.ok("PUT", ONE, config_map(data={"a": "2"}))
        return await plain(key, expected=expected, value=value)

    world.store.delete = racing  # type: ignore[method-assign]
    await world.ok("DELETE", ONE)
    await world.refused(404, "GET", ONE)

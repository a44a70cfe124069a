"""update and patch (apiserver `handlers/update.go`, `patch.go`, `registry/generic/registry/store.go` Update)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.api.world import CONFIG_MAPS, DEPLOYMENTS, PODS, World, config_map, deployment, pod

from tiphys.base.document import Document
from tiphys.base.status import forbidden

ONE = f"{CONFIG_MAPS}/one"
WEB = f"{DEPLOYMENTS}/web"
MERGE = {"content-type": "application/merge-patch+json"}
JSON_PATCH = {"content-type": "application/json-patch+json"}
STRATEGIC = {"content-type": "application/strategic-merge-patch+json"}
CONFLICT = "the object has been modified; please apply your changes to the latest version and try again"


async def test_the_optimistic_lock(world: World) -> None:
    made = await world.ok("POST", CONFIG_MAPS, config_map(data={"a": "1"}))
    made["data"]["a"] = "2"
    changed = await world.ok("PUT", ONE, made)
    assert changed["metadata"]["resourceVersion"] == "2"
    status = await world.refused(409, "PUT", ONE, made)
    assert status["message"] == f'Operation cannot be fulfilled on configmaps "one": {CONFLICT}'
    assert status["reason"] == "Conflict"
    made["metadata"]["resourceVersion"] = "x"
    await world.refused(400, "PUT", ONE, made)


async def test_an_update_without_a_version(world: World) -> None:
    # AllowUnconditionalUpdate; leases do not
    await world.ok("POST", CONFIG_MAPS, config_map(data={"a": "1"}))
    assert (await world.ok("PUT", ONE, config_map(data={"a": "2"})))["data"] == {"a": "2"}
    leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
    lease = {"metadata": {"name": "x"}, "spec": {"holderIdentity": "me"}}
    await world.ok("POST", leases, lease)
    status = await world.refused(422, "PUT", f"{leases}/x", lease)
    assert status["message"] == (
        'leases.coordination.k8s.io "x" is invalid: metadata.resourceVersion: Invalid value: 0: '
        "must be specified for an update"
    )


async def test_an_update_creates_nothing(world: World) -> None:
    status = await world.refused(404, "PUT", ONE, config_map())
    assert status["message"] == 'configmaps "one" not found'


async def test_an_update_that_changes_nothing_is_not_written(world: World) -> None:
    made = await world.ok("POST", CONFIG_MAPS, config_map(data={"a": "1"}))
    again = await world.ok("PUT", ONE, config_map(data={"a": "1"}))
    assert again == made
    assert await world.ok("PATCH", ONE, {"data": {"a": "1"}}, headers=MERGE) == made
    assert world.store.revision == 1


async def test_names_must_agree(world: World) -> None:
    # handlers.checkName
    await world.ok("POST", CONFIG_MAPS, config_map())
    status = await world.refused(400, "PUT", ONE, config_map("two"))
    assert status["message"] == "the name of the object (two) does not match the name on the URL (one)"
    status = await world.refused(400, "PUT", ONE, {"metadata": {}})
    assert status["message"] == (
        "the name of the object (one based on URL) was undeterminable: name must be provided"
    )
    body = config_map()
    body["metadata"]["namespace"] = "other"
    await world.refused(400, "PUT", ONE, body)
    await world.refused(400, "PATCH", ONE, {"metadata": {"name": "two"}}, headers=MERGE)


async def test_another_uid_is_a_precondition_that_fails(world: World) -> None:
    # storage.Preconditions.Check as storeerr.InterpretUpdateError words it
    made = await world.ok("POST", CONFIG_MAPS, config_map())
    body = config_map()
    body["metadata"]["uid"] = "other"
    status = await world.refused(409, "PUT", ONE, body)
    assert status["message"] == (
        'Operation cannot be fulfilled on configmaps "one": StorageError: invalid object, Code: 4, Key: '
        "/registry/configmaps/default/one, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in "
        f"precondition: other, UID in object meta: {made['metadata']['uid']}"
    )
    status = await world.refused(422, "PATCH", ONE, {"metadata": {"uid": "other"}}, headers=MERGE)
    assert status["message"].endswith('metadata.uid: Invalid value: "other": field is immutable')


async def test_system_fields_cannot_be_changed(world: World) -> None:
    # rest.BeforeUpdate
    made = await world.ok("POST", CONFIG_MAPS, config_map())
    body = config_map(data={"a": "b"})
    body["metadata"] |= {"creationTimestamp": "2001-01-01T00:00:00Z", "generation": 9}
    metadata = (await world.ok("PUT", ONE, body))["metadata"]
    assert metadata == {**made["metadata"], "resourceVersion": "2"}
    body["metadata"]["deletionTimestamp"] = "2001-01-01T00:00:00Z"
    status = await world.refused(422, "PUT", ONE, body)
    assert "metadata.deletionTimestamp: Invalid value: " in status["message"]
    assert status["message"].endswith(": field is immutable")


async def test_generation_counts_what_is_desired(world: World) -> None:
    await world.ok("POST", DEPLOYMENTS, deployment())
    labelled = deployment()
    labelled["metadata"]["labels"] = {"a": "b"}
    assert (await world.ok("PUT", WEB, labelled))["metadata"]["generation"] == 1
    assert (await world.ok("PUT", WEB, deployment(replicas=3)))["metadata"]["generation"] == 2
    patched = await world.ok("PATCH", f"{WEB}/status", {"status": {"replicas": 3}}, headers=MERGE)
    assert patched["metadata"]["generation"] == 2


async def test_status_has_its_own_path(world: World) -> None:
    await world.ok("POST", PODS, pod())
    body = {**pod(), "status": {"phase": "Running"}}
    body["spec"]["nodeName"] = "n1"
    assert "phase" not in (await world.ok("PUT", f"{PODS}/web", body)).get("status", {})
    body["metadata"]["labels"] = {"a": "b"}
    body["spec"]["nodeName"] = "n2"
    made = await world.ok("PUT", f"{PODS}/web/status", body)
    assert (made["status"], made["spec"]["nodeName"]) == ({"phase": "Running"}, "n1")
    assert made["metadata"]["labels"] == {"a": "b"}  # as upstream's status strategies: metadata comes with the status
    assert world.admission.seen[-1][1].subresource == "status"


async def test_admission_sees_old_and_new_and_may_change_the_new(world: World) -> None:
    await world.ok("POST", CONFIG_MAPS, config_map(data={"a": "1"}))

    def mutate(attributes: Any) -> None:
        attributes.object["data"]["b"] = "2"

    world.admission.mutate = mutate
    assert (await world.ok("PUT", ONE, config_map(data={"a": "3"})))["data"] == {"a": "3", "b": "2"}
    _, attributes = world.admission.seen[-1]
    assert attributes.operation == "UPDATE"
    assert attributes.old is not None
    assert attributes.old["data"] == {"a": "1"}
    world.admission.refuse = forbidden("configmaps", "one", "no")
    await world.refused(403, "PUT", ONE, config_map(data={"a": "4"}))
    assert world.store.revision == 2


async def test_dry_run(world: World) -> None:
    await world.ok("POST", CONFIG_MAPS, config_map())
    made = await world.ok("PUT", ONE, config_map(data={"a": "b"}), query={"dryRun": "All"})
    assert (made["data"], made["metadata"]["resourceVersion"]) == ({"a": "b"}, "1")
    made = await world.ok("PATCH", ONE, {"data": {"a": "b"}}, headers=MERGE, query={"dryRun": "All"})
    assert made["data"] == {"a": "b"}
    assert world.store.revision == 1


async def test_validation_of_an_update(world: World) -> None:
    await world.ok("POST", DEPLOYMENTS, deployment())
    status = await world.refused(422, "PUT", WEB, deployment(replicas=-2))
    assert status["message"] == (
        'Deployment.apps "web" is invalid: spec.replicas: Invalid value: -2: must be greater than or equal to 0'
    )
    labelled = deployment()
    labelled["metadata"]["labels"] = {"a": "-"}
    status = await world.refused(422, "PUT", WEB, labelled)
    assert [cause["field"] for cause in status["details"]["causes"]] == ["metadata.labels"]


async def test_the_last_finalizer_of_a_deleted_object_takes_it_along(world: World) -> None:
    # ShouldDeleteDuringUpdate
    body = config_map()
    body["metadata"]["finalizers"] = ["example.com/hold"]
    await world.ok("POST", CONFIG_MAPS, body)
    await world.ok("DELETE", ONE)
    body["metadata"]["finalizers"] = ["example.com/hold", "example.com/more"]
    status = await world.refused(422, "PUT", ONE, body)
    assert status["message"] == (
        'ConfigMap "one" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is '
        'being deleted, found new finalizers []string{"example.com/more"}'
    )
    gone = await world.ok("PATCH", ONE, {"metadata": {"finalizers": None}}, headers=MERGE)
    assert "finalizers" not in gone["metadata"]
    await world.refused(404, "GET", ONE)


async def test_the_three_patches(world: World) -> None:
    await world.ok("POST", DEPLOYMENTS, deployment())
    made = await world.ok("PATCH", WEB, {"spec": {"replicas": 2}}, headers=MERGE)
    assert made["spec"]["replicas"] == 2
    operations = [{"op": "replace", "path": "/spec/replicas", "value": 3}]
    assert (await world.ok("PATCH", WEB, operations, headers=JSON_PATCH))["spec"]["replicas"] == 3
    container = {"name": "main", "env": [{"name": "A", "value": "1"}]}
    body: Document = {"spec": {"template": {"spec": {"containers": [container]}}}}
    made = await world.ok("PATCH", WEB, body, headers=STRATEGIC)
    found = made["spec"]["template"]["spec"]["containers"][0]
    assert (found["image"], found["env"]) == ("nginx", [{"name": "A", "value": "1"}])
    assert made["metadata"]["generation"] == 4


async def test_patches_that_cannot_be(world: World) -> None:
    await world.ok("POST", CONFIG_MAPS, config_map(data={"a": "b"}))
    status = await world.refused(415, "PATCH", ONE, {}, headers={"content-type": "application/json"})
    assert status["message"] == (
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, "
        "application/apply-patch+yaml"
    )
    apply = {"content-type": "application/apply-patch+yaml"}
    await world.refused(501, "PATCH", ONE, {}, headers=apply, query={"fieldManager": "me"})
    await world.refused(400, "PATCH", ONE, b"{", headers=MERGE)
    await world.refused(400, "PATCH", ONE, b"[]", headers=MERGE)
    missing = [{"op": "remove", "path": "/data/z"}]
    assert (await world.refused(422, "PATCH", ONE, missing, headers=JSON_PATCH))["reason"] in ("Invalid", "")
    status = await world.refused(422, "PATCH", ONE, {"data": {"a": 3}}, headers=MERGE)
    assert status["message"].startswith(' "" is invalid: patch: Invalid value: ')
    status = await world.refused(422, "PATCH", ONE, {}, headers=MERGE, query={"force": "true"})
    assert status["message"] == (
        'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch'
    )
    assert (await world.refused(404, "PATCH", f"{CONFIG_MAPS}/two", {}, headers=MERGE))["reason"] == "NotFound"


async def test_unknown_fields_of_a_patch(world: World) -> None:
    await world.ok("POST", CONFIG_MAPS, config_map())
    response = await world.ask("PATCH", ONE, {"foo": 1}, headers=MERGE)
    assert response.headers == [("Warning", '299 - "unknown field \\"foo\\""')]
    await world.refused(422, "PATCH", ONE, {"foo": 1}, headers=MERGE, query={"fieldValidation": "Strict"})


async def test_a_patch_is_tried_again_unless_it_names_a_version(world: World) -> None:
    await world.ok("POST", CONFIG_MAPS, config_map(data={"a": "1"}))
    raced: list[int] = []
    plain = world.store.update

    async def racing(key: str, value: bytes, facts: Any = None, *, expected: int) -> Any:
        if len(raced) < 7:
            raced.append(expected)
            record = await world.store.get(key)
            assert record is not None
            other = record.value.replace(b'"data":{', b'"data":{"r%d":"1",' % len(raced))
            await plain(key, other, None, expected=record.revision)
        return await plain(key, value, facts, expected=expected)

    world.store.update = racing  # type: ignore[method-assign]
    made = await world.ok("PATCH", ONE, {"data": {"a": "2"}}, headers=MERGE)
    assert (made["data"]["a"], len(made["data"]), len(raced)) == ("2", 8, 7)
    stale = {"metadata": {"resourceVersion": "1"}, "data": {"a": "3"}}
    status = await world.refused(409, "PATCH", ONE, stale, headers=MERGE)
    assert status["message"].endswith(CONFLICT)


@pytest.mark.parametrize("headers", [MERGE, STRATEGIC])
async def test_an_empty_patch_is_no_change(world: World, headers: dict[str, str]) -> None:
    made = await world.ok("POST", CONFIG_MAPS, config_map())
    assert await world.ok("PATCH", ONE, {}, headers=headers) == made

"""create (apiserver `handlers/create.go`, `registry/rest/create.go`, `registry/generic/registry/store.go`)."""

from __future__ import annotations

import re

import orjson
import pytest
from tests.unit.api.world import CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, PODS, World, config_map, deployment, pod

from tiphys.base.names import ALPHABET
from tiphys.base.status import forbidden


async def test_system_fields_are_set_and_what_a_client_sends_of_them_is_not_kept(world: World) -> None:
    # rest.WipeObjectMetaSystemFields, FillObjectMetaSystemFields
    body = config_map()
    body["metadata"] |= {
        "uid": "mine",
        "creationTimestamp": "2001-01-01T00:00:00Z",
        "deletionTimestamp": "2001-01-01T00:00:00Z",
        "deletionGracePeriodSeconds": 3,
        "selfLink": "/x",
        "managedFields": [],
    }
    metadata = (await world.ok("POST", CONFIG_MAPS, body))["metadata"]
    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", metadata.pop("uid"))
    assert metadata == {
        "name": "one",
        "namespace": "default",
        "resourceVersion": "1",
        "creationTimestamp": "2023-11-14T22:13:20Z",
    }


async def test_answer_store_and_get_are_the_same_bytes(world: World) -> None:
    created = await world.ask("POST", CONFIG_MAPS, config_map(data={"a": "b"}))
    got = await world.ask("GET", f"{CONFIG_MAPS}/one")
    record = await world.store.get("/registry/configmaps/default/one")
    assert created.status == 201
    assert record is not None
    assert created.body == got.body == record.value


async def test_generation_starts_at_one_and_status_is_dropped(world: World) -> None:
    # deploymentStrategy.PrepareForCreate
    body = {**deployment(), "status": {"replicas": 7}}
    made = await world.ok("POST", DEPLOYMENTS, body)
    assert made["metadata"]["generation"] == 1
    assert "replicas" not in made.get("status", {})
    assert made["spec"]["replicas"] == 1  # the kind's default


async def test_a_name_that_is_taken(world: World) -> None:
    await world.ok("POST", CONFIG_MAPS, config_map())
    status = await world.refused(409, "POST", CONFIG_MAPS, config_map())
    assert (status["reason"], status["message"]) == ("AlreadyExists", 'configmaps "one" already exists')
    assert status["details"] == {"name": "one", "kind": "configmaps"}


async def test_a_name_taken_by_an_object_on_its_way_out(world: World) -> None:
    # store.go create: "object is being deleted: …"
    body = config_map()
    body["metadata"]["finalizers"] = ["example.com/hold"]
    await world.ok("POST", CONFIG_MAPS, body)
    await world.ok("DELETE", f"{CONFIG_MAPS}/one")
    status = await world.refused(409, "POST", CONFIG_MAPS, config_map())
    assert status["message"] == 'object is being deleted: configmaps "one" already exists'


async def test_generated_names(world: World) -> None:
    body = config_map()
    body["metadata"] = {"generateName": "job-"}
    name = (await world.ok("POST", CONFIG_MAPS, body))["metadata"]["name"]
    assert re.fullmatch(f"job-[{ALPHABET}]{{5}}", name)


async def test_a_generated_name_is_tried_eight_times(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # store.go maxNameGenerationCreateAttempts; errors.NewGenerateNameConflict
    tries: list[int] = []

    def suffix(length: int = 5) -> str:
        tries.append(length)
        return "taken"

    monkeypatch.setattr(world.api.ids, "suffix", suffix)
    body = config_map()
    body["metadata"] = {"generateName": "job-"}
    await world.ok("POST", CONFIG_MAPS, body)
    tries.clear()
    status = await world.refused(409, "POST", CONFIG_MAPS, body)
    assert len(tries) == 8
    assert status["message"] == (
        'configmaps "job-taken" already exists, the server was not able to generate a unique name for the object'
    )
    assert status["details"]["retryAfterSeconds"] == 1


async def test_without_any_name(world: World) -> None:
    status = await world.refused(422, "POST", CONFIG_MAPS, {"metadata": {}})
    assert status["message"] == (
        'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required'
    )


async def test_another_namespace_in_the_body(world: World) -> None:
    body = config_map()
    body["metadata"]["namespace"] = "other"
    status = await world.refused(400, "POST", CONFIG_MAPS, body)
    assert status["message"] == (
        "the namespace of the provided object does not match the namespace sent on the request"
    )


async def test_a_namespace_on_a_cluster_scoped_object_is_dropped(world: World) -> None:
    body = {"metadata": {"name": "dev", "namespace": "other"}}
    assert "namespace" not in (await world.ok("POST", NAMESPACES, body))["metadata"]


async def test_another_kind_or_version_in_the_body(world: World) -> None:
    status = await world.refused(400, "POST", PODS, config_map())
    assert status["message"] == (
        'ConfigMap in version "v1" cannot be handled as a Pod: converting (v1.ConfigMap) to (core.Pod): '
        "unknown conversion"
    )


async def test_a_resource_version_must_not_be_given(world: World) -> None:
    # storage.ErrResourceVersionSetOnCreate; the code is ours, upstream's is 500
    body = config_map()
    body["metadata"]["resourceVersion"] = "5"
    status = await world.refused(400, "POST", CONFIG_MAPS, body)
    assert status["message"] == "resourceVersion should not be set on objects to be created"


async def test_dry_run_does_all_but_the_write(world: World) -> None:
    made = await world.ok("POST", CONFIG_MAPS, config_map(), query={"dryRun": "All"})
    assert made["metadata"]["uid"]
    assert "resourceVersion" not in made["metadata"]
    assert world.store.revision == 0
    assert all(attributes.dry_run for _, attributes in world.admission.seen)
    await world.ok("POST", CONFIG_MAPS, config_map())
    await world.refused(409, "POST", CONFIG_MAPS, config_map(), query={"dryRun": "All"})


async def test_options_are_validated(world: World) -> None:
    # ValidateCreateOptions
    status = await world.refused(422, "POST", CONFIG_MAPS, config_map(), query={"dryRun": "Some"})
    assert status["message"].startswith('CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ')
    assert status["message"].endswith(': supported values: "All"')
    status = await world.refused(422, "POST", CONFIG_MAPS, config_map(), query={"fieldValidation": "Maybe"})
    assert status["message"] == (
        'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Maybe": '
        'supported values: "", "Ignore", "Strict", "Warn"'
    )
    status = await world.refused(422, "POST", CONFIG_MAPS, config_map(), query={"fieldManager": "x" * 129})
    assert "fieldManager: Too long: may not be more than 128 bytes" in status["message"]


@pytest.mark.parametrize(("directive", "warned"), [("", True), ("Warn", True), ("Ignore", False)])
async def test_unknown_fields_are_dropped_and_told(world: World, directive: str, warned: bool) -> None:
    body = {**config_map(), "spec": {"foo": 1}}
    query = {"fieldValidation": directive} if directive else ""
    response = await world.ask("POST", CONFIG_MAPS, body, query=query)
    assert response.status == 201
    assert isinstance(response.body, bytes)
    assert b"foo" not in response.body
    assert response.headers == ([("Warning", '299 - "unknown field \\"spec\\""')] if warned else [])


async def test_unknown_fields_are_refused_when_strict(world: World) -> None:
    body = {**config_map(), "foo": 1}
    status = await world.refused(400, "POST", CONFIG_MAPS, body, query={"fieldValidation": "Strict"})
    assert status["message"] == (
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "foo"'
    )


async def test_order_of_admission_validation_and_store(world: World) -> None:
    # BeforeCreate stands between the two phases of admission
    def mutate(attributes: object) -> None:
        attributes.object["spec"]["replicas"] = -1  # type: ignore[attr-defined]

    world.admission.mutate = mutate
    status = await world.refused(422, "POST", DEPLOYMENTS, deployment())
    assert [phase for phase, _ in world.admission.seen] == ["admit"]
    assert status["message"] == (
        'Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0'
    )
    assert status["details"] == {
        "name": "web",
        "group": "apps",
        "kind": "Deployment",
        "causes": [
            {
                "reason": "FieldValueInvalid",
                "message": "Invalid value: -1: must be greater than or equal to 0",
                "field": "spec.replicas",
            }
        ],
    }


async def test_what_admission_is_told(world: World) -> None:
    await world.ok("POST", PODS, pod())
    phase, attributes = world.admission.seen[-1]
    assert (phase, attributes.operation, attributes.group, attributes.version) == ("validate", "CREATE", "", "v1")
    assert (attributes.resource, attributes.kind, attributes.subresource) == ("pods", "Pod", "")
    assert (attributes.namespace, attributes.name, attributes.old) == ("default", "web", None)
    assert attributes.user.name == "admin"
    assert attributes.options == {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"}


async def test_a_namespace_is_admitted_as_being_in_itself(world: World) -> None:
    # handlers.createHandler: namespace = name
    await world.ok("POST", NAMESPACES, {"metadata": {"name": "dev"}})
    assert {attributes.namespace for _, attributes in world.admission.seen} == {"dev"}


async def test_defaults_come_after_mutating_admission_too(world: World) -> None:
    def mutate(attributes: object) -> None:
        del attributes.object["spec"]["replicas"]  # type: ignore[attr-defined]

    world.admission.mutate = mutate
    assert (await world.ok("POST", DEPLOYMENTS, deployment()))["spec"]["replicas"] == 1


async def test_admission_that_refuses_leaves_nothing(world: World) -> None:
    world.admission.refuse = forbidden("pods", "web", "exceeded quota")
    status = await world.refused(403, "POST", PODS, pod())
    assert status["message"] == 'pods "web" is forbidden: exceeded quota'
    assert world.store.revision == 0


async def test_repeated_owner_references_are_left_out(world: World) -> None:
    # handlers.dedupOwnerReferencesAndAddWarning
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "u"}
    body = config_map()
    body["metadata"]["ownerReferences"] = [owner, dict(owner)]
    response = await world.ask("POST", CONFIG_MAPS, body)
    assert isinstance(response.body, bytes)
    assert orjson.loads(response.body)["metadata"]["ownerReferences"] == [owner]
    assert response.headers[0][1] == (
        '299 - ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, '
        'and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: u"'
    )


async def test_bodies_in_yaml_and_in_what_is_not_known(world: World) -> None:
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {a: b}\n"
    headers = {"content-type": "application/yaml"}
    assert (await world.ok("POST", CONFIG_MAPS, text, headers=headers))["data"] == {"a": "b"}
    headers = {"content-type": "application/cbor"}
    status = await world.refused(415, "POST", CONFIG_MAPS, b"", headers=headers)
    assert status["message"] == (
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    )


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'"x"', b"\xff", b'{"metadata":3}', b"[" * 20000])
async def test_bodies_that_are_no_object_are_bad_requests(world: World, body: bytes) -> None:
    response = await world.ask("POST", CONFIG_MAPS, body)
    assert response.status in (400, 422)

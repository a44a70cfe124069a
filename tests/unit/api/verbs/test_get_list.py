"""get and list (apiserver `handlers/get.go`, `storage/etcd3/store.go`, `storage/continue.go`)."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from tests.unit.api.world import CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, PODS, World, config_map, deployment, pod

from tiphys.base.document import Document

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


async def _make(world: World, *names: str) -> None:
    for name in names:
        await world.ok("POST", CONFIG_MAPS, config_map(name))


def _names(listed: Document) -> list[str]:
    return [item["metadata"]["name"] for item in listed["items"]]


async def test_get_of_what_is_not_there(world: World) -> None:
    status = await world.refused(404, "GET", f"{DEPLOYMENTS}/web")
    assert status["message"] == 'deployments.apps "web" not found'
    assert status["details"] == {"name": "web", "group": "apps", "kind": "deployments"}


async def test_get_at_least_at_a_version(world: World) -> None:
    # storage.NewTooLargeResourceVersionError
    await _make(world, "one")
    for asked in ("", "0", "1"):
        await world.ok("GET", f"{CONFIG_MAPS}/one", query={"resourceVersion": asked})
    status = await world.refused(504, "GET", f"{CONFIG_MAPS}/one", query={"resourceVersion": "9"})
    assert status["message"] == "Timeout: Too large resource version: 9, current: 1"
    status = await world.refused(400, "GET", f"{CONFIG_MAPS}/one", query={"resourceVersion": "x"})
    assert status["message"] == (
        'invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": '
        "invalid syntax"
    )


async def test_items_of_a_list_carry_no_kind(world: World) -> None:
    # upstream's lists are typed: their items' TypeMeta is empty
    await _make(world, "b", "a")
    listed = await world.ok("GET", CONFIG_MAPS)
    assert (listed["kind"], listed["apiVersion"], listed["metadata"]) == (
        "ConfigMapList",
        "v1",
        {"resourceVersion": "2"},
    )
    assert _names(listed) == ["a", "b"]
    assert not {"kind", "apiVersion"} & listed["items"][0].keys()


async def test_an_empty_list_has_items(world: World) -> None:
    assert (await world.ok("GET", CONFIG_MAPS))["items"] == []


async def test_lists_of_one_namespace_and_of_all(world: World) -> None:
    await _make(world, "one")
    await world.ok("POST", "/api/v1/namespaces/other/configmaps", config_map("two"))
    assert _names(await world.ok("GET", CONFIG_MAPS)) == ["one"]
    assert _names(await world.ok("GET", "/api/v1/configmaps")) == ["one", "two"]


async def test_parts_are_of_one_version(world: World) -> None:
    await _make(world, "a", "b", "c", "d", "e")
    first = await world.ok("GET", CONFIG_MAPS, query={"limit": 2})
    assert _names(first) == ["a", "b"]
    assert first["metadata"]["remainingItemCount"] == 3
    token = first["metadata"]["continue"]
    content = orjson.loads(base64.urlsafe_b64decode(token + "=="))
    assert content == {"v": "meta.k8s.io/v1", "rv": 5, "start": "b\0"}
    await world.ok("DELETE", f"{CONFIG_MAPS}/d")
    await _make(world, "c2")
    second = await world.ok("GET", CONFIG_MAPS, query={"limit": 2, "continue": token})
    assert _names(second) == ["c", "d"]
    assert second["metadata"]["resourceVersion"] == "5"
    token = second["metadata"]["continue"]
    third = await world.ok("GET", CONFIG_MAPS, query={"limit": 2, "continue": token})
    assert (_names(third), third["metadata"]) == (["e"], {"resourceVersion": "5"})


async def test_a_selection_fills_its_parts_and_tells_no_count(world: World) -> None:
    for number in range(20):
        await world.ok("POST", PODS, pod(f"p{number:02}", {"odd": str(number % 2)}))
    query = {"labelSelector": "odd=1", "limit": 4}
    first = await world.ok("GET", PODS, query=query)
    assert _names(first) == ["p01", "p03", "p05", "p07"]
    assert "remainingItemCount" not in first["metadata"]
    rest = await world.ok("GET", PODS, query={**query, "limit": 50, "continue": first["metadata"]["continue"]})
    assert _names(rest) == [f"p{number:02}" for number in range(9, 20, 2)]


async def test_a_token_that_is_too_old_comes_with_another(world: World) -> None:
    # etcd3/errors.go handleCompactedErrorForPaging
    await _make(world, "a", "b", "c")
    token = (await world.ok("GET", CONFIG_MAPS, query={"limit": 1}))["metadata"]["continue"]
    await _make(world, "bb")
    await world.store.compact(world.store.revision)
    status = await world.refused(410, "GET", CONFIG_MAPS, query={"limit": 1, "continue": token})
    assert status["reason"] == "Expired"
    assert status["message"].startswith("The provided continue parameter is too old to display a consistent list")
    query = {"limit": 9, "continue": status["metadata"]["continue"]}
    assert _names(await world.ok("GET", CONFIG_MAPS, query=query)) == ["b", "bb", "c"]


def _token(**content: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(content)).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("!", "invalid continue token: continue key is not valid: "),
        (_token(v="v2"), "server does not recognize this encoded version v2"),
        (_token(v="meta.k8s.io/v1", start="a"), "incorrect encoded start resourceVersion (version meta.k8s.io/v1)"),
        (_token(v="meta.k8s.io/v1", rv=1), "encoded start key empty (version meta.k8s.io/v1)"),
        (_token(v="meta.k8s.io/v1", rv=1, start="../x"), "invalid continue token: continue key is not valid: ../x"),
        (_token(v="meta.k8s.io/v1", rv="1", start="x"), "continue key is not valid: "),
    ],
)
async def test_tokens_that_are_not_ours(world: World, token: str, message: str) -> None:
    # storage.DecodeContinue
    await _make(world, "a")
    status = await world.refused(400, "GET", CONFIG_MAPS, query={"continue": token})
    assert message in status["message"]


async def test_lists_at_a_version(world: World) -> None:
    await _make(world, "a", "b", "c")
    exact = {"resourceVersion": "2", "resourceVersionMatch": "Exact"}
    assert _names(await world.ok("GET", CONFIG_MAPS, query=exact)) == ["a", "b"]
    newer = {"resourceVersion": "2", "resourceVersionMatch": "NotOlderThan"}
    assert _names(await world.ok("GET", CONFIG_MAPS, query=newer)) == ["a", "b", "c"]
    assert _names(await world.ok("GET", CONFIG_MAPS, query={"resourceVersion": "2"})) == ["a", "b", "c"]
    # storage.ValidateListOptions: with a limit the legacy meaning is exact
    assert _names(await world.ok("GET", CONFIG_MAPS, query={"resourceVersion": "2", "limit": 9})) == ["a", "b"]
    # cacher computeListLimit: a list at version 0 is not cut
    assert len(_names(await world.ok("GET", CONFIG_MAPS, query={"resourceVersion": "0", "limit": 1}))) == 3
    for match in ({}, {"resourceVersionMatch": "NotOlderThan"}, {"resourceVersionMatch": "Exact"}):
        status = await world.refused(504, "GET", CONFIG_MAPS, query={"resourceVersion": "9", **match})
        assert status["message"] == "Timeout: Too large resource version: 9, current: 3"
    await world.store.compact(3)
    status = await world.refused(410, "GET", CONFIG_MAPS, query=exact)
    assert status["message"] == "The resourceVersion for the provided list is too old."


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            {"resourceVersionMatch": "Exact"},
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
        ),
        (
            {"resourceVersionMatch": "Exact", "resourceVersion": "0"},
            'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
        ),
        (
            {"resourceVersionMatch": "Near", "resourceVersion": "1"},
            'resourceVersionMatch: Unsupported value: "Near": supported values: "Exact", "NotOlderThan", ""',
        ),
        (
            {"resourceVersionMatch": "NotOlderThan", "resourceVersion": "1", "continue": "x"},
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided",
        ),
        ({"sendInitialEvents": "1"}, "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"),
    ],
)
async def test_options_that_do_not_go_together(world: World, query: dict[str, str], message: str) -> None:
    # meta/internalversion/validation ValidateListOptions
    status = await world.refused(422, "GET", CONFIG_MAPS, query=query)
    assert status["message"] == f'ListOptions.meta.k8s.io "" is invalid: {message}'


async def test_malformed_numbers(world: World) -> None:
    status = await world.refused(400, "GET", CONFIG_MAPS, query={"limit": "abc"})
    assert status["message"] == 'strconv.ParseInt: parsing "abc": invalid syntax'
    status = await world.refused(400, "GET", CONFIG_MAPS, query={"timeoutSeconds": "9" * 5000})
    assert status["message"].endswith("value out of range")


async def test_field_selectors(world: World) -> None:
    await world.ok("POST", PODS, pod("a", nodeName="n1"))
    await world.ok("POST", PODS, pod("b"))
    assert _names(await world.ok("GET", PODS, query={"fieldSelector": "spec.nodeName=n1"})) == ["a"]
    assert _names(await world.ok("GET", PODS, query={"fieldSelector": "spec.nodeName!=n1"})) == ["b"]
    assert _names(await world.ok("GET", PODS, query={"fieldSelector": "metadata.name=b"})) == ["b"]
    assert _names(await world.ok("GET", PODS, query={"fieldSelector": "metadata.name=b,spec.nodeName=n1"})) == []
    assert _names(await world.ok("GET", "/api/v1/pods", query={"fieldSelector": "metadata.namespace=default"})) != []


async def test_field_selectors_that_are_not_supported(world: World) -> None:
    status = await world.refused(400, "GET", PODS, query={"fieldSelector": "spec.x=1"})
    assert status["message"] == "field label not supported: spec.x"
    # runtime.DefaultMetaV1FieldSelectorConversion
    status = await world.refused(400, "GET", CONFIG_MAPS, query={"fieldSelector": "data=1"})
    assert status["message"] == ('"data" is not a known field selector: only "metadata.name", "metadata.namespace"')
    status = await world.refused(400, "GET", PODS, query={"labelSelector": "a in"})
    assert status["message"].startswith("unable to parse requirement: ")


async def test_selection_of_records_read_back_from_disk(world: World) -> None:
    await world.ok("POST", PODS, pod("a", {"app": "web"}))
    record = await world.store.get("/registry/pods/default/a")
    assert record is not None
    record.facts = None
    assert _names(await world.ok("GET", PODS, query={"labelSelector": "app=web"})) == ["a"]


async def test_tables_and_metadata_only(world: World) -> None:
    await world.ok("POST", PODS, pod("a"))
    table = await world.ok("GET", PODS, headers={"accept": TABLE})
    assert (table["kind"], [row["cells"] for row in table["rows"]]) == ("Table", [["a", ""]])
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    single = await world.ok("GET", f"{PODS}/a", headers={"accept": TABLE}, query={"includeObject": "Object"})
    assert single["rows"][0]["object"]["kind"] == "Pod"
    accept = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
    partial = await world.ok("GET", PODS, headers={"accept": accept})
    assert (partial["kind"], partial["items"][0]["metadata"]["name"]) == ("PartialObjectMetadataList", "a")
    status = await world.refused(406, "GET", f"{PODS}/a", headers={"accept": accept})
    assert status["reason"] == "NotAcceptable"
    await world.refused(400, "GET", PODS, headers={"accept": TABLE}, query={"includeObject": "All"})


async def test_what_is_accepted(world: World) -> None:
    await world.ok("POST", PODS, pod("a"))
    status = await world.refused(406, "GET", f"{PODS}/a", headers={"accept": "application/cbor"})
    assert status["message"].startswith("only the following media types are accepted: ")
    await world.ok("GET", f"{PODS}/a", headers={"accept": "application/cbor,application/json"})
    response = await world.ask("GET", PODS, headers={"accept": "application/yaml"})
    assert response.content_type == "application/yaml"
    assert isinstance(response.body, bytes)
    assert b"kind: PodList" in response.body
    response = await world.ask("GET", f"{PODS}/a", headers={"user-agent": "curl/8"})
    assert isinstance(response.body, bytes)
    assert b'\n  "kind": "Pod"' in response.body


async def test_another_version_of_the_same_shape(world: World) -> None:
    bundles = "/apis/certificates.k8s.io/{}/clustertrustbundles"
    body = {"apiVersion": "certificates.k8s.io/v1beta1", "metadata": {"name": "a"}, "spec": {"trustBundle": "x"}}
    made = await world.ok("POST", bundles.format("v1beta1"), body)
    assert made["apiVersion"] == "certificates.k8s.io/v1beta1"
    got = await world.ok("GET", bundles.format("v1") + "/a")
    assert got == {**made, "apiVersion": "certificates.k8s.io/v1"}
    listed = await world.ok("GET", bundles.format("v1beta1"))
    assert (listed["apiVersion"], _names(listed)) == ("certificates.k8s.io/v1beta1", ["a"])


async def test_another_version_of_another_shape(world: World) -> None:
    scalers = "/apis/autoscaling/{}/namespaces/default/horizontalpodautoscalers"
    target = {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"}
    body = {"metadata": {"name": "a"}, "spec": {"maxReplicas": 3, "scaleTargetRef": target}}
    made = await world.ok("POST", scalers.format("v1"), body)
    assert (made["apiVersion"], made["spec"]["targetCPUUtilizationPercentage"]) == ("autoscaling/v1", 80)
    stored = await world.ok("GET", scalers.format("v2") + "/a")
    assert "targetCPUUtilizationPercentage" not in stored["spec"]
    item = (await world.ok("GET", scalers.format("v1")))["items"][0]
    assert item["spec"]["targetCPUUtilizationPercentage"] == 80
    assert item["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"] == "1"


@pytest.mark.parametrize(
    ("code", "method", "path"),
    [
        (404, "GET", "/api/v1/things"),
        (404, "GET", "/api/v2/pods"),
        (404, "GET", "/apis//v1/pods"),
        (404, "GET", "/api/v1/pods/web"),
        (404, "GET", "/api/v1/namespaces/default/nodes/x"),
        (404, "GET", f"{PODS}/web/unknown"),
        (404, "GET", f"{PODS}/web/status/more"),
        (405, "POST", "/api/v1/pods"),
        (405, "DELETE", "/api/v1/pods"),
        (405, "PUT", PODS),
        (405, "PATCH", PODS),
        (405, "POST", f"{PODS}/web"),
        (405, "POST", f"{PODS}/web/status"),
        (405, "DELETE", "/api/v1/namespaces/default/secrets/x"),
        (405, "POST", "/api/v1/watch/pods"),
        (405, "OPTIONS", PODS),
        (501, "GET", f"{PODS}/web/log"),
        (405, "GET", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
    ],
)
async def test_paths_and_verbs_there_are_not(world: World, code: int, method: str, path: str) -> None:
    await world.refused(code, method, path)


async def test_a_question_nobody_answers_is_not_implemented(world: World) -> None:
    world.api.special.clear()
    await world.refused(501, "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")


async def test_namespaces_are_found_by_their_own_path(world: World) -> None:
    await world.ok("POST", NAMESPACES, {"metadata": {"name": "dev"}})
    assert (await world.ok("GET", f"{NAMESPACES}/dev"))["status"] == {"phase": "Active"}
    assert (await world.ok("GET", f"{NAMESPACES}/dev/status"))["metadata"]["name"] == "dev"
    assert deployment()["kind"] == "Deployment"


async def test_a_kind_that_is_a_view_of_anothers_storage(world: World) -> None:
    old, new = "/api/v1/namespaces/default/events", "/apis/events.k8s.io/v1/namespaces/default/events"
    body = {"metadata": {"name": "a"}, "reason": "Started", "message": "hello", "involvedObject": {"name": "web"}}
    await world.ok("POST", old, body)
    seen = await world.ok("GET", f"{new}/a")
    assert (seen["apiVersion"], seen["note"], seen["regarding"]) == ("events.k8s.io/v1", "hello", {"name": "web"})
    await world.ok("POST", new, {"metadata": {"name": "b"}, "note": "bye", "eventTime": None})
    listed = await world.ok("GET", old)
    assert [(item["metadata"]["name"], item["message"]) for item in listed["items"]] == [("a", "hello"), ("b", "bye")]
    assert _names(await world.ok("GET", old, query={"fieldSelector": "reason="})) == ["b"]
    await world.refused(400, "GET", new, query={"fieldSelector": "reason="})

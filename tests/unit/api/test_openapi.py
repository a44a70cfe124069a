"""OpenAPI documents: kubernetes `api/openapi-spec`, and what kubectl looks for in them."""

from __future__ import annotations

from urllib.parse import urlsplit

import orjson
import pytest

from tiphys.api.openapi_v2 import OpenApiV2
from tiphys.api.openapi_v3 import OpenApiV3
from tiphys.base.http import Request
from tiphys.base.status import StatusError

POD = "io.k8s.api.core.v1.Pod"
META = "io.k8s.apimachinery.pkg.apis.meta.v1"


async def ask(served, url, **headers):
    parts = urlsplit(url)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await served.respond(Request("GET", parts.path, parts.query, named))


@pytest.fixture
async def core(catalog):
    response = await ask(OpenApiV3(catalog), "/openapi/v3/api/v1")
    return orjson.loads(response.body)


@pytest.fixture
async def swagger(catalog):
    return orjson.loads((await ask(OpenApiV2(catalog), "/openapi/v2")).body)


async def test_the_index_leads_to_documents_that_may_be_kept(catalog):
    served = OpenApiV3(catalog)
    paths = orjson.loads((await ask(served, "/openapi/v3")).body)["paths"]
    assert set(paths) == {
        "api/v1", "apis/apps/v1", "apis/authorization.k8s.io/v1", "apis/autoscaling/v1", "apis/autoscaling/v2"
    }  # fmt: skip
    url = paths["apis/apps/v1"]["serverRelativeURL"]
    response = await ask(served, url)
    headers = dict(response.headers)
    assert response.status == 200 and headers["cache-control"] == "public, immutable"
    assert (await ask(served, url, if_none_match=headers["etag"])).status == 304
    moved = await ask(served, "/openapi/v3/apis/apps/v1?hash=OLD")
    assert (moved.status, moved.headers) == (301, [("location", url)])
    plain = await ask(served, "/openapi/v3/apis/apps/v1")
    assert plain.status == 200 and "cache-control" not in dict(plain.headers)


async def test_what_is_not_served_is_not_found(catalog):
    served = OpenApiV3(catalog)
    assert await ask(served, "/openapi/v3/apis/nope/v1") is None
    assert await ask(served, "/openapi/v3x") is None
    assert await ask(OpenApiV2(catalog), "/openapi/v2/") is None


def operations(document, method, kind):
    """Those of one method whose group, version, kind is about `kind`, as kubectl's verifier finds them."""
    return [
        item[method]
        for item in document["paths"].values()
        if method in item and item[method]["x-kubernetes-group-version-kind"]["kind"] == kind
    ]


async def test_dry_run_and_field_validation_can_be_found(core, swagger):
    patches = operations(core, "patch", "Pod") + operations(swagger, "patch", "Pod")
    assert len(patches) == 4, "the object and its status, in each"
    for operation in patches:
        names = {parameter["name"] for parameter in operation["parameters"]}
        assert {"dryRun", "fieldManager", "fieldValidation", "force"} <= names


async def test_paths_have_upstreams_verbs_and_names(core):
    paths = core["paths"]
    item = paths["/api/v1/namespaces/{namespace}/pods/{name}"]
    assert set(item) == {"delete", "get", "patch", "put", "parameters"}
    assert item["get"]["operationId"] == "readCoreV1NamespacedPod"
    assert item["put"]["operationId"] == "replaceCoreV1NamespacedPod"
    assert {parameter["name"] for parameter in item["parameters"]} == {"name", "namespace", "pretty"}
    collection = paths["/api/v1/namespaces/{namespace}/pods"]
    assert collection["post"]["operationId"] == "createCoreV1NamespacedPod"
    assert collection["get"]["x-kubernetes-action"] == "list"
    assert collection["delete"]["x-kubernetes-action"] == "deletecollection"
    assert paths["/api/v1/pods"]["get"]["operationId"] == "listCoreV1PodForAllNamespaces"
    assert set(paths["/api/v1/namespaces/{name}"]) == {"delete", "get", "patch", "put", "parameters"}
    eviction = paths["/api/v1/namespaces/{namespace}/pods/{name}/eviction"]["post"]
    assert eviction["x-kubernetes-group-version-kind"] == {"group": "policy", "version": "v1", "kind": "Eviction"}


async def test_every_reference_leads_somewhere(core, swagger):
    for document, prefix, place in (
        (core, "#/components/schemas/", core["components"]["schemas"]),
        (swagger, "#/definitions/", swagger["definitions"]),
    ):
        text = orjson.dumps(document).decode()
        names = {piece.split('"')[0] for piece in text.split(f'"$ref":"{prefix}')[1:]}
        assert names and names <= set(place)
        assert text.count('"$ref":"') == text.count(f'"$ref":"{prefix}')


async def test_v3_schemas_are_upstreams(core):
    schemas = core["components"]["schemas"]
    pod = schemas[POD]
    assert pod["type"] == "object"
    assert pod["properties"]["kind"]["type"] == "string" and "enum" not in pod["properties"]["kind"]
    assert pod["properties"]["spec"]["allOf"] == [{"$ref": "#/components/schemas/io.k8s.api.core.v1.PodSpec"}]
    assert pod["x-kubernetes-group-version-kind"] == [{"group": "", "kind": "Pod", "version": "v1"}]
    quantity = schemas["io.k8s.apimachinery.pkg.api.resource.Quantity"]
    assert quantity == {"oneOf": [{"type": "string"}, {"type": "number"}]}
    assert f"{META}.Status" in schemas and "io.k8s.api.apps.v1.Deployment" not in schemas


async def test_v2_schemas_are_upstreams(swagger):
    definitions = swagger["definitions"]
    assert definitions[POD]["properties"]["spec"]["$ref"] == "#/definitions/io.k8s.api.core.v1.PodSpec"
    assert definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"] == {"type": "string"}
    port = definitions["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]
    assert port == {"type": "string", "format": "int-or-string"}
    containers = definitions["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"]
    assert containers["x-kubernetes-patch-merge-key"] == "name" and containers["type"] == "array"
    assert '"null"' not in orjson.dumps(swagger).decode()


async def test_v2_comes_as_protobuf_to_those_who_ask(catalog):
    served = OpenApiV2(catalog)
    old = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    response = await ask(served, "/openapi/v2", accept=f"{old}, */*")
    assert response.content_type == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    assert response.body.startswith(b"\x0a\x032.0")
    assert (await ask(served, "/openapi/v2", accept="*/*")).content_type == "application/json"
    assert (await ask(served, "/openapi/v2", accept=old)).body is response.body, "made once"


@pytest.mark.parametrize("served", [OpenApiV2, OpenApiV3])
async def test_other_forms_are_refused(catalog, served):
    with pytest.raises(StatusError) as refused:
        await ask(served(catalog), "/openapi/v2" if served is OpenApiV2 else "/openapi/v3", accept="text/html")
    assert refused.value.code == 406

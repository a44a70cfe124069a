"""Discovery: kubernetes `api/discovery/*.json` and apiserver `endpoints/discovery`."""

from __future__ import annotations

from hashlib import sha512

import orjson
import pytest

from tiphys.api.discovery import Discovery
from tiphys.api.group_order import sorted_groups, sorted_versions
from tiphys.base.http import Request
from tiphys.base.status import StatusError

AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
)
ALL = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]


@pytest.fixture
def discovery(catalog):
    return Discovery(catalog, "10.0.0.1:6443")


async def ask(discovery, path, accept="", **headers):
    headers = {"accept": accept, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await discovery.respond(Request("GET", path, "", headers))


async def get(discovery, path, accept=""):
    response = await ask(discovery, path, accept)
    assert response.status == 200
    return orjson.loads(response.body)


async def test_core_versions(discovery):
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": "10.0.0.1:6443"}]
    expected = {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}
    assert await get(discovery, "/api") == expected == await get(discovery, "/api/")


async def test_groups_come_by_priority_and_versions_by_stability(discovery):
    document = await get(discovery, "/apis")
    assert (document["kind"], document["apiVersion"]) == ("APIGroupList", "v1")
    assert [group["name"] for group in document["groups"]] == ["apps", "authorization.k8s.io", "autoscaling"]
    assert document["groups"][2]["versions"] == [
        {"groupVersion": "autoscaling/v2", "version": "v2"},
        {"groupVersion": "autoscaling/v1", "version": "v1"},
    ]
    group = await get(discovery, "/apis/autoscaling")
    assert group == {"kind": "APIGroup", "apiVersion": "v1", **document["groups"][2]}
    assert group["preferredVersion"] == {"groupVersion": "autoscaling/v2", "version": "v2"}


async def test_resources_of_the_core_group(discovery):
    document = await get(discovery, "/api/v1")
    assert document["kind"] == "APIResourceList" and "apiVersion" not in document
    assert document["groupVersion"] == "v1"
    names = [resource["name"] for resource in document["resources"]]
    assert names == [
        "namespaces", "namespaces/status", "pods", "pods/binding", "pods/eviction", "pods/log", "pods/status"
    ]  # fmt: skip
    found = {resource["name"]: resource for resource in document["resources"]}
    # the hash of pods is the one every cluster has (kubernetes api/discovery/api__v1.json)
    assert found["pods"] == {
        "name": "pods",
        "singularName": "pod",
        "namespaced": True,
        "kind": "Pod",
        "verbs": ALL,
        "shortNames": ["po"],
        "categories": ["all"],
        "storageVersionHash": "xPOwRZ+Yhw8=",
    }
    assert found["pods/eviction"] == {
        "name": "pods/eviction",
        "singularName": "",
        "namespaced": True,
        "group": "policy",
        "version": "v1",
        "kind": "Eviction",
        "verbs": ["create"],
    }
    assert found["pods/binding"]["kind"] == "Binding" and "version" not in found["pods/binding"]


async def test_resources_of_a_named_group(discovery):
    document = await get(discovery, "/apis/apps/v1")
    assert document["apiVersion"] == "v1" and document["groupVersion"] == "apps/v1"
    assert document["resources"][1]["name"] == "deployments/scale"
    assert document["resources"][1]["kind"] == "Scale" and document["resources"][1]["group"] == "autoscaling"
    (review,) = (await get(discovery, "/apis/authorization.k8s.io/v1"))["resources"]
    assert "storageVersionHash" not in review and review["verbs"] == ["create"]


async def test_everything_at_once(discovery):
    response = await ask(discovery, "/apis", AGGREGATED)
    assert response.content_type == "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    document = orjson.loads(response.body)
    assert (document["kind"], document["apiVersion"]) == ("APIGroupDiscoveryList", "apidiscovery.k8s.io/v2")
    apps = document["items"][0]
    assert apps["metadata"]["name"] == "apps"
    (version,) = apps["versions"]
    assert (version["version"], version["freshness"]) == ("v1", "Current")
    assert version["resources"] == [
        {
            "resource": "deployments",
            "responseKind": {"group": "", "version": "", "kind": "Deployment"},
            "scope": "Namespaced",
            "singularResource": "deployment",
            "verbs": ALL,
            "shortNames": ["deploy"],
            "subresources": [
                {
                    "subresource": "scale",
                    "responseKind": {"group": "autoscaling", "version": "v1", "kind": "Scale"},
                    "verbs": ["get", "patch", "update"],
                },
                {
                    "subresource": "status",
                    "responseKind": {"group": "", "version": "", "kind": "Deployment"},
                    "verbs": ["get", "patch", "update"],
                },
            ],
        }
    ]
    core = await get(discovery, "/api", AGGREGATED)
    assert [item["metadata"] for item in core["items"]] == [{}]


async def test_the_aggregated_form_came_in_1_27_and_its_v2_in_1_30(catalog_of):
    for minor, kind, version in ((26, "APIGroupList", "v1"), (28, "APIGroupDiscoveryList", "v2beta1")):
        document = await get(Discovery(catalog_of(minor)), "/apis", AGGREGATED)
        assert document["kind"] == kind and document["apiVersion"].endswith(version)


async def test_a_client_that_has_it_is_told_only_that(discovery):
    first = await ask(discovery, "/apis", AGGREGATED)
    headers = dict(first.headers)
    assert headers["vary"] == "Accept" and headers["cache-control"] == "public"
    assert headers["etag"] == f'"{sha512(first.body).hexdigest().upper()}"'
    again = await ask(discovery, "/apis", AGGREGATED, if_none_match=headers["etag"])
    assert (again.status, again.body) == (304, b"")


async def test_what_is_not_served_is_somebody_elses(discovery):
    for path in ("/apis/nope", "/apis/apps/v9", "/api/v2", "/apisx", "/version"):
        assert await ask(discovery, path) is None


async def test_discovery_is_for_reading(discovery):
    with pytest.raises(StatusError) as refused:
        await discovery.respond(Request("POST", "/apis"))
    assert refused.value.code == 405
    with pytest.raises(StatusError) as refused:
        await ask(discovery, "/api/v1", "text/html")
    assert refused.value.code == 406


async def test_it_can_be_made_anew(discovery):
    before = await ask(discovery, "/apis/apps/v1")
    discovery.refresh()
    assert (await ask(discovery, "/apis/apps/v1")).body == before.body


def test_versions_in_order():
    # apimachinery version/helpers_test.go
    versions = ["v10beta3", "v1", "v11alpha2", "foo1", "v3beta1", "v12alpha1", "v2", "v11beta2", "foo10", "v10"]
    assert sorted_versions(versions) == [
        "v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1", "v12alpha1", "v11alpha2", "foo1", "foo10"
    ]  # fmt: skip


def test_groups_in_order():
    groups = ["example.com", "batch", "", "admissionregistration.k8s.io", "apiextensions.k8s.io", "a.io", "apps"]
    assert sorted_groups(groups) == [
        "", "apps", "batch", "admissionregistration.k8s.io", "apiextensions.k8s.io", "a.io", "example.com"
    ]  # fmt: skip

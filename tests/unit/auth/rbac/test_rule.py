"""What a rule allows: upstream's documentation (kubernetes.io, "Using RBAC Authorization") and `rbac_test.go`."""

from __future__ import annotations

import pytest

from tiphys.api.request_info import read_request_info
from tiphys.auth.rbac.rule import compiled, url_covers


def rule(verbs: str, groups: str = "", resources: str = "", names: str = "", urls: str = "") -> dict:
    """Words to lists; `core` is the empty group."""
    document = {
        "verbs": verbs.split(),
        "apiGroups": ["" if group == "core" else group for group in groups.split()],
        "resources": resources.split(),
        "resourceNames": names.split(),
        "nonResourceURLs": urls.split(),
    }
    return {key: value for key, value in document.items() if value}


POD = "/api/v1/namespaces/erp/pods"
WEB = "/apis/apps/v1/namespaces/erp/deployments/web"

ALLOWED = [
    (rule("get", "core", "pods"), "GET", f"{POD}/a", ""),
    (rule("get", "core", "pods"), "HEAD", f"{POD}/a", ""),
    (rule("list", "core", "pods"), "GET", POD, ""),
    (rule("list", "core", "pods"), "GET", POD + "/", ""),
    (rule("watch", "core", "pods"), "GET", POD, "watch=1"),
    (rule("watch", "core", "pods"), "GET", "/api/v1/watch/namespaces/erp/pods", ""),
    (rule("deletecollection", "core", "pods"), "DELETE", POD, ""),
    (rule("*", "*", "*"), "POST", POD, ""),
    (rule("*", "*", "*"), "GET", f"{POD}/a/log", ""),
    (rule("get", "core", "pods/log"), "GET", f"{POD}/a/log", ""),
    (rule("update", "*", "*/scale"), "PUT", f"{WEB}/scale", ""),
    (rule("get", "core apps", "deployments"), "GET", WEB, ""),
    (rule("get", "core", "pods", "a b"), "GET", f"{POD}/b", ""),
    (rule("list", "core", "pods", "a"), "GET", POD, "fieldSelector=metadata.name%3Da"),
    (rule("list", "core", "pods", "a"), "GET", POD, "fieldSelector=metadata.name==a,spec.nodeName=n"),
    (rule("watch", "core", "pods", "a"), "GET", POD, "watch=true&fieldSelector=metadata.name=a"),
    (rule("get", "core", "namespaces"), "GET", "/api/v1/namespaces/erp", ""),
    (rule("get", urls="/healthz /metrics"), "GET", "/metrics", ""),
    (rule("get", urls="/healthz/*"), "GET", "/healthz/etcd", ""),
    (rule("get", urls="*"), "GET", "/anything", ""),
    (rule("get", urls="/a**"), "GET", "/apple", ""),
]
REFUSED = [
    (rule("get", "core", "pods"), "GET", POD, ""),  # list
    (rule("get", "core", "pods"), "GET", f"{POD}/a/log", ""),  # a subresource is a resource of its own
    (rule("get", "core", "pods/log"), "GET", f"{POD}/a", ""),
    (rule("get", "core", "pods/*"), "GET", f"{POD}/a/log", ""),  # no such pattern
    (rule("get", "core", "pods/*"), "GET", f"{POD}/a", ""),
    (rule("*", "*", "*/scale"), "PUT", WEB, ""),
    (rule("*", "*", "*/scale"), "GET", f"{WEB}/status", ""),
    (rule("*", "*", "*/cale"), "GET", f"{WEB}/scale", ""),
    (rule("get", "core", "deployments"), "GET", WEB, ""),  # another group
    (rule("get", "apps/v1", "deployments"), "GET", WEB, ""),  # a version is no part of a group
    (rule("get", "core", "Pods"), "GET", f"{POD}/a", ""),  # case counts
    (rule("GET", "core", "pods"), "GET", f"{POD}/a", ""),
    (rule("create", "core", "pods", "a"), "POST", POD, ""),  # the name is not known yet
    (rule("deletecollection", "core", "pods", "a"), "DELETE", POD, ""),
    (rule("deletecollection", "core", "pods", "a"), "DELETE", POD, "fieldSelector=metadata.name=a"),
    (rule("list", "core", "pods", "a"), "GET", POD, ""),
    (rule("list", "core", "pods", "a"), "GET", POD, "fieldSelector=metadata.name!=a"),
    (rule("list", "core", "pods", "a"), "GET", POD, "fieldSelector=spec.nodeName!=x\\,metadata.name=a"),
    (rule("list", "core", "pods", "a"), "GET", POD, "fieldSelector=metadata.name=b&fieldSelector=metadata.name=a"),
    (rule("list", "core", "pods", "a"), "GET", POD, "labelSelector=metadata.name=a"),
    (rule("watch", "core", "pods", "a"), "GET", "/api/v1/watch/namespaces/erp/pods", "fieldSelector=metadata.name=a"),
    (rule("get", "core", "pods"), "OPTIONS", f"{POD}/a", ""),
    (rule("get", urls="/healthz"), "GET", "/healthz/", ""),
    (rule("get", urls="/healthz"), "POST", "/healthz", ""),
    (rule("get", urls="/healthz/*"), "GET", "/healthz", ""),
    (rule("get", urls="/*/pods"), "GET", "/api/pods", ""),  # only a trailing star counts
    (rule("*", urls="*"), "GET", POD, ""),  # a resource is no URL
    (rule("*", "*", "*"), "GET", "/healthz", ""),
    ({"verbs": None, "apiGroups": None, "resources": None}, "GET", POD, ""),
]


@pytest.mark.parametrize(("document", "method", "path", "query"), ALLOWED)
def test_allowed(document, method, path, query):
    assert compiled(document).allows(read_request_info(method, path, query))


@pytest.mark.parametrize(("document", "method", "path", "query"), REFUSED)
def test_refused(document, method, path, query):
    assert not compiled(document).allows(read_request_info(method, path, query))


def test_a_url_covers_what_it_begins():
    assert url_covers("/api/*", "/api/v1") and url_covers("/api/*", "/api/*")
    assert not url_covers("/api/*", "/api") and not url_covers("/api", "/api/")

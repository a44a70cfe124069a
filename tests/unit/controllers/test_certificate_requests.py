"""Signing, approving and removing CertificateSigningRequests
(k/k `pkg/controller/certificates/*/*_test.go`, `pkg/apis/certificates/helpers_test.go`)."""

from __future__ import annotations

import base64
import time
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509

from tiphys.base.clock import rfc3339
from tiphys.controllers.csr_approving import _ways
from tiphys.controllers.csr_cleaner import reason_to_remove
from tiphys.controllers.csr_signing import _SIGNERS
from tiphys.controllers.kubelet_certificate import client_problem, serving_problem
from tiphys.pki.authority import Authority
from tiphys.pki.certificate_request import CertificateRequest, process
from tiphys.pki.signing_policy import parse_request, sign
from tiphys.pki.subject import NamePart

NOW = 1_800_000_000.0
CLIENT_USAGES = ["digital signature", "key encipherment", "client auth"]
SERVING_USAGES = ["digital signature", "key encipherment", "server auth"]
NODE, NODES = "system:node:a", "system:nodes"


def pem(name: str = NODE, *organizations: str, hosts: tuple[str, ...] = ()) -> bytes:
    return process(CertificateRequest(name, [NamePart(O=each) for each in organizations], hosts))[1]


def asked(name: str = NODE, *organizations: str, hosts: tuple[str, ...] = ()) -> x509.CertificateSigningRequest:
    return parse_request(pem(name, *organizations, hosts=hosts))


@pytest.mark.parametrize(
    ("request_", "usages", "problem"),
    [
        (asked(NODE, NODES), CLIENT_USAGES, ""),
        (asked(NODE, NODES), ["digital signature", "client auth"], ""),
        (
            asked(NODE, NODES),
            [*CLIENT_USAGES, "server auth"],
            "usages did not match [client auth digital signature key enc",
        ),
        (asked(NODE), CLIENT_USAGES, "subject organization is not system:nodes"),
        (asked(NODE, NODES, "x"), CLIENT_USAGES, "subject organization is not system:nodes"),
        (asked("a", NODES), CLIENT_USAGES, "subject common name does not begin with system:node:"),
        (asked(NODE, NODES, hosts=("a.b",)), CLIENT_USAGES, "DNS subjectAltNames are not allowed"),
        (asked(NODE, NODES, hosts=("1.2.3.4",)), CLIENT_USAGES, "IP subjectAltNames are not allowed"),
        (asked(NODE, NODES, hosts=("a@b.c",)), CLIENT_USAGES, "Email subjectAltNames are not allowed"),
        (asked(NODE, NODES, hosts=("https://a",)), CLIENT_USAGES, "URI subjectAltNames are not allowed"),
    ],
)
def test_a_kubelets_client_certificate(
    request_: x509.CertificateSigningRequest, usages: list[str], problem: str
) -> None:
    found = client_problem(request_, usages)
    assert found.startswith(problem) and bool(found) == bool(problem)


@pytest.mark.parametrize(
    ("request_", "usages", "problem"),
    [
        (asked(NODE, NODES, hosts=("a.b", "1.2.3.4")), SERVING_USAGES, ""),
        (asked(NODE, NODES), SERVING_USAGES, "DNS or IP subjectAltName is required"),
        (asked(NODE, NODES, hosts=("a.b", "a@b.c")), SERVING_USAGES, "Email subjectAltNames are not allowed"),
        (
            asked(NODE, NODES, hosts=("a.b",)),
            CLIENT_USAGES,
            "usages did not match [digital signature key encipherment ser",
        ),
    ],
)
def test_a_kubelets_serving_certificate(
    request_: x509.CertificateSigningRequest, usages: list[str], problem: str
) -> None:
    found = serving_problem(request_, usages)
    assert found.startswith(problem) and bool(found) == bool(problem)


@pytest.mark.parametrize(
    ("usages", "problem"),
    [
        (["client auth"], ""),
        (["server auth", "client auth"], "invalid usage for client certificate: server auth"),
        (["digital signature"], "missing required usage for client certificate: client auth"),
    ],
)
def test_a_client_certificate(usages: list[str], problem: str) -> None:
    assert _SIGNERS["kubernetes.io/kube-apiserver-client"](asked(), usages) == problem


@pytest.mark.parametrize(
    ("username", "signer", "ways"),
    [
        (NODE, "kubernetes.io/kube-apiserver-client-kubelet", ["selfnodeclient", "nodeclient"]),
        ("system:bootstrap:abc", "kubernetes.io/kube-apiserver-client-kubelet", ["nodeclient"]),
        (NODE, "kubernetes.io/kube-apiserver-client", []),
    ],
)
def test_which_permission_lets_a_node_in(username: str, signer: str, ways: list[str]) -> None:
    spec = {"username": username, "signerName": signer, "usages": CLIENT_USAGES}
    request = {"spec": {**spec, "request": base64.b64encode(pem(NODE, NODES)).decode()}}
    assert [way.subresource for way in _ways(request)] == ways


def settled(kind: str, age: float, certificate: bytes = b"") -> dict[str, Any]:
    condition = {"type": kind, "status": "True", "lastUpdateTime": rfc3339(NOW - age)}
    status: dict[str, Any] = {"conditions": [condition]}
    if certificate:
        status["certificate"] = base64.b64encode(certificate).decode()
    return {"metadata": {"creationTimestamp": rfc3339(NOW - age)}, "status": status}


def issued(lasts: timedelta, at: float) -> bytes:
    return sign(Authority.create("ca", time.time()).pair, pem(), ["client auth"], lasts, at)


HOUR, LONG = 3600.0, issued(timedelta(days=30), NOW - 600)


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ({"metadata": {"creationTimestamp": rfc3339(NOW - 25 * HOUR)}}, "unhandled"),
        ({"metadata": {"creationTimestamp": rfc3339(NOW - 23 * HOUR)}}, ""),
        (settled("Denied", HOUR + 60), "denied"),
        (settled("Denied", HOUR - 60), ""),
        (settled("Failed", HOUR + 60), "failed"),
        (settled("Approved", HOUR + 60), ""),
        (settled("Approved", HOUR + 60, LONG), "approved"),
        (settled("Approved", HOUR - 60, LONG), ""),
        (settled("Approved", 60, issued(timedelta(minutes=10), NOW - 1200)), "expired"),
        (settled("Approved", 60, b"junk"), ""),
    ],
)
def test_what_is_removed(request_: dict[str, Any], why: str) -> None:
    found = reason_to_remove(request_, NOW)
    assert why in found and bool(found) == bool(why)

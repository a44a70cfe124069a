"""Upstream: SetDefaults_Service, pkg/registry/core/service, ValidateService*, printService."""

import copy

import pytest
from tests.unit.kinds.hooks import cells, context, create_errors, defaulted, texts, update_errors

from tiphys.base.document import Document
from tiphys.kinds.core.service import KIND


def service(*ports: Document, **spec: object) -> Document:
    return {"metadata": {"name": "s"}, "spec": {"ports": list(ports or ({"port": 80},)), **spec}}


def test_defaults() -> None:
    made = defaulted(KIND, service({"port": 80}, {"port": 53, "protocol": "UDP", "targetPort": "dns"}))
    assert made["spec"] == {
        "type": "ClusterIP",
        "sessionAffinity": "None",
        "internalTrafficPolicy": "Cluster",
        "ports": [
            {"port": 80, "protocol": "TCP", "targetPort": 80},
            {"port": 53, "protocol": "UDP", "targetPort": "dns"},
        ],
    }
    assert made["status"] == {"loadBalancer": {}}


def test_defaults_of_a_balanced_and_sticky_one() -> None:
    spec = defaulted(KIND, service(type="LoadBalancer", sessionAffinity="ClientIP"))["spec"]
    assert spec["externalTrafficPolicy"] == "Cluster" and spec["allocateLoadBalancerNodePorts"] is True
    assert spec["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}


@pytest.mark.parametrize(
    "spec, policy, families",
    [
        ({}, "SingleStack", ["IPv4"]),
        ({"ipFamilyPolicy": "PreferDualStack"}, "PreferDualStack", ["IPv4"]),
        ({"clusterIP": "None", "selector": {"a": "b"}}, "SingleStack", ["IPv4"]),
        ({"clusterIP": "None"}, "RequireDualStack", ["IPv4", "IPv6"]),
        ({"type": "ExternalName", "externalName": "a.b"}, None, None),
    ],
)
def test_families_of_an_ipv4_cluster(spec: Document, policy: str | None, families: list[str] | None) -> None:
    """Upstream: initIPFamilyFields of the allocator, single stack."""
    document = defaulted(KIND, service(**spec))
    assert KIND.prepare_create
    KIND.prepare_create(document, context())
    assert (document["spec"].get("ipFamilyPolicy"), document["spec"].get("ipFamilies")) == (policy, families)


HEADLESS: Document = {"clusterIP": "None", "clusterIPs": ["None"]}


@pytest.mark.parametrize(
    "document, errors",
    [
        (service(), []),
        ({"metadata": {}, "spec": {}}, ["spec.ports: Required value"]),
        ({"metadata": {}, "spec": {"clusterIP": "None"}}, []),
        (service({"port": 1}, {"port": 2, "name": "b"}), ["spec.ports[0].name: Required value"]),
        (
            service({"port": 1, "name": "a"}, {"port": 1, "name": "a"}),
            [
                'spec.ports[1].name: Duplicate value: "a"',
                'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":1,'
                '"TargetPort":0,"NodePort":0}',
            ],
        ),
        (
            service({"port": 70000}),
            [
                "spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive",
                "spec.ports[0].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
            ],
        ),
        (
            service({"port": 80, "protocol": "ICMP"}),
            ['spec.ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"'],
        ),
        (
            service(type="Magic"),
            [
                'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", '
                '"LoadBalancer", "NodePort"'
            ],
        ),
        (
            service({"port": 80, "nodePort": 30080}),
            ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
        ),
        (service({"port": 80, "nodePort": 30080}, type="NodePort"), []),
        (
            service(type="NodePort", **HEADLESS),
            ["spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services"],
        ),
        ({"metadata": {}, "spec": {"type": "ExternalName"}}, ["spec.externalName: Required value"]),
        (
            service(sessionAffinity="Old"),
            ['spec.sessionAffinity: Unsupported value: "Old": supported values: "ClientIP", "None"'],
        ),
        (
            service(sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 0}}),
            [
                "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than 0 and "
                "less than 86400"
            ],
        ),
        (
            service(clusterIP="10.0.0.300"),
            [
                'spec.clusterIPs[0]: Invalid value: "10.0.0.300": must be a valid IP address, (e.g. 10.9.8.7 or '
                "2001:db8::ffff)"
            ],
        ),
        (
            service(clusterIP="10.0.0.1", clusterIPs=["10.0.0.2"]),
            ['spec.clusterIPs: Invalid value: ["10.0.0.2"]: first value must match `clusterIP`'],
        ),
        (
            service(externalIPs=["127.0.0.1"]),
            [
                'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, '
                "::1/128)"
            ],
        ),
        (
            service(externalTrafficPolicy="Local"),
            [
                'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible '
                "services"
            ],
        ),
        (
            service(loadBalancerClass="a/b"),
            ["spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"],
        ),
        (
            service(ipFamilyPolicy="RequireDualStack"),
            [
                'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for '
                "dual-stack services"
            ],
        ),
    ],
)
def test_validation(document: Document, errors: list[str]) -> None:
    assert create_errors(KIND, document) == errors


@pytest.mark.parametrize(
    "old, new, errors",
    [
        (service(clusterIP="10.0.0.1"), service(), []),
        (
            service(clusterIP="10.0.0.1"),
            service(clusterIP="10.0.0.2", clusterIPs=["10.0.0.1"]),
            ['spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set'],
        ),
        (
            service(clusterIP="10.0.0.1"),
            {"metadata": {}, "spec": {"type": "ExternalName", "externalName": "a.b"}},
            [],
        ),
        (service({"port": 80, "nodePort": 30001}, type="NodePort"), service(), []),
    ],
)
def test_update(old: Document, new: Document, errors: list[str]) -> None:
    assert update_errors(KIND, old, new) == errors


def test_what_was_given_out_stays() -> None:
    """Upstream: patchAllocatedValues."""
    old = defaulted(KIND, service({"port": 80, "nodePort": 30001}, type="NodePort", clusterIP="10.0.0.1"))
    assert KIND.prepare_create and KIND.prepare_update
    KIND.prepare_create(old, context())
    new = defaulted(KIND, service(type="NodePort"))
    KIND.prepare_update(new, copy.deepcopy(old), context())
    assert (new["spec"]["clusterIP"], new["spec"]["ports"][0]["nodePort"]) == ("10.0.0.1", 30001)
    assert new["spec"]["ipFamilies"] == ["IPv4"]


def test_status_addresses() -> None:
    document: Document = {"status": {"loadBalancer": {"ingress": [{"hostname": "10.0.0.1"}]}}}
    assert KIND.validate_status
    assert texts(KIND.validate_status(document, {}, context())) == [
        'status.loadBalancer.ingress[0].hostname: Invalid value: "10.0.0.1": must be a DNS name, not an IP address'
    ]


@pytest.mark.parametrize(
    "spec, status, ip, external, ports",
    [
        ({"type": "ClusterIP", "clusterIPs": ["10.0.0.1"]}, {}, "10.0.0.1", "<none>", "80/TCP"),
        ({"type": "LoadBalancer"}, {}, "<none>", "<pending>", "80/TCP"),
        (
            {"type": "LoadBalancer", "externalIPs": ["1.2.3.4"]},
            {"loadBalancer": {"ingress": [{"ip": "5.6.7.8"}, {"hostname": "a.b"}]}},
            "<none>",
            "5.6.7.8,a.b,1.2.3.4",
            "80/TCP",
        ),
        (
            {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}]},
            {},
            "<none>",
            "<none>",
            "80:30080/TCP",
        ),
        ({"type": "ExternalName", "externalName": "a.b", "ports": []}, {}, "<none>", "a.b", "<none>"),
    ],
)
def test_columns(spec: Document, status: Document, ip: str, external: str, ports: str) -> None:
    shown = cells(KIND, {"spec": {"ports": [{"port": 80, "protocol": "TCP"}], **spec}, "status": status})
    assert (shown["Cluster-IP"], shown["External-IP"], shown["Port(s)"]) == (ip, external, ports)

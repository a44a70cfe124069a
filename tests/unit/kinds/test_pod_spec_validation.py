"""A pod's spec, part by part; words and paths are those of pkg/apis/core/validation/validation.go (1.33)."""

from typing import Any

import pytest
from tests.unit.kinds.hooks import create_errors

from tiphys.base.document import Document
from tiphys.kinds.core.pod import KIND

LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
C = "spec.containers[0]"


def spec(container: Document | None = None, **more: Any) -> Document:
    return {"containers": [{"name": "c", "image": "a", **(container or {})}], **more}


def errors(found: Document, minor: int = 37) -> list[str]:
    return create_errors(KIND, {"metadata": {"name": "p"}, "spec": found}, minor)


def test_a_plain_pod_is_valid_in_every_version() -> None:
    for minor in range(25, 38):
        assert errors(spec(), minor) == []


@pytest.mark.parametrize(
    "container, expected",
    [
        ({"name": "Web"}, [f'{C}.name: Invalid value: "Web": {LABEL}']),
        ({"name": ""}, [f"{C}.name: Required value"]),
        ({"image": ""}, [f"{C}.image: Required value"]),
        ({"image": " a"}, [f'{C}.image: Invalid value: " a": must not have leading or trailing whitespace']),
        (
            {"imagePullPolicy": "Sometimes"},
            [
                f'{C}.imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", '
                '"Never"'
            ],
        ),
        (
            {"terminationMessagePolicy": "x"},
            [
                f'{C}.terminationMessagePolicy: Unsupported value: "x": supported values: "File", '
                '"FallbackToLogsOnError"'
            ],
        ),
        ({"ports": [{}]}, [f"{C}.ports[0].containerPort: Required value"]),
        (
            {"ports": [{"containerPort": 70000, "protocol": "ICMP"}]},
            [
                f"{C}.ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
                f'{C}.ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
            ],
        ),
        (
            {"ports": [{"containerPort": 1, "name": "a"}, {"containerPort": 2, "name": "a"}]},
            [f'{C}.ports[1].name: Duplicate value: "a"'],
        ),
        (
            {"ports": [{"containerPort": 1, "hostPort": 9}, {"containerPort": 2, "hostPort": 9}]},
            [f'{C}.ports[1].hostPort: Duplicate value: "TCP//9"'],
        ),
        (
            {"restartPolicy": "Sometimes"},
            [f'{C}.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"'],
        ),
    ],
)
def test_containers(container: Document, expected: list[str]) -> None:
    assert errors(spec(container)) == expected


@pytest.mark.parametrize(
    "resources, expected",
    [
        ({"requests": {"cpu": "1"}, "limits": {"cpu": "1000m"}}, []),
        (
            {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}},
            [f'{C}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
        ),
        (
            {"requests": {"nvidia.com/gpu": "1"}, "limits": {"nvidia.com/gpu": "2"}},
            [f'{C}.resources.requests: Invalid value: "1": must be equal to nvidia.com/gpu limit of 2'],
        ),
        (
            {"requests": {"nvidia.com/gpu": "1"}},
            [f"{C}.resources.limits: Required value: Limit must be set for non overcommitable resources"],
        ),
        (
            {"limits": {"nvidia.com/gpu": "1500m"}},
            [
                f'{C}.resources.limits[nvidia.com/gpu]: Invalid value: "1500m": must be an integer',
                f'{C}.resources.requests[nvidia.com/gpu]: Invalid value: "1500m": must be an integer',
            ],
        ),
        (
            {"requests": {"memory": "-1"}},
            [f'{C}.resources.requests[memory]: Invalid value: "-1": must be greater than or equal to 0'],
        ),
        (
            {"requests": {"disk": "1"}},
            [
                f'{C}.resources.requests[disk]: Invalid value: "disk": must be a standard resource type or fully '
                "qualified",
                f'{C}.resources.requests[disk]: Invalid value: "disk": must be a standard resource for containers',
            ],
        ),
        ({"limits": {"hugepages-2Mi": "4Mi"}}, [f"{C}.resources: Forbidden: HugePages require cpu or memory"]),
        (
            {"limits": {"hugepages-2Mi": "3Mi", "cpu": "1"}},
            [
                f'{C}.resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of '
                "hugepages-2Mi",
                f'{C}.resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple '
                "of hugepages-2Mi",
            ],
        ),
        (
            {"claims": [{"name": "gpu"}]},
            [
                f'{C}.resources.claims[0]: Not found: "gpu": must be one of the names in pod.spec.resourceClaims '
                "which is empty"
            ],
        ),
    ],
)
def test_resources(resources: Document, expected: list[str]) -> None:
    assert errors(spec({"resources": resources})) == expected


@pytest.mark.parametrize(
    "variable, minor, expected",
    [
        ({"name": "A", "value": "b"}, 37, []),
        ({"value": "b"}, 37, [f"{C}.env[0].name: Required value"]),
        ({"name": "1A"}, 32, []),
        (
            {"name": "1A"},
            31,
            [
                f'{C}.env[0].name: Invalid value: "1A": a valid environment variable name must consist of alphabetic '
                "characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or "
                "'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')"
            ],
        ),
        (
            {"name": "A=B"},
            37,
            [
                f'{C}.env[0].name: Invalid value: "A=B": a valid environment variable name must consist only of '
                "printable ASCII characters other than '='"
            ],
        ),
        (
            {"name": "A", "valueFrom": {}},
            34,
            [
                f'{C}.env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, '
                "`configMapKeyRef` or `secretKeyRef`"
            ],
        ),
        (
            {"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            37,
            [f'{C}.env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty'],
        ),
        (
            {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.phase"}}},
            37,
            [
                f'{C}.env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: '
                '"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", '
                '"status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"'
            ],
        ),
        (
            {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.zzz"}}},
            37,
            [
                f'{C}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.zzz": error converting fieldPath: '
                "field label not supported: spec.zzz"
            ],
        ),
        ({"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}}, 37, []),
        (
            {"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "2"}}},
            37,
            [
                f'{C}.env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor\'s values '
                "1m and 1 are supported with the cpu resource"
            ],
        ),
        (
            {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s"}}},
            37,
            [f"{C}.env[0].valueFrom.secretKeyRef.key: Required value"],
        ),
    ],
)
def test_environment(variable: Document, minor: int, expected: list[str]) -> None:
    assert errors(spec({"env": [variable]}), minor) == expected


def test_environment_from_whole_objects() -> None:
    assert errors(spec({"envFrom": [{}, {"configMapRef": {"name": ""}}]})) == [
        f'{C}.envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
        f"{C}.envFrom[1].configMapRef.name: Required value",
    ]


V = "spec.volumes[0]"


@pytest.mark.parametrize(
    "volume, expected",
    [
        ({"name": "v", "emptyDir": {"sizeLimit": "1Gi"}}, []),
        ({"name": "V", "emptyDir": {}}, [f'{V}.name: Invalid value: "V": {LABEL}']),
        (
            {"name": "v", "emptyDir": {}, "hostPath": {"path": "/x"}},
            [f"{V}.hostPath: Forbidden: may not specify more than 1 volume type"],
        ),
        (
            {"name": "v", "hostPath": {"path": "/a/../b"}},
            [f"{V}.hostPath.path: Invalid value: \"/a/../b\": must not contain '..'"],
        ),
        ({"name": "v", "secret": {}}, [f"{V}.secret.secretName: Required value"]),
        (
            {"name": "v", "configMap": {"name": "c", "defaultMode": 512}},
            [
                f"{V}.configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both "
                "inclusive"
            ],
        ),
        (
            {"name": "v", "configMap": {"name": "c", "items": [{"key": "k", "path": "../x"}]}},
            [f"{V}.configMap.items[0].path: Invalid value: \"../x\": must not contain '..'"],
        ),
        ({"name": "v", "persistentVolumeClaim": {}}, [f"{V}.persistentVolumeClaim.claimName: Required value"]),
        (
            {"name": "v", "nfs": {"server": "s", "path": "x"}},
            [f'{V}.nfs.path: Invalid value: "x": must be an absolute path'],
        ),
        (
            {"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 5}}]}},
            [
                f"{V}.projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 5: may not specify "
                "a duration less than 10 minutes",
                f"{V}.projected.sources[0].serviceAccountToken: Forbidden: must not be specified when "
                "serviceAccountName is not set",
            ],
        ),
        (
            {"name": "v", "azureDisk": {"diskName": "d", "diskURI": "x", "kind": "Odd"}},
            [
                f'{V}.azureDisk.kind: Unsupported value: "Odd": supported values: "Dedicated", "Managed", "Shared"',
                f'{V}.azureDisk.diskURI: Unsupported value: "x": supported values: '
                '"https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"',
            ],
        ),
    ],
)
def test_volumes(volume: Document, expected: list[str]) -> None:
    assert errors(spec(volumes=[volume])) == expected


@pytest.mark.parametrize(
    "mount, expected",
    [
        ({"name": "v", "mountPath": "/x"}, []),
        ({"name": "w", "mountPath": "/x"}, [f'{C}.volumeMounts[0].name: Not found: "w"']),
        ({"name": "v"}, [f"{C}.volumeMounts[0].mountPath: Required value"]),
        (
            {"name": "v", "mountPath": "/x", "subPath": "/a"},
            [f'{C}.volumeMounts.subPath: Invalid value: "/a": must be a relative path'],
        ),
        (
            {"name": "v", "mountPath": "/x", "mountPropagation": "Bidirectional"},
            [
                f"{C}.volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to "
                "privileged containers"
            ],
        ),
        (
            {"name": "v", "mountPath": "/x", "recursiveReadOnly": "Enabled"},
            [f"{C}.volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true"],
        ),
    ],
)
def test_mounts(mount: Document, expected: list[str]) -> None:
    assert errors(spec({"volumeMounts": [mount]}, volumes=[{"name": "v", "emptyDir": {}}])) == expected


@pytest.mark.parametrize(
    "container, expected",
    [
        ({"livenessProbe": {"httpGet": {"port": "http"}}}, []),
        ({"livenessProbe": {}}, [f"{C}.livenessProbe: Required value: must specify a handler type"]),
        (
            {"livenessProbe": {"exec": {"command": ["a"]}, "successThreshold": 2}},
            [f"{C}.livenessProbe.successThreshold: Invalid value: 2: must be 1"],
        ),
        (
            {"readinessProbe": {"tcpSocket": {"port": 0}, "terminationGracePeriodSeconds": 3}},
            [
                f"{C}.readinessProbe.tcpSocket.port: Invalid value: 0: must be between 1 and 65535, inclusive",
                f"{C}.readinessProbe.terminationGracePeriodSeconds: Invalid value: 3: must not be set for "
                "readinessProbes",
            ],
        ),
        (
            {"startupProbe": {"exec": {}, "httpGet": {"port": 1}}},
            [
                f"{C}.startupProbe.exec.command: Required value",
                f"{C}.startupProbe.httpGet: Forbidden: may not specify more than 1 handler type",
            ],
        ),
        (
            {"lifecycle": {"preStop": {"sleep": {"seconds": 31}}}},
            [
                f"{C}.lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than "
                "terminationGracePeriodSeconds (30)"
            ],
        ),
    ],
)
def test_probes_and_hooks(container: Document, expected: list[str]) -> None:
    assert errors(spec(container)) == expected


@pytest.mark.parametrize(
    "more, minor, expected",
    [
        ({"initContainers": [{"name": "i", "image": "a", "restartPolicy": "Always"}]}, 37, []),
        (
            {"initContainers": [{"name": "c", "image": "a"}]},
            37,
            ['spec.initContainers[0].name: Duplicate value: "c"'],
        ),
        (
            {"initContainers": [{"name": "i", "image": "a", "lifecycle": {}}]},
            37,
            [
                "spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without "
                "restartPolicy=Always"
            ],
        ),
        (
            {"initContainers": [{"name": "i", "image": "a", "restartPolicy": "Never"}]},
            34,
            ['spec.initContainers[0].restartPolicy: Unsupported value: "Never": supported values: "Always"'],
        ),
        ({"containers": []}, 37, ["spec.containers: Required value"]),
        (
            {"restartPolicy": "Maybe"},
            37,
            ['spec.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "OnFailure", "Never"'],
        ),
        ({"nodeSelector": {"a": "b c"}}, 37, ["spec.nodeSelector"]),
        (
            {"activeDeadlineSeconds": 0},
            37,
            ["spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"],
        ),
        (
            {"tolerations": [{"value": "x"}]},
            37,
            [
                'spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, which '
                'means "match all values and all keys"'
            ],
        ),
        (
            {"tolerations": [{"key": "a", "effect": "NoSchedule", "tolerationSeconds": 1}]},
            37,
            [
                "spec.tolerations[0].effect: Invalid value: \"NoSchedule\": effect must be 'NoExecute' when "
                "`tolerationSeconds` is set"
            ],
        ),
        (
            {"hostAliases": [{"ip": "x"}]},
            37,
            [
                'spec.hostAliases[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or '
                "2001:db8::ffff)"
            ],
        ),
        (
            {"dnsPolicy": "None"},
            37,
            ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"],
        ),
        (
            {"dnsConfig": {"nameservers": ["1.1.1.1"] * 4}},
            37,
            [
                'spec.dnsConfig.nameservers: Invalid value: ["1.1.1.1","1.1.1.1","1.1.1.1","1.1.1.1"]: must not have '
                "more than 3 nameservers"
            ],
        ),
        (
            {"preemptionPolicy": "x"},
            37,
            ['spec.preemptionPolicy: Unsupported value: "x": supported values: "PreemptLowerPriority", "Never"'],
        ),
        (
            {"os": {"name": "plan9"}},
            37,
            ['spec.os: Unsupported value: "plan9": supported values: "linux", "windows"'],
        ),
        (
            {"os": {"name": "windows"}, "hostPID": True},
            37,
            ["spec.hostPID: Forbidden: cannot be set for a windows pod"],
        ),
        (
            {"securityContext": {"runAsUser": -1, "sysctls": [{"name": "a"}, {"name": "a"}]}},
            37,
            [
                "spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive",
                'spec.securityContext.sysctls[1].name: Duplicate value: "a"',
            ],
        ),
        (
            {
                "topologySpreadConstraints": [
                    {"maxSkew": 0, "topologyKey": "", "whenUnsatisfiable": "x", "labelSelector": {}}
                ]
            },
            37,
            [
                "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
                "spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty",
                'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "x": supported values: '
                '"DoNotSchedule", "ScheduleAnyway"',
            ],
        ),
        (
            {
                "affinity": {
                    "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}
                }
            },
            37,
            [
                "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: "
                "Required value: must have at least one node selector term"
            ],
        ),
        (
            {
                "affinity": {
                    "podAntiAffinity": {
                        "preferredDuringSchedulingIgnoredDuringExecution": [
                            {"weight": 101, "podAffinityTerm": {"topologyKey": "zone"}}
                        ]
                    }
                }
            },
            37,
            [
                "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid "
                "value: 101: must be in the range 1-100"
            ],
        ),
        (
            {
                "resources": {"requests": {"cpu": "1"}},
                "containers": [{"name": "c", "image": "a", "resources": {"requests": {"cpu": "2"}}}],
            },
            37,
            [
                'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate '
                "container requests of 2"
            ],
        ),
    ],
)
def test_the_rest(more: Document, minor: int, expected: list[str]) -> None:
    found = errors({**spec(), **more}, minor)
    if expected == ["spec.nodeSelector"]:  # a long text, checked with the labels' own rules
        assert len(found) == 1 and found[0].startswith('spec.nodeSelector: Invalid value: "b c": a valid label must')
    else:
        assert found == expected


def test_security_context_of_a_container() -> None:
    security = {"allowPrivilegeEscalation": False, "privileged": True}
    (error,) = errors(spec({"securityContext": security}))
    assert error.startswith(f"{C}.securityContext: Invalid value: ")
    assert error.endswith("cannot set `allowPrivilegeEscalation` to false and `privileged` to true")
    assert errors(spec({"securityContext": {"seccompProfile": {"type": "Localhost"}}})) == [
        f"{C}.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is "
        "Localhost"
    ]

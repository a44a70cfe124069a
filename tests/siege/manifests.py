"""Objects of every served kind: ones that are accepted, and ones that merely have the types of the schema."""

from __future__ import annotations

import random
from typing import Any

import yaml

from tests.unit.kinds.test_hooks_never_raise import Maker
from tiphys.api.catalog import Resource
from tiphys.schema.definitions import Definitions

_POD = "{containers: [{name: a, image: b, resources: {requests: {cpu: 10m}, limits: {cpu: 1}}}]}"
_TEMPLATE = f"{{metadata: {{labels: {{a: b}}}}, spec: {_POD}}}"
_JOB = f"{{template: {{spec: {_POD[:-1]}, restartPolicy: Never}}}}}}"
_CLAIM = "{accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}"
_PORTS = "{ports: [{port: 80, targetPort: 80}], selector: {a: b}}"
_SELECTOR = "selector: {matchLabels: {a: b}}"
_HOOKS = (
    "{webhooks: [{name: a.b.c, sideEffects: None, admissionReviewVersions: [v1], clientConfig: {url: 'https://a/'}}]}"
)
_RULES = "{rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]}"
_ROLE_REF = "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: a}"
_SUBJECTS = "subjects: [{kind: User, name: u, apiGroup: rbac.authorization.k8s.io}]"
_CRD = (
    "{spec: {group: e.org, scope: Namespaced, names: {plural: as, singular: a, kind: A, listKind: AList}, "
    "versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}}"
)
_ACCEPTED = {
    "configmaps": "{data: {a: b}, binaryData: {c: eA==}}",
    "controllerrevisions": "{data: {a: b}, revision: 1}",
    "cronjobs": f"{{spec: {{schedule: '*/5 * * * *', jobTemplate: {{spec: {_JOB}}}}}}}",
    "customresourcedefinitions": _CRD,
    "daemonsets": f"{{spec: {{{_SELECTOR}, template: {_TEMPLATE}}}}}",
    "deployments": f"{{spec: {{replicas: 2, {_SELECTOR}, template: {_TEMPLATE}}}}}",
    "endpoints": "{subsets: [{addresses: [{ip: 1.2.3.4}], ports: [{port: 80}]}]}",
    "endpointslices": "{addressType: IPv4, endpoints: [{addresses: [1.2.3.4]}], ports: [{port: 80}]}",
    "events": "{involvedObject: {namespace: default, name: a, kind: Pod}, reason: R, message: m, type: Normal}",
    "horizontalpodautoscalers": "{spec: {scaleTargetRef: {kind: Deployment, name: a}, maxReplicas: 3}}",
    "ingresses": "{spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: a, "
    "port: {number: 80}}}}]}}]}}",
    "jobs": f"{{spec: {_JOB}}}",
    "leases": "{spec: {holderIdentity: a, leaseDurationSeconds: 1}}",
    "limitranges": "{spec: {limits: [{type: Container, default: {cpu: 1}, max: {cpu: 2}}]}}",
    "mutatingwebhookconfigurations": _HOOKS,
    "validatingwebhookconfigurations": _HOOKS,
    "namespaces": "{}",
    "networkpolicies": "{spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}}",
    "nodes": "{spec: {taints: [{key: a, effect: NoSchedule}]}, status: {capacity: {cpu: 1}}}",
    "persistentvolumeclaims": f"{{spec: {_CLAIM}}}",
    "persistentvolumes": "{spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /a}}}",
    "poddisruptionbudgets": f"{{spec: {{minAvailable: 1, {_SELECTOR}}}}}",
    "pods": f"{{spec: {_POD}}}",
    "podtemplates": f"{{template: {_TEMPLATE}}}",
    "priorityclasses": "{value: 10}",
    "replicasets": f"{{spec: {{{_SELECTOR}, template: {_TEMPLATE}}}}}",
    "replicationcontrollers": f"{{spec: {{selector: {{a: b}}, template: {_TEMPLATE}}}}}",
    "resourcequotas": "{spec: {hard: {pods: 100, requests.cpu: 10, count/configmaps: 50}}}",
    "roles": _RULES,
    "clusterroles": _RULES,
    "rolebindings": f"{{{_ROLE_REF}, {_SUBJECTS}}}",
    "clusterrolebindings": f"{{{_ROLE_REF}, {_SUBJECTS}}}",
    "secrets": "{data: {a: eA==}, stringData: {b: c}}",
    "serviceaccounts": "{secrets: [{name: a}]}",
    "services": f"{{spec: {_PORTS}}}",
    "statefulsets": f"{{spec: {{serviceName: a, {_SELECTOR}, template: {_TEMPLATE}, "
    f"volumeClaimTemplates: [{{metadata: {{name: d}}, spec: {_CLAIM}}}]}}}}",
    "storageclasses": "{provisioner: a.b/c}",
}
"""What a kind's object has beside its metadata, by plural."""

NAME = "one"


def accepted(resource: Resource) -> dict[str, Any]:
    """An object that is accepted, for most kinds; for the others one with nothing but metadata."""
    found: dict[str, Any] = yaml.safe_load(_ACCEPTED.get(resource.kind.plural, "{}"))
    if resource.api_version == "events.k8s.io/v1":
        found = {
            "eventTime": "2026-01-02T03:04:05.000000Z",
            **dict.fromkeys(("reportingController", "reportingInstance", "action", "reason"), "a/b"),
            "type": "Normal",
            "regarding": {"namespace": "default", "name": "a", "kind": "Pod"},
        }
    return _headed(resource, found)


def typed(resource: Resource, definitions: Definitions, seed: int) -> dict[str, Any]:
    """An object of the schema's types, most of whose values make no sense."""
    made = Maker(definitions, seed).of(definitions.raw[resource.definition])
    assert isinstance(made, dict)
    return _headed(resource, made)


def mixed(resource: Resource, definitions: Definitions, chance: random.Random) -> dict[str, Any]:
    """An accepted one with some parts of a typed one in it."""
    found = accepted(resource)
    _mix(found, typed(resource, definitions, chance.randrange(1 << 30)), chance)
    return found


def _mix(into: dict[str, Any], other: dict[str, Any], chance: random.Random) -> None:
    for key, value in other.items():
        if isinstance(into.get(key), dict) and isinstance(value, dict):
            _mix(into[key], value, chance)
        elif key not in ("apiVersion", "kind", "name") and chance.random() < 0.1:
            into[key] = value


def _headed(resource: Resource, found: dict[str, Any]) -> dict[str, Any]:
    name = "as.e.org" if resource.kind.plural == "customresourcedefinitions" else NAME
    metadata = {**(found.get("metadata") or {}), "name": name}
    if resource.kind.namespaced:
        metadata["namespace"] = "default"
    return {**found, "apiVersion": resource.api_version, "kind": resource.kind.kind, "metadata": metadata}

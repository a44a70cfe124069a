"""Defaults of a pod's spec, in a Pod and in every template (pkg/apis/core/v1/defaults.go, zz_generated.defaults.go).

All of them are idempotent: they run when a body is decoded and again after mutating admission.
"""

from __future__ import annotations

from collections.abc import Iterable

from tiphys.base.document import Document
from tiphys.kinds.shapes.image_reference import default_pull_policy
from tiphys.kinds.shapes.volume_defaults import default_object_field, default_volume

HOST_PORTS_ONLY_IN_PODS = 28
"""The minor since which `hostNetwork` fills in host ports in Pods but no longer in templates."""


def default_pod_spec(spec: Document, minor: int) -> None:
    """What both Pods and templates get. About 5 µs for two plain containers."""
    _default_scalars(spec)
    _mirror_service_account(spec)
    if spec.get("hostNetwork") and minor < HOST_PORTS_ONLY_IN_PODS:
        default_host_ports(spec)
    for volume in spec.get("volumes") or ():
        default_volume(volume)
    for container in spec.get("initContainers") or ():
        default_container(container)
    for container in spec.get("containers") or ():
        default_container(container)
    for container in spec.get("ephemeralContainers") or ():
        default_container(container)


def _default_scalars(spec: Document) -> None:
    if not spec.get("dnsPolicy"):
        spec["dnsPolicy"] = "ClusterFirst"
    if not spec.get("restartPolicy"):
        spec["restartPolicy"] = "Always"
    if spec.get("securityContext") is None:
        spec["securityContext"] = {}
    if spec.get("terminationGracePeriodSeconds") is None:
        spec["terminationGracePeriodSeconds"] = 30
    if not spec.get("schedulerName"):
        spec["schedulerName"] = "default-scheduler"


def _mirror_service_account(spec: Document) -> None:
    """`serviceAccount` is the old name of `serviceAccountName`; both are shown (pkg/apis/core/v1/conversion.go)."""
    name = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if name:
        spec["serviceAccountName"] = spec["serviceAccount"] = name


def default_host_ports(spec: Document) -> None:
    """On the host's network a container's port is the host's port."""
    for field in ("containers", "initContainers"):
        for container in spec.get(field) or ():
            for port in container.get("ports") or ():
                if not port.get("hostPort") and port.get("containerPort"):
                    port["hostPort"] = port["containerPort"]


def default_container(container: Document) -> None:
    """One container of any of the three lists."""
    if not container.get("imagePullPolicy"):
        container["imagePullPolicy"] = default_pull_policy(container.get("image") or "")
    if not container.get("terminationMessagePath"):
        container["terminationMessagePath"] = "/dev/termination-log"
    if not container.get("terminationMessagePolicy"):
        container["terminationMessagePolicy"] = "File"
    if container.get("resources") is None:
        container["resources"] = {}
    for port in container.get("ports") or ():
        if not port.get("protocol"):
            port["protocol"] = "TCP"
    _default_env(container.get("env") or ())
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if (probe := container.get(name)) is not None:
            default_probe(probe)
    for handler in (container.get("lifecycle") or {}).values():
        if isinstance(handler, dict):
            _default_http_get(handler)


def _default_env(variables: Iterable[Document]) -> None:
    for variable in variables:
        source = variable.get("valueFrom")
        if source and source.get("fieldRef") is not None:
            default_object_field(source["fieldRef"])


_PROBE = (("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3))


def default_probe(probe: Document) -> None:
    """Times and thresholds, where missing or zero (SetDefaults_Probe)."""
    for name, value in _PROBE:
        if not probe.get(name):
            probe[name] = value
    _default_http_get(probe)
    grpc = probe.get("grpc")
    if grpc is not None and grpc.get("service") is None:
        grpc["service"] = ""


def _default_http_get(handler: Document) -> None:
    get = handler.get("httpGet")
    if get is not None:
        if not get.get("path"):
            get["path"] = "/"
        if not get.get("scheme"):
            get["scheme"] = "HTTP"


def default_requests(containers: Iterable[Document]) -> None:
    """A limit without a request is also the request: in Pods only, never in templates (SetDefaults_Pod)."""
    for container in containers:
        resources = container.get("resources")
        limits = resources.get("limits") if resources else None
        if not resources or limits is None:
            continue
        requests = resources.get("requests")
        if requests is None:
            requests = resources["requests"] = {}
        for name, quantity in limits.items():
            requests.setdefault(name, quantity)

"""Pod: the unit everything else makes, binds and runs (pkg/registry/core/pod, pkg/apis/core)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tiphys.api.kind import STATUS, Column, Context, Kind, Subresource
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, forbidden_field
from tiphys.base.name_rules import dns1123_label
from tiphys.kinds.shapes import pod_printing
from tiphys.kinds.shapes.affinity_validation import PREFERRED, REQUIRED
from tiphys.kinds.shapes.columns import AGE, NONE, text
from tiphys.kinds.shapes.field_checks import Errors, same
from tiphys.kinds.shapes.part import keep_metadata, part
from tiphys.kinds.shapes.pod_annotations import annotation_updates, pod_annotations, profiles_match_annotations
from tiphys.kinds.shapes.pod_features import drop_disabled_fields
from tiphys.kinds.shapes.pod_resources_defaults import default_pod_resources
from tiphys.kinds.shapes.pod_rules import rules_for
from tiphys.kinds.shapes.pod_spec import default_host_ports, default_pod_spec, default_requests
from tiphys.kinds.shapes.pod_spec_validation import validate_pod_only, validate_pod_spec
from tiphys.kinds.shapes.pod_update_validation import validate_spec_update, validate_status_update
from tiphys.kinds.shapes.pod_warnings import pod_warnings
from tiphys.kinds.shapes.qos_class import qos_class

GENERATION_SINCE = 33
"""The minor since which pods count changes of their spec in metadata.generation."""

_GATED = {
    "type": "PodScheduled",
    "status": "False",
    "lastProbeTime": None,
    "lastTransitionTime": None,
    "reason": "SchedulingGated",
    "message": "Scheduling is blocked due to non-empty scheduling gates",
}


def _default(pod: Document, context: Context) -> None:
    spec = part(pod, "spec")
    default_pod_spec(spec, context.minor)
    for field in ("containers", "initContainers"):
        default_requests(spec.get(field) or ())
    if context.minor >= 34 and spec.get("resources"):
        default_pod_resources(spec)
    if spec.get("enableServiceLinks") is None:
        spec["enableServiceLinks"] = True
    if spec.get("hostNetwork"):
        default_host_ports(spec)
    if status := pod.get("status"):
        _mirror_ip(status)


def _mirror_ip(status: Document) -> None:
    """`podIP` is the first of `podIPs`; where they differ the single one wins (pkg/apis/core/v1/conversion.go)."""
    single, ips = status.get("podIP"), status.get("podIPs")
    if single and (not ips or ips[0].get("ip") != single):
        status["podIPs"] = [{"ip": single}]
    elif ips and not single:
        status["podIP"] = ips[0].get("ip") or ""


def _prepare_create(pod: Document, context: Context) -> None:
    spec = pod["spec"]
    pod["status"] = {"phase": "Pending", "qosClass": qos_class(spec, context.minor)}
    if context.minor >= GENERATION_SINCE:
        pod["metadata"]["generation"] = 1
    drop_disabled_fields(spec, None, context.minor)
    if spec.get("schedulingGates"):
        pod["status"]["conditions"] = [dict(_GATED)]
    labels = pod["metadata"].get("labels") or {}
    if context.minor >= 31 and spec.get("affinity"):
        _merge_affinity_keys(spec["affinity"], labels)
    if context.minor >= 34:
        for constraint in spec.get("topologySpreadConstraints") or ():
            _merge_keys(constraint.get("labelSelector"), constraint.get("matchLabelKeys"), "In", labels)


def _merge_affinity_keys(affinity: Document, labels: Document) -> None:
    """`matchLabelKeys` become expressions with the pod's own labels (mutatePodAffinity)."""
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(kind) or {}
        weighted = [each.get("podAffinityTerm") or {} for each in rules.get(PREFERRED) or ()]
        for term in [*weighted, *(rules.get(REQUIRED) or ())]:
            _merge_keys(term.get("labelSelector"), term.get("matchLabelKeys"), "In", labels)
            _merge_keys(term.get("labelSelector"), term.get("mismatchLabelKeys"), "NotIn", labels)


def _merge_keys(selector: Document | None, keys: list[str] | None, operator: str, labels: Document) -> None:
    if selector is None or not keys:
        return
    for key in keys:
        if key in labels:
            added = {"key": key, "operator": operator, "values": [labels[key]]}
            selector["matchExpressions"] = [*(selector.get("matchExpressions") or ()), added]


def _prepare_update(new: Document, old: Document, context: Context) -> None:
    drop_disabled_fields(new.get("spec") or {}, old.get("spec"), context.minor)
    if context.minor >= GENERATION_SINCE and not same(new.get("spec"), old.get("spec")):
        new["metadata"]["generation"] = (old["metadata"].get("generation") or 0) + 1


def _prepare_status(new: Document, old: Document, context: Context) -> None:
    """The owners stay, and what a kubelet may forget: QoS class, observed generations (podStatusStrategy)."""
    keep_metadata(new, old, "ownerReferences")
    status, before = part(new, "status"), old.get("status") or {}
    if not status.get("qosClass") and before.get("qosClass"):
        status["qosClass"] = before["qosClass"]
    if context.minor < GENERATION_SINCE:
        return
    _keep(status, before, "observedGeneration")
    remembered: dict[Any, list[Document]] = {}
    for condition in before.get("conditions") or ():
        remembered.setdefault(condition.get("type"), []).append(condition)
    for condition in status.get("conditions") or ():
        if earlier := remembered.get(condition.get("type")):
            _keep(condition, earlier.pop(0), "observedGeneration")


def _keep(new: Document, old: Document, field: str) -> None:
    if not new.get(field) and old.get(field):
        new[field] = old[field]


def _validate_whole(pod: Document, context: Context, errors: Errors) -> None:
    """What holds on create and on update alike (validatePodMetadataAndSpec, without the metadata)."""
    metadata, spec = pod.get("metadata") or {}, pod.get("spec") or {}
    if annotations := metadata.get("annotations"):
        pod_annotations(annotations, spec, "metadata.annotations", errors)
    validate_pod_spec(spec, metadata, "spec", rules_for(context.minor, True), errors)
    validate_pod_only(spec, errors)


def _validate(pod: Document, context: Context) -> Sequence[FieldError]:
    errors: Errors = []
    _validate_whole(pod, context, errors)
    spec = pod.get("spec") or {}
    if spec.get("ephemeralContainers"):
        errors.append(forbidden_field("spec.ephemeralContainers", "cannot be set on create"))
    if spec.get("nodeName") and spec.get("schedulingGates"):
        words = "cannot be set until all schedulingGates have been cleared"
        errors.append(forbidden_field("spec.nodeName", words))
    profiles_match_annotations(pod.get("metadata") or {}, spec, "spec", errors)
    return errors


def _validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    errors: Errors = []
    _validate_whole(new, context, errors)
    _annotations_kept(new, old, errors)
    validate_spec_update(new.get("spec") or {}, old.get("spec") or {}, context.minor, errors)
    return errors


def _validate_status(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    errors: Errors = []
    _annotations_kept(new, old, errors)
    validate_status_update(new, old, errors)
    return errors


def _annotations_kept(new: Document, old: Document, errors: Errors) -> None:
    after = (new.get("metadata") or {}).get("annotations") or {}
    before = (old.get("metadata") or {}).get("annotations") or {}
    if after or before:
        annotation_updates(after, before, "metadata.annotations", errors)


def _grace_period(pod: Document, asked: int | None) -> int:
    """Nothing to wait for before a pod has a node or after it has ended (CheckGracefulDelete)."""
    spec, phase = pod.get("spec") or {}, (pod.get("status") or {}).get("phase")
    if not spec.get("nodeName") or phase in ("Failed", "Succeeded"):
        return 0
    period: int = asked if asked is not None else spec.get("terminationGracePeriodSeconds") or 0
    return 1 if period < 0 else period


def _fields(pod: Document) -> dict[str, str]:
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    ips = status.get("podIPs")
    return {
        "spec.nodeName": spec.get("nodeName") or "",
        "spec.restartPolicy": spec.get("restartPolicy") or "",
        "spec.schedulerName": spec.get("schedulerName") or "",
        "spec.serviceAccountName": spec.get("serviceAccountName") or "",
        "spec.hostNetwork": "true" if spec.get("hostNetwork") else "false",
        "status.phase": status.get("phase") or "",
        "status.podIP": (ips[0].get("ip") if ips else status.get("podIP")) or "",
        "status.nominatedNodeName": status.get("nominatedNodeName") or "",
    }


def _warnings(new: Document, old: Document | None) -> Sequence[str]:
    """On create only: on update upstream spares itself the work."""
    if old is not None:
        return ()
    complaints = dns1123_label((new.get("metadata") or {}).get("name") or "")
    hostname = (
        "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is "
        f"recommended: [{' '.join(complaints)}]"
    )
    return [*([hostname] if complaints else []), *pod_warnings(new)]


def _connect(name: str, kind: str, *verbs: str) -> Subresource:
    return Subresource(name, verbs, ("", "v1", kind))


KIND = Kind(
    kind="Pod",
    plural="pods",
    short_names=("po",),
    categories=("all",),
    subresources=(
        _connect("attach", "PodAttachOptions", "create", "get"),
        _connect("binding", "Binding", "create"),
        Subresource("ephemeralcontainers"),
        Subresource("eviction", ("create",), ("policy", "v1", "Eviction")),
        _connect("exec", "PodExecOptions", "create", "get"),
        Subresource("log", ("get",)),
        _connect("portforward", "PodPortForwardOptions", "create", "get"),
        _connect("proxy", "PodProxyOptions", "create", "delete", "get", "patch", "update"),
        Subresource("resize", since=33),
        STATUS,
    ),
    columns=(
        Column(
            "Ready",
            pod_printing.ready,
            description="The aggregate readiness state of this pod for accepting traffic.",
        ),
        Column("Status", pod_printing.status, description="The aggregate status of the containers in this pod."),
        Column(
            "Restarts",
            pod_printing.restarts,
            description=(
                "The number of times the containers in this pod have been restarted and when the last container in "
                "this pod has restarted."
            ),
        ),
        AGE,
        Column("IP", pod_printing.pod_ip, priority=1),
        Column("Node", text("spec.nodeName", NONE), priority=1),
        Column("Nominated Node", text("status.nominatedNodeName", NONE), priority=1),
        Column("Readiness Gates", pod_printing.readiness_gates, priority=1),
    ),
    has_generation=False,  # counted here, and not by every version
    default=_default,
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    prepare_status=_prepare_status,
    validate=_validate,
    validate_update=_validate_update,
    validate_status=_validate_status,
    fields=_fields,
    grace_period=_grace_period,
    warnings=_warnings,
    returns_object_on_delete=True,
)

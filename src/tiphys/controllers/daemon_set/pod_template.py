"""What makes a template's pod a daemon of one node (`daemon/util/daemonset_util.go`)."""

from __future__ import annotations

from tiphys.base.document import Document
from tiphys.controllers.history import LABEL
from tiphys.resource.node_selector import NAME, REQUIRED

TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
GENERATION_LABEL = "pod-template-generation"
_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
_TOLERATED_ON_HOST_NETWORK = ("node.kubernetes.io/network-unavailable", "NoSchedule")


def with_tolerations(spec: Document) -> Document:
    """The pod spec bearing what daemons bear: nodes in trouble keep them (AddOrUpdateDaemonPodTolerations)."""
    tolerations = list(spec.get("tolerations") or ())
    host = (_TOLERATED_ON_HOST_NETWORK,) if spec.get("hostNetwork") else ()
    for key, effect in (*_TOLERATED, *host):
        added = {"key": key, "operator": "Exists", "effect": effect}
        same = [index for index, each in enumerate(tolerations) if _matches(each, added)]
        for index in same:
            tolerations[index] = added
        if not same:
            tolerations.append(added)
    return {**spec, "tolerations": tolerations}


def _matches(one: Document, other: Document) -> bool:
    """Alike but for how long (Toleration.MatchToleration)."""
    return all((one.get(field) or "") == (other.get(field) or "") for field in ("key", "effect", "operator", "value"))


def daemon_template(daemon_set: Document, hashed: str) -> Document:
    """The template with the tolerations and the labels that tell its revision (CreatePodTemplate)."""
    template = daemon_set["spec"]["template"]
    meta = template.get("metadata") or {}
    labels = {**(meta.get("labels") or {})}
    generation = (daemon_set["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, "")
    if generation.isascii() and generation.isdigit():
        labels[GENERATION_LABEL] = str(int(generation[:19]))
    labels[LABEL] = hashed
    return {**template, "metadata": {**meta, "labels": labels}, "spec": with_tolerations(template["spec"])}


def on_node(template: Document, name: str) -> Document:
    """The template for the scheduler to bind to this node and no other (ReplaceDaemonSetPodNodeNameNodeAffinity)."""
    spec = template["spec"]
    affinity = spec.get("affinity") or {}
    term = {"matchFields": [{"key": NAME, "operator": "In", "values": [name]}]}
    nodes = {**(affinity.get("nodeAffinity") or {}), REQUIRED: {"nodeSelectorTerms": [term]}}
    return {**template, "spec": {**spec, "affinity": {**affinity, "nodeAffinity": nodes}}}


def target_node(pod: Document) -> str:
    """Where the pod runs or is meant to; empty if it does not say (GetTargetNodeName)."""
    spec = pod["spec"]
    if spec.get("nodeName"):
        return str(spec["nodeName"])
    required = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(REQUIRED) or {}
    for term in required.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field.get("key") == NAME and field.get("operator") == "In":
                values = field.get("values") or []
                return str(values[0]) if len(values) == 1 else ""
    return ""


def is_updated(pod: Document, hashed: str) -> bool:
    return bool(hashed) and (pod["metadata"].get("labels") or {}).get(LABEL) == hashed

"""What the pod of an ordinal is called and looks like (`statefulset/stateful_set_utils.go`)."""

from __future__ import annotations

import re

from tiphys.base.document import Document
from tiphys.controllers.controller_reference import ResourceKind, controller_reference
from tiphys.controllers.history import LABEL
from tiphys.controllers.pod_control import pod_from_template
from tiphys.controllers.replica_set_status import wanted

KIND = ResourceKind("apps/v1", "StatefulSet", "statefulsets")
POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"
START_SINCE = 27
"""The first minor with spec.ordinals on by default (StatefulSetStartOrdinal)."""
INDEX_SINCE = 28
"""The first minor whose pods carry their index as a label (PodIndexLabel)."""
_NAME = re.compile("(.*)-([0-9]+)")


def start_ordinal(stateful_set: Document, minor: int) -> int:
    ordinals = stateful_set["spec"].get("ordinals") or {}
    return int(ordinals.get("start") or 0) if minor >= START_SINCE else 0


def ordinals(stateful_set: Document, minor: int) -> range:
    """Those the set should have pods of."""
    start = start_ordinal(stateful_set, minor)
    return range(start, start + wanted(stateful_set))


def parent_and_ordinal(name: str) -> tuple[str, int]:
    """`web-3` is ("web", 3); a name that is not of this form is ("", -1), a number out of range is -1."""
    match = _NAME.fullmatch(name)
    if match is None:
        return "", -1
    number = int(match[2]) if len(match[2]) <= 20 else 2**31
    return match[1], number if number < 2**31 else -1


def ordinal_of(pod: Document) -> int:
    return parent_and_ordinal(pod["metadata"]["name"])[1]


def is_member(stateful_set: Document, pod: Document) -> bool:
    """By its name (isMemberOf)."""
    return parent_and_ordinal(pod["metadata"]["name"])[0] == str(stateful_set["metadata"]["name"])


def revision_of(pod: Document) -> str:
    return (pod["metadata"].get("labels") or {}).get(LABEL) or ""


def template_name(template: Document) -> str:
    """Nobody checks claim templates before claims are made of them: one may have no name."""
    return str((template.get("metadata") or {}).get("name") or "")


def claim_name(template: Document, stateful_set: Document, ordinal: int) -> str:
    return f"{template_name(template)}-{stateful_set['metadata']['name']}-{ordinal}"


def claim_templates(stateful_set: Document) -> list[Document]:
    return list(stateful_set["spec"].get("volumeClaimTemplates") or ())


def claims_of(stateful_set: Document, pod: Document) -> list[Document]:
    """The claims of the pod's ordinal as they are created; they carry the set's matchLabels."""
    selected = (stateful_set["spec"].get("selector") or {}).get("matchLabels") or {}
    found = []
    for template in claim_templates(stateful_set):
        meta = template.get("metadata") or {}
        named = {**meta, "name": claim_name(template, stateful_set, ordinal_of(pod))}
        if labels := {**(meta.get("labels") or {}), **selected}:
            named["labels"] = labels
        found.append({**template, "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": named})
    return found


def identity_matches(stateful_set: Document, pod: Document) -> bool:
    meta = pod["metadata"]
    parent, ordinal = parent_and_ordinal(meta["name"])
    name = f"{stateful_set['metadata']['name']}-{ordinal}"
    known = ordinal >= 0 and parent == stateful_set["metadata"]["name"] and meta["name"] == name
    return known and (meta.get("labels") or {}).get(POD_NAME) == meta["name"]


def storage_matches(stateful_set: Document, pod: Document) -> bool:
    """Whether the pod mounts the claims of its ordinal."""
    ordinal = ordinal_of(pod)
    if ordinal < 0:
        return False
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
    for template in claim_templates(stateful_set):
        claim = volumes.get(template_name(template), {}).get("persistentVolumeClaim") or {}
        if claim.get("claimName") != claim_name(template, stateful_set, ordinal):
            return False
    return True


def with_identity(stateful_set: Document, pod: Document, minor: int) -> Document:
    """The pod with the labels of its ordinal (updateIdentity)."""
    ordinal = ordinal_of(pod)
    name = f"{stateful_set['metadata']['name']}-{ordinal}"
    labels = {**(pod["metadata"].get("labels") or {}), POD_NAME: name}
    if minor >= INDEX_SINCE:
        labels[POD_INDEX] = str(ordinal)
    return {**pod, "metadata": {**pod["metadata"], "name": name, "labels": labels}}


def with_storage(stateful_set: Document, pod: Document) -> Document:
    """The pod with its claims as volumes, in the place of volumes of the same names (updateStorage)."""
    templates = claim_templates(stateful_set)
    names = set(map(template_name, templates))
    claimed = [_volume(template, stateful_set, ordinal_of(pod)) for template in templates]
    others = [volume for volume in pod["spec"].get("volumes") or () if volume["name"] not in names]
    return {**pod, "spec": {**pod["spec"], "volumes": [*claimed, *others]}} if claimed or others else pod


def _volume(template: Document, stateful_set: Document, ordinal: int) -> Document:
    claim = {"claimName": claim_name(template, stateful_set, ordinal)}
    return {"name": template_name(template), "persistentVolumeClaim": claim}


def new_pod(stateful_set: Document, template: Document, revision: str, ordinal: int, minor: int) -> Document:
    """The pod of an ordinal as it is created; one without status.phase is not created yet."""
    name = f"{stateful_set['metadata']['name']}-{ordinal}"
    reference = controller_reference(stateful_set, KIND)
    made = pod_from_template(template, stateful_set["metadata"]["name"], reference)
    meta = {**made["metadata"], "name": name, "namespace": stateful_set["metadata"]["namespace"]}
    spec = {**made["spec"], "hostname": name}
    if service := stateful_set["spec"].get("serviceName"):
        spec["subdomain"] = service
    pod = with_identity(stateful_set, {**made, "metadata": meta, "spec": spec}, minor)
    pod["metadata"]["labels"][LABEL] = revision
    return with_storage(stateful_set, pod)

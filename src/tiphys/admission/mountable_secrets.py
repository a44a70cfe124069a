"""Which secrets a pod refers to, and whether it may (kubernetes `plugin/pkg/admission/serviceaccount`,
`pkg/api/pod` VisitPodSecretNames)."""

from __future__ import annotations

from collections.abc import Iterator

from tiphys.base.document import Document
from tiphys.resource.pod_references import VOLUME_SECRETS

_CONTAINERS = (
    ("initContainers", "init container"),
    ("containers", "container"),
    ("ephemeralContainers", "ephemeral container"),
)


def mirror_pod_complaint(spec: Document) -> str:
    """A mirror pod stands for one the node runs by itself, and so may refer to nothing of the API; empty if fine."""
    if spec.get("serviceAccountName"):
        return "a mirror pod may not reference service accounts"
    if spec.get("imagePullSecrets") or any(_container_secrets(spec)) or any(_volume_secrets(spec)):
        return "a mirror pod may not reference secrets"
    if any("serviceAccountToken" in source for source in _projections(spec)):
        return "a mirror pod may not use ServiceAccountToken volume projections"
    return ""


def reference_complaint(spec: Document, account: Document) -> str:
    """The first secret referred to that the account does not list, in upstream's order; empty if there is none."""
    listed = {each.get("name") for each in account.get("secrets") or ()}
    name = account["metadata"]["name"]
    suffix = f"is not allowed because service account {name} does not reference that"
    for volume in spec.get("volumes") or ():
        secret = (volume.get("secret") or {}).get("secretName")
        if volume.get("secret") and secret not in listed:
            return f'volume with secret.secretName="{secret or ""}" {suffix} secret'
    for where, secret in _container_secrets(spec):
        if secret not in listed:
            return f'{where} referencing secret.secretName="{secret}" {suffix} secret'
    pulling = {each.get("name") for each in account.get("imagePullSecrets") or ()}
    for index, each in enumerate(spec.get("imagePullSecrets") or ()):
        if each.get("name") not in pulling:
            return f'imagePullSecrets[{index}].name="{each.get("name", "")}" {suffix} imagePullSecret'
    return ""


def _container_secrets(spec: Document) -> Iterator[tuple[str, str]]:
    """(where, secret) of every environment variable that comes from a secret."""
    for key, called in _CONTAINERS:
        for container in spec.get(key) or ():
            where = f"{called} {container.get('name', '')}"
            for variable in container.get("env") or ():
                reference = (variable.get("valueFrom") or {}).get("secretKeyRef")
                if reference:
                    yield f"{where} with envVar {variable.get('name', '')}", reference.get("name", "")
            for source in container.get("envFrom") or ():
                if source.get("secretRef"):
                    yield f"{where} with envFrom", source["secretRef"].get("name", "")


def _volume_secrets(spec: Document) -> Iterator[object]:
    for volume in spec.get("volumes") or ():
        for source, field in VOLUME_SECRETS:
            if (volume.get(source) or {}).get(field):
                yield volume[source][field]
    for projection in _projections(spec):
        if projection.get("secret"):
            yield projection["secret"]


def _projections(spec: Document) -> Iterator[Document]:
    for volume in spec.get("volumes") or ():
        yield from (volume.get("projected") or {}).get("sources") or ()

"""What a pod refers to by name in its own namespace (kubernetes `pkg/api/v1/pod/util.go`)."""

from __future__ import annotations

from collections.abc import Iterator

from tiphys.base.document import Document

_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
VOLUME_SECRETS = (
    ("azureFile", "secretName"), ("secret", "secretName"), ("cephfs", "secretRef"), ("cinder", "secretRef"),
    ("csi", "nodePublishSecretRef"), ("flexVolume", "secretRef"), ("iscsi", "secretRef"), ("rbd", "secretRef"),
    ("scaleIO", "secretRef"), ("storageos", "secretRef"),
)  # fmt: skip
"""Volume sources, and the field of theirs that refers to a secret."""


def secret_names(pod: Document) -> set[str]:
    """Secrets its images are pulled with, its variables and its volumes come from."""
    spec = pod.get("spec") or {}
    found = {each.get("name") for each in spec.get("imagePullSecrets") or ()}
    found.update(_of_containers(spec, "secretKeyRef", "secretRef"))
    for volume in spec.get("volumes") or ():
        for source, field in VOLUME_SECRETS:
            value = (volume.get(source) or {}).get(field)
            found.add(value.get("name") if isinstance(value, dict) else value)
    found.update(_projected(spec, "secret"))
    return _strings(found)


def config_map_names(pod: Document) -> set[str]:
    """ConfigMaps its variables and its volumes come from."""
    spec = pod.get("spec") or {}
    found = set(_of_containers(spec, "configMapKeyRef", "configMapRef"))
    found.update((volume.get("configMap") or {}).get("name") for volume in spec.get("volumes") or ())
    found.update(_projected(spec, "configMap"))
    return _strings(found)


def volume_claim_names(pod: Document) -> set[str]:
    """Claims it mounts, those made for its ephemeral volumes among them."""
    name, found = pod["metadata"].get("name") or "", set()
    for volume in (pod.get("spec") or {}).get("volumes") or ():
        if volume.get("persistentVolumeClaim"):
            found.add(volume["persistentVolumeClaim"].get("claimName"))
        elif volume.get("ephemeral") is not None:
            found.add(f"{name}-{volume.get('name')}")
    return _strings(found)


def resource_claim_names(pod: Document) -> set[str]:
    """Claims of devices, by name or made from a template."""
    found = {each.get("resourceClaimName") for each in (pod.get("spec") or {}).get("resourceClaims") or ()}
    made = (pod.get("status") or {}).get("resourceClaimStatuses") or ()
    return _strings(found | {each.get("resourceClaimName") for each in made})


def _of_containers(spec: Document, key_reference: str, whole_reference: str) -> Iterator[str | None]:
    for container in (container for key in _CONTAINERS for container in spec.get(key) or ()):
        for variable in container.get("env") or ():
            yield ((variable.get("valueFrom") or {}).get(key_reference) or {}).get("name")
        for source in container.get("envFrom") or ():
            yield (source.get(whole_reference) or {}).get("name")


def _projected(spec: Document, source: str) -> Iterator[str | None]:
    for volume in spec.get("volumes") or ():
        for each in (volume.get("projected") or {}).get("sources") or ():
            yield (each.get(source) or {}).get("name")


def _strings(found: set[str | None]) -> set[str]:
    return {name for name in found if name}

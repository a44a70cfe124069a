"""A pod's volumes: each has a name and exactly one source (ValidateVolumes, validateVolumeSource)."""

from __future__ import annotations

from typing import Any

from tiphys.base.document import Document
from tiphys.base.field_error import duplicate, forbidden_field, invalid_value, required, unsupported
from tiphys.base.name_rules import dns1123_subdomain
from tiphys.base.quantity import parse
from tiphys.kinds.shapes.field_checks import Errors, dns_label
from tiphys.kinds.shapes.pod_rules import PodRules
from tiphys.kinds.shapes.projected_volume_validation import (
    validate_config_map,
    validate_downward_api,
    validate_projected,
    validate_secret,
)
from tiphys.kinds.shapes.storage_volume_validation import STORAGE_SOURCES, TWO_TYPES_PATH

ONLY_ONE = "may not specify more than 1 volume type"
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_ORDER = (
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "flocker",
    "persistentVolumeClaim",
    "rbd",
    "cinder",
    "cephfs",
    "quobyte",
    "downwardAPI",
    "fc",
    "flexVolume",
    "configMap",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "storageos",
    "projected",
    "scaleIO",
    "csi",
    "ephemeral",
    "image",
)
"""Upstream looks for the sources in this order, after emptyDir: the first one found is the one that counts."""


def validate_volumes(
    volumes: list[Document], metadata: Document | None, path: str, rules: PodRules, errors: Errors
) -> dict[str, Document]:
    """The sound volumes by name. `metadata` is the Pod's: its name is part of the claims it makes."""
    pod = (metadata or {}).get("name") or ""
    made = {f"{pod}-{v.get('name')}" for v in volumes if v.get("ephemeral") is not None} if pod else set()
    sound: dict[str, Document] = {}
    for index, volume in enumerate(volumes):
        here = f"{path}[{index}]"
        found: Errors = []
        _volume(volume, here, pod, rules, sound, found)
        if not found:
            sound[volume["name"]] = volume
        errors.extend(found)
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if claim in made:
            words = "must not reference a PVC that gets created for an ephemeral volume"
            errors.append(invalid_value(f"{here}.persistentVolumeClaim.claimName", claim, words))
    return sound


def _volume(
    volume: Document, path: str, pod: str, rules: PodRules, sound: dict[str, Document], errors: Errors
) -> None:
    name = volume.get("name") or ""
    _one_source(volume, path, pod, rules, errors)
    if name:
        dns_label(name, f"{path}.name", errors)
    else:
        errors.append(required(f"{path}.name"))
    if name in sound:
        errors.append(duplicate(f"{path}.name", name))


def _one_source(volume: Document, path: str, pod: str, rules: PodRules, errors: Errors) -> None:
    taken = volume.get("emptyDir") is not None
    if taken:
        _empty_dir(volume["emptyDir"], path, errors)
    for source in _ORDER:
        value = volume.get(source)
        if value is None:
            continue
        if taken:
            errors.append(forbidden_field(f"{path}.{TWO_TYPES_PATH.get(source, source)}", ONLY_ONE))
        else:
            _source(source, value, volume, path, pod, rules, errors)
        taken = True
    if not taken:
        errors.append(required(path, "must specify a volume type"))


def _source(
    source: str, value: Document, volume: Document, path: str, pod: str, rules: PodRules, errors: Errors
) -> None:
    if source == "configMap":
        validate_config_map(value, f"{path}.configMap", errors)
    elif source == "secret":
        validate_secret(value, f"{path}.secret", errors)
    elif source == "projected":
        validate_projected(value, f"{path}.projected", errors)
    elif source == "downwardAPI":
        validate_downward_api(value, f"{path}.downwardAPI", errors)
    elif source == "ephemeral":
        _ephemeral(value, volume.get("name") or "", path, pod, errors)
    elif source == "image":
        _image(value, f"{path}.image", rules, errors)
    else:
        STORAGE_SOURCES[source](value, f"{path}.{source}", volume.get("name") or "", errors)


def _empty_dir(source: Document, path: str, errors: Errors) -> None:
    limit: Any = source.get("sizeLimit")
    if limit is None:
        return
    try:
        negative = parse(limit).sign < 0
    except ValueError:
        negative = False  # the type check has refused it already
    if negative:
        words = "SizeLimit field must be a valid resource quantity"
        errors.append(forbidden_field(f"{path}.emptyDir.sizeLimit", words))


def _ephemeral(source: Document, volume: str, path: str, pod: str, errors: Errors) -> None:
    template = source.get("volumeClaimTemplate")
    if template is None:
        errors.append(required(f"{path}.ephemeral.volumeClaimTemplate"))
    if pod and volume:
        claim = f"{pod}-{volume}"
        for words in dns1123_subdomain(claim):
            errors.append(invalid_value(f"{path}.name", volume, f'PVC name "{claim}": {words}'))


def _image(source: Document, path: str, rules: PodRules, errors: Errors) -> None:
    if rules.is_pod and not source.get("reference"):
        errors.append(required(f"{path}.reference"))
    policy = source.get("pullPolicy") or ""
    if not policy:
        errors.append(required(f"{path}.pullPolicy"))
    elif policy not in PULL_POLICIES:
        errors.append(unsupported(f"{path}.pullPolicy", policy, PULL_POLICIES))

"""Volumes that some storage provides, each with its few rules; most of them are data.

From the validate…VolumeSource functions of pkg/apis/core/validation. A rule gets the source, its path and the
volume's name.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tiphys.base.document import Document
from tiphys.base.field_error import invalid_value, required, too_long, unsupported
from tiphys.base.name_rules import in_range
from tiphys.kinds.shapes.field_checks import Errors
from tiphys.kinds.shapes.file_path_validation import descending, no_backsteps

Rule = Callable[[Document, str, str, Errors], None]

TWO_TYPES_PATH = {"cephfs": "cephFS", "downwardAPI": "downwarAPI"}
"""Where upstream misspells a source when it is the second one of a volume."""

HOST_PATH_TYPES = (
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)
_QUALIFIED = {
    "iqn": re.compile(r"iqn\.\d{4}-\d{2}\.([0-9A-Za-z\-.]+)(:[^,;*&$|\s]+)"),
    "eui": re.compile("eui.[0-9A-Za-z]{16}"),
    "naa": re.compile("naa.[0-9A-Za-z]{32}"),
}
_CSI_DRIVER = re.compile("[a-z0-9]([-a-z0-9.]*[a-z0-9])?", re.IGNORECASE)


def _needs(*fields: str) -> Rule:
    """The fields must be there and not empty."""

    def check(source: Document, path: str, volume: str, errors: Errors) -> None:
        errors.extend(required(f"{path}.{field}") for field in fields if not source.get(field))

    return check


def _host_path(source: Document, path: str, volume: str, errors: Errors) -> None:
    if not source.get("path"):
        errors.append(required(f"{path}.path"))
        return
    no_backsteps(source["path"], f"{path}.path", errors)
    kind = source.get("type")
    if kind is not None and kind not in HOST_PATH_TYPES:
        errors.append(unsupported(f"{path}.type", kind, HOST_PATH_TYPES))


def _git_repo(source: Document, path: str, volume: str, errors: Errors) -> None:
    _needs("repository")(source, path, volume, errors)
    descending(source.get("directory") or "", f"{path}.directory", errors)


def _nfs(source: Document, path: str, volume: str, errors: Errors) -> None:
    _needs("server", "path")(source, path, volume, errors)
    if not (source.get("path") or "").startswith("/"):
        errors.append(invalid_value(f"{path}.path", source.get("path") or "", "must be an absolute path"))


def _disk(identity: str, name: str | None = None) -> Rule:
    """A cloud disk; upstream calls GCE's `persistentDisk` in its paths."""

    def check(source: Document, path: str, volume: str, errors: Errors) -> None:
        here = f"{path.rpartition('.')[0]}.{name}" if name else path
        _needs(identity)(source, here, volume, errors)
        partition = source.get("partition") or 0
        if not 0 <= partition <= 255:
            errors.append(invalid_value(f"{here}.partition", partition, in_range(1, 255)))

    return check


def _iscsi(source: Document, path: str, volume: str, errors: Errors) -> None:
    portal = source.get("targetPortal") or ""
    if not portal:
        errors.append(required(f"{path}.targetPortal"))
    if not source.get("iqn"):
        errors.append(required(f"{path}.iqn"))
    else:
        _initiator(source["iqn"], f"{path}.iqn", errors)
    lun = source.get("lun") or 0
    if not 0 <= lun <= 255:
        errors.append(invalid_value(f"{path}.lun", lun, in_range(0, 255)))
    if (source.get("chapAuthDiscovery") or source.get("chapAuthSession")) and source.get("secretRef") is None:
        errors.append(required(f"{path}.secretRef"))
    if source.get("initiatorName") is not None:
        _initiator(source["initiatorName"], f"{path}.initiatorname", errors)
        if len(f"{volume}:{portal}") > 64:
            words = (
                "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters "
                "if iscsi.initiatorName is specified."
            )
            errors.append(invalid_value(f"{path.rpartition('.')[0]}.name", volume, words))


def _initiator(name: str, path: str, errors: Errors) -> None:
    pattern = _QUALIFIED.get(name[:3])
    if pattern is None:
        errors.append(invalid_value(path, name, "must be valid format starting with iqn, eui, or naa"))
    elif not pattern.fullmatch(name):
        errors.append(invalid_value(path, name, "must be valid format"))


def _fibre_channel(source: Document, path: str, volume: str, errors: Errors) -> None:
    targets, ids, lun = source.get("targetWWNs"), source.get("wwids"), source.get("lun")
    if not targets and not ids:
        errors.append(required(f"{path}.targetWWNs", "must specify either targetWWNs or wwids, but not both"))
    if targets and ids:
        words = "targetWWNs and wwids can not be specified simultaneously"
        errors.append(invalid_value(f"{path}.targetWWNs", targets, words))
    if targets and lun is None:
        errors.append(required(f"{path}.lun", "lun is required if targetWWNs is specified"))
    elif targets and lun is not None and not 0 <= lun <= 255:
        errors.append(invalid_value(f"{path}.lun", lun, in_range(0, 255)))


def _flocker(source: Document, path: str, volume: str, errors: Errors) -> None:
    name, identity = source.get("datasetName") or "", source.get("datasetUUID")
    if not name and not identity:
        errors.append(required(path, "one of datasetName and datasetUUID is required"))
    if name and identity:
        words = "datasetName and datasetUUID can not be specified simultaneously"
        errors.append(invalid_value(path, "resource", words))
    if "/" in name:
        errors.append(invalid_value(f"{path}.datasetName", name, "must not contain '/'"))


def _cinder(source: Document, path: str, volume: str, errors: Errors) -> None:
    _needs("volumeID")(source, path, volume, errors)
    if (secret := source.get("secretRef")) is not None and not secret.get("name"):
        errors.append(required(f"{path}.secretRef.name"))


def _quobyte(source: Document, path: str, volume: str, errors: Errors) -> None:
    pairs = "must be a host:port pair or multiple pairs separated by commas"
    registry = source.get("registry") or ""
    if not registry:
        errors.append(required(f"{path}.registry", pairs))
    elif len(source.get("tenant") or "") >= 65:
        words = "must be a UUID and may not exceed a length of 64 characters"
        errors.append(required(f"{path}.tenant", words))
    else:
        wrong = [pair for pair in registry.split(",") if not re.fullmatch(r"(\[.*\]|[^:\[\]]*):[^:]*", pair)]
        errors.extend(invalid_value(f"{path}.registry", registry, pairs) for _ in wrong)
    _needs("volume")(source, path, volume, errors)


def _flex(source: Document, path: str, volume: str, errors: Errors) -> None:
    _needs("driver")(source, path, volume, errors)
    for key in source.get("options") or ():
        domain = "." + key.partition("/")[0].lower()
        if domain.endswith((".kubernetes.io", ".k8s.io")):
            words = "kubernetes.io and k8s.io namespaces are reserved"
            errors.append(invalid_value(f"{path}.options[{key}]", key, words))


def _azure_disk(source: Document, path: str, volume: str, errors: Errors) -> None:
    _needs("diskName", "diskURI")(source, path, volume, errors)
    for field, choices in (
        ("cachingMode", ("None", "ReadOnly", "ReadWrite")),
        ("kind", ("Dedicated", "Managed", "Shared")),
    ):
        if source.get(field) is not None and source[field] not in choices:
            errors.append(unsupported(f"{path}.{field}", source[field], choices))
    kind, uri = source.get("kind"), source.get("diskURI") or ""
    managed = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
    blob = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"
    if kind == "Managed" and not uri.startswith("/subscriptions/"):
        errors.append(unsupported(f"{path}.diskURI", uri, [managed]))
    if kind is not None and kind != "Managed" and not uri.startswith("https://"):
        errors.append(unsupported(f"{path}.diskURI", uri, [blob]))


def _storage_os(source: Document, path: str, volume: str, errors: Errors) -> None:
    _needs("volumeName")(source, path, volume, errors)
    if (secret := source.get("secretRef")) is not None and not secret.get("name"):
        errors.append(required(f"{path}.secretRef.name"))


def _csi(source: Document, path: str, volume: str, errors: Errors) -> None:
    driver = source.get("driver") or ""
    if not driver:
        errors.append(required(f"{path}.driver"))
    elif len(driver) > 63:
        errors.append(too_long(f"{path}.driver", driver, 63))
    elif not _CSI_DRIVER.fullmatch(driver):
        errors.append(invalid_value(f"{path}.driver", driver, _CSI_WORDS))
    if (secret := source.get("nodePublishSecretRef")) is not None and not secret.get("name"):
        errors.append(required(f"{path}.nodePublishSecretRef.name"))


_CSI_WORDS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)

STORAGE_SOURCES: dict[str, Rule] = {
    "hostPath": _host_path,
    "gitRepo": _git_repo,
    "gcePersistentDisk": _disk("pdName", "persistentDisk"),
    "awsElasticBlockStore": _disk("volumeID"),
    "nfs": _nfs,
    "iscsi": _iscsi,
    "glusterfs": _needs("endpoints", "path"),
    "flocker": _flocker,
    "persistentVolumeClaim": _needs("claimName"),
    "rbd": _needs("monitors", "image"),
    "cinder": _cinder,
    "cephfs": _needs("monitors"),
    "quobyte": _quobyte,
    "fc": _fibre_channel,
    "flexVolume": _flex,
    "azureFile": _needs("secretName", "shareName"),
    "vsphereVolume": _needs("volumePath"),
    "photonPersistentDisk": _needs("pdID"),
    "portworxVolume": _needs("volumeID"),
    "azureDisk": _azure_disk,
    "storageos": _storage_os,
    "scaleIO": _needs("gateway", "system", "volumeName"),
    "csi": _csi,
}

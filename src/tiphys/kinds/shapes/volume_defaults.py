"""Defaults of volumes (SetDefaults_Volume and the functions of each source in pkg/apis/core/v1/defaults.go)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tiphys.base.document import Document
from tiphys.kinds.shapes.image_reference import default_pull_policy
from tiphys.kinds.shapes.part import part

FILE_MODE = 0o644
TOKEN_SECONDS = 3600


def default_volume(volume: Document) -> None:
    """A volume that names no source is an empty directory; each source has its own defaults."""
    named = False
    for source, value in volume.items():
        if source == "name" or value is None:
            continue
        named = True
        if fill := _SOURCES.get(source):
            fill(value)
    if not named:
        volume["emptyDir"] = {}


def default_object_field(reference: Document) -> None:
    """The downward API speaks of v1 unless said."""
    if not reference.get("apiVersion"):
        reference["apiVersion"] = "v1"


def _filler(**values: Any) -> Callable[[Document], None]:
    """Fills in what is missing or empty."""

    def fill(source: Document) -> None:
        for name, value in values.items():
            if source.get(name) in (None, ""):
                source[name] = value

    return fill


def _file_mode(source: Document) -> None:
    if source.get("defaultMode") is None:
        source["defaultMode"] = FILE_MODE


def _downward(source: Document) -> None:
    _file_mode(source)
    _downward_items(source)


def _downward_items(source: Document) -> None:
    for item in source.get("items") or ():
        if item.get("fieldRef") is not None:
            default_object_field(item["fieldRef"])


def _projected(source: Document) -> None:
    _file_mode(source)
    for projection in source.get("sources") or ():
        _downward_items(projection.get("downwardAPI") or {})
        token = projection.get("serviceAccountToken")
        if token is not None and token.get("expirationSeconds") is None:
            token["expirationSeconds"] = TOKEN_SECONDS


def _ephemeral(source: Document) -> None:
    template = source.get("volumeClaimTemplate")
    if template is not None:
        default_claim_spec(part(template, "spec"))


def default_claim_spec(spec: Document) -> None:
    """SetDefaults_PersistentVolumeClaimSpec."""
    if spec.get("volumeMode") is None:
        spec["volumeMode"] = "Filesystem"
    if spec.get("resources") is None:
        spec["resources"] = {}


def _host_path(source: Document) -> None:
    if source.get("type") is None:
        source["type"] = ""


def _image(source: Document) -> None:
    if not source.get("pullPolicy"):
        source["pullPolicy"] = default_pull_policy(source.get("reference") or "")


_SOURCES: dict[str, Callable[[Document], None]] = {
    "secret": _file_mode,
    "configMap": _file_mode,
    "downwardAPI": _downward,
    "projected": _projected,
    "ephemeral": _ephemeral,
    "image": _image,
    "hostPath": _host_path,
    "iscsi": _filler(iscsiInterface="default"),
    "rbd": _filler(pool="rbd", user="admin", keyring="/etc/ceph/keyring"),
    "scaleIO": _filler(storageMode="ThinProvisioned", fsType="xfs"),
    "azureDisk": _filler(cachingMode="ReadWrite", kind="Shared", fsType="ext4", readOnly=False),
}

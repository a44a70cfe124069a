"""Volumes whose files the cluster writes: ConfigMap, Secret, downward API, and all of them projected together."""

from __future__ import annotations

from typing import Any

from tiphys.base.document import Document
from tiphys.base.field_error import forbidden_field, invalid_value, required
from tiphys.kinds.shapes.downward_api_validation import VOLUME_FIELDS, validate_field, validate_resource_field
from tiphys.kinds.shapes.field_checks import Errors
from tiphys.kinds.shapes.file_path_validation import descending_not_reserved, file_mode
from tiphys.kinds.shapes.label_selector_validation import label_selector

CONFLICT = "conflicting duplicate paths"


def validate_config_map(source: Document, path: str, errors: Errors) -> None:
    _keyed(source, "name", path, errors)


def validate_secret(source: Document, path: str, errors: Errors) -> None:
    _keyed(source, "secretName", path, errors)


def _keyed(source: Document, name: str, path: str, errors: Errors) -> None:
    if not source.get(name):
        errors.append(required(f"{path}.{name}"))
    file_mode(source.get("defaultMode"), f"{path}.defaultMode", errors)
    for index, item in enumerate(source.get("items") or ()):
        _item(item, f"{path}.items[{index}]", errors)


def _item(item: Document, path: str, errors: Errors) -> None:
    """One key and the file it becomes (validateKeyToPath)."""
    for field in ("key", "path"):
        if not item.get(field):
            errors.append(required(f"{path}.{field}"))
    descending_not_reserved(item.get("path") or "", f"{path}.path", errors)
    file_mode(item.get("mode"), f"{path}.mode", errors)


def validate_downward_api(source: Document, path: str, errors: Errors) -> None:
    file_mode(source.get("defaultMode"), f"{path}.defaultMode", errors)
    for item in source.get("items") or ():
        _downward_file(item, path, errors)


def _downward_file(item: Document, path: str, errors: Errors) -> None:
    """One file of the downward API. Upstream's paths here name the volume, not the item."""
    if not item.get("path"):
        errors.append(required(f"{path}.path"))
    descending_not_reserved(item.get("path") or "", f"{path}.path", errors)
    field, resource = item.get("fieldRef"), item.get("resourceFieldRef")
    if field is not None:
        validate_field(field, VOLUME_FIELDS, f"{path}.fieldRef", errors)
        if resource is not None:
            words = "fieldRef and resourceFieldRef can not be specified simultaneously"
            errors.append(invalid_value(path, "resource", words))
    elif resource is not None:
        validate_resource_field(resource, f"{path}.resourceFieldRef", errors, in_volume=True)
    else:
        errors.append(required(path, "one of fieldRef and resourceFieldRef is required"))
    file_mode(item.get("mode"), f"{path}.mode", errors)


def validate_projected(source: Document, path: str, errors: Errors) -> None:
    """All sources share one directory, so no two may write the same file (validateProjectionSources)."""
    file_mode(source.get("defaultMode"), f"{path}.defaultMode", errors)
    files: set[Any] = set()
    for index, projection in enumerate(source.get("sources") or ()):
        here = f"{path}.sources[{index}]"
        for kind in ("secret", "configMap"):
            if (keyed := projection.get(kind)) is not None:
                _projected_keys(keyed, f"{here}.{kind}", path, files, errors)
        if (downward := projection.get("downwardAPI")) is not None:
            for item in downward.get("items") or ():
                _downward_file(item, f"{here}.downwardAPI", errors)
                _claim_file(item.get("path"), item.get("path"), path, files, errors)
        if (token := projection.get("serviceAccountToken")) is not None:
            _token(token, f"{here}.serviceAccountToken", path, errors)
        if (bundle := projection.get("clusterTrustBundle")) is not None:
            _trust_bundle(bundle, f"{here}.clusterTrustBundle", path, files, errors)
        if sum(value is not None for value in projection.values()) > 1:
            errors.append(forbidden_field(here, "may not specify more than 1 volume type per source"))


def _projected_keys(keyed: Document, path: str, volume: str, files: set[Any], errors: Errors) -> None:
    if not keyed.get("name"):
        errors.append(required(f"{path}.name"))
    for index, item in enumerate(keyed.get("items") or ()):
        _item(item, f"{path}.items[{index}]", errors)
        _claim_file(item.get("path"), keyed.get("name") or "", volume, files, errors)


def _claim_file(file: str | None, shown: Any, path: str, files: set[Any], errors: Errors) -> None:
    if file and file in files:
        errors.append(invalid_value(path, shown, CONFLICT))
    elif file:
        files.add(file)


def _token(token: Document, path: str, volume: str, errors: Errors) -> None:
    seconds = token.get("expirationSeconds") or 0
    if seconds < 600:
        words = "may not specify a duration less than 10 minutes"
        errors.append(invalid_value(f"{path}.expirationSeconds", seconds, words))
    if seconds > 2**32:
        words = "may not specify a duration larger than 2^32 seconds"
        errors.append(invalid_value(f"{path}.expirationSeconds", seconds, words))
    if not token.get("path"):
        errors.append(required(f"{volume}.path"))
    else:
        descending_not_reserved(token["path"], f"{volume}.path", errors)


def _trust_bundle(bundle: Document, path: str, volume: str, files: set[Any], errors: Errors) -> None:
    name, signer = bundle.get("name"), bundle.get("signerName")
    if name is not None and signer is not None:
        errors.append(invalid_value(path, bundle, "only one of name and signerName may be used"))
    elif name is None and signer is None:
        errors.append(required(path, "either name or signerName must be specified"))
    elif signer is not None:
        label_selector(bundle.get("labelSelector"), f"{path}.labelSelector", errors)
    elif bundle.get("labelSelector") is not None:
        words = "labelSelector must be unset if name is specified"
        errors.append(invalid_value(f"{path}.labelSelector", bundle["labelSelector"], words))
    if not bundle.get("path"):
        errors.append(required(f"{path}.path"))
    descending_not_reserved(bundle.get("path") or "", f"{path}.path", errors)
    _claim_file(bundle.get("path"), bundle.get("path"), volume, files, errors)

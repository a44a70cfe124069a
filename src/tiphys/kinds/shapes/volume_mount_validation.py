"""Where a container mounts volumes, as directories or as block devices (ValidateVolumeMounts, …Devices)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tiphys.base.document import Document
from tiphys.base.field_error import forbidden_field, invalid_value, not_found_value, required, unsupported
from tiphys.kinds.shapes.field_checks import Errors
from tiphys.kinds.shapes.file_path_validation import descending, no_backsteps

PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")
RECURSIVE = ("Disabled", "Enabled", "IfPossible")


def validate_mounts(
    mounts: list[Document],
    devices: list[Document],
    volumes: Mapping[str, Document],
    container: Document,
    path: str,
    errors: Errors,
) -> None:
    seen: set[Any] = set()
    by_name = {device.get("name"): device.get("devicePath") for device in devices}
    for index, mount in enumerate(mounts):
        here = f"{path}[{index}]"
        name, place = mount.get("name") or "", mount.get("mountPath") or ""
        if not name:
            errors.append(required(f"{here}.name"))
        if name not in volumes:
            errors.append(not_found_value(f"{here}.name", name))
        if not place:
            errors.append(required(f"{here}.mountPath"))
        if place in seen:
            errors.append(invalid_value(f"{here}.mountPath", place, "must be unique"))
        seen.add(place)
        if by_name:
            _not_a_device(name, place, by_name, here, errors)
        _sub_paths(mount, volumes.get(name), here, path, errors)
        _propagation(mount, container, path, errors)


def _not_a_device(name: str, place: str, devices: Mapping[Any, Any], path: str, errors: Errors) -> None:
    if name in devices:
        errors.append(invalid_value(f"{path}.name", name, "must not already exist in volumeDevices"))
    if place in devices.values():
        words = "must not already exist as a path in volumeDevices"
        errors.append(invalid_value(f"{path}.mountPath", place, words))


def _sub_paths(mount: Document, volume: Document | None, path: str, parent: str, errors: Errors) -> None:
    """Upstream's paths for what is wrong inside a sub-path name the list, not the mount."""
    for field in ("subPath", "subPathExpr"):
        if mount.get(field) and volume and volume.get("image") is not None:
            words = "not allowed in image volume sources"
            errors.append(invalid_value(f"{path}.{field}", mount[field], words))
    if mount.get("subPath"):
        descending(mount["subPath"], f"{parent}.subPath", errors)
    if expression := mount.get("subPathExpr"):
        if mount.get("subPath"):
            words = "subPathExpr and subPath are mutually exclusive"
            errors.append(invalid_value(f"{path}.subPathExpr", expression, words))
        descending(expression, f"{parent}.subPathExpr", errors)


def _propagation(mount: Document, container: Document, path: str, errors: Errors) -> None:
    mode = mount.get("mountPropagation")
    if mode is not None:
        if mode not in PROPAGATIONS:
            errors.append(unsupported(f"{path}.mountPropagation", mode, PROPAGATIONS))
        if mode == "Bidirectional" and not (container.get("securityContext") or {}).get("privileged"):
            words = "Bidirectional mount propagation is available only to privileged containers"
            errors.append(forbidden_field(f"{path}.mountPropagation", words))
    recursive = mount.get("recursiveReadOnly")
    if recursive is None or recursive == "Disabled":
        return
    if recursive not in RECURSIVE:
        errors.append(unsupported(f"{path}.recursiveReadOnly", recursive, RECURSIVE))
        return
    if not mount.get("readOnly"):
        errors.append(forbidden_field(f"{path}.recursiveReadOnly", "may only be specified when readOnly is true"))
    if mode not in (None, "None"):
        words = "may only be specified when mountPropagation is None or not specified"
        errors.append(forbidden_field(f"{path}.recursiveReadOnly", words))


def validate_devices(
    devices: list[Document], mounts: list[Document], volumes: Mapping[str, Document], path: str, errors: Errors
) -> None:
    names: set[Any] = set()
    places: set[Any] = set()
    mounted = {mount.get("name"): mount.get("mountPath") for mount in mounts}
    for index, device in enumerate(devices):
        here = f"{path}[{index}]"
        name, place = device.get("name") or "", device.get("devicePath") or ""
        _device_name(name, names, volumes, here, errors)
        _device_path(place, places, here, errors)
        if name in mounted:
            errors.append(invalid_value(f"{here}.name", name, "must not already exist in volumeMounts"))
        if place in mounted.values():
            words = "must not already exist as a path in volumeMounts"
            errors.append(invalid_value(f"{here}.devicePath", place, words))


def _device_name(name: str, names: set[Any], volumes: Mapping[str, Document], path: str, errors: Errors) -> None:
    if not name:
        errors.append(required(f"{path}.name"))
    if name in names:
        errors.append(invalid_value(f"{path}.name", name, "must be unique"))
    volume = volumes.get(name)
    if volume is None:
        errors.append(not_found_value(f"{path}.name", name))
    elif volume.get("persistentVolumeClaim") is None and volume.get("ephemeral") is None:
        words = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
        errors.append(invalid_value(f"{path}.name", name, words))
    if name:
        names.add(name)


def _device_path(place: str, places: set[Any], path: str, errors: Errors) -> None:
    if not place:
        errors.append(required(f"{path}.devicePath"))
    if place in places:
        errors.append(invalid_value(f"{path}.devicePath", place, "must be unique"))
    climbs: Errors = []
    no_backsteps(place, "", climbs)
    if climbs:
        errors.append(invalid_value(f"{path}.devicePath", place, "can not contain backsteps ('..')"))
    else:
        places.add(place)

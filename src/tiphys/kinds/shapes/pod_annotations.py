"""Annotations that mean something to pods: mirror pods, deletion cost, old seccomp and AppArmor profiles."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, forbidden_field, invalid_value, quoted
from tiphys.kinds.shapes.field_checks import Errors
from tiphys.kinds.shapes.file_path_validation import descending

MIRROR = "kubernetes.io/config.mirror"
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"

_COST = re.compile("[-+]?[0-9]{1,12}")
_LOCALHOST = "localhost/"
_SECCOMP_MATCH = {"Unconfined": ("unconfined",), "RuntimeDefault": ("runtime/default", "docker/default")}
_APP_ARMOR_MATCH = {"Unconfined": ("unconfined",), "RuntimeDefault": ("runtime/default",)}


def pod_annotations(annotations: Mapping[str, str], spec: Document, path: str, errors: Errors) -> None:
    """ValidatePodSpecificAnnotations."""
    if MIRROR in annotations and not spec.get("nodeName"):
        words = "must set spec.nodeName if mirror pod annotation is set"
        errors.append(invalid_value(f"{path}[{MIRROR}]", annotations[MIRROR], words))
    cost = annotations.get(DELETION_COST)
    if cost is not None and not _is_cost(cost):
        errors.append(invalid_value(f"{path}[{DELETION_COST}]", cost, "must be a 32bit integer"))
    for key, value in annotations.items():
        if key == SECCOMP_POD or key.startswith(SECCOMP_CONTAINER):
            _seccomp(value, f"{path}.{key}", errors)
        elif key.startswith(APP_ARMOR):
            _app_armor(key, value, spec, f"{path}[{key}]", errors)


def _is_cost(text: str) -> bool:
    """A number without a plus sign or leading zeros, in 32 bits."""
    if not _COST.fullmatch(text) or text.startswith("+") or (text[:1] == "0" and text != "0"):
        return False
    return -(2**31) <= int(text) < 2**31


def _seccomp(profile: str, path: str, errors: Errors) -> None:
    if profile in ("runtime/default", "docker/default", "unconfined"):
        return
    if profile.startswith(_LOCALHOST):
        descending(profile.removeprefix(_LOCALHOST), path, errors)
    else:
        errors.append(invalid_value(path, profile, "must be a valid seccomp profile"))


def _app_armor(key: str, profile: str, spec: Document, path: str, errors: Errors) -> None:
    name = key.removeprefix(APP_ARMOR)
    if all(container.get("name") != name for container, _ in _containers(spec)):
        errors.append(invalid_value(path, name, "container not found"))
    if profile not in ("", "runtime/default", "unconfined") and not profile.startswith(_LOCALHOST):
        words = f"invalid AppArmor profile name: {quoted(profile)}"
        errors.append(invalid_value(path, profile, words))


def _containers(spec: Document) -> Iterator[tuple[Document, str]]:
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(field) or ()):
            yield container, f"{field}[{index}]"


def annotation_updates(new: Mapping[str, str], old: Mapping[str, str], path: str, errors: Errors) -> None:
    """Some annotations stay as the pod was made with (ValidatePodSpecificAnnotationUpdates)."""
    for key in sorted(old.keys() | new.keys()):
        if new.get(key) == old.get(key) and (key in new) == (key in old):
            continue
        verb = "remove or update" if key in old else "add"
        if key.startswith(APP_ARMOR):
            errors.append(forbidden_field(f"{path}[{key}]", f"may not {verb} AppArmor annotations"))
        if key == MIRROR:
            errors.append(forbidden_field(f"{path}[{key}]", f"may not {verb} mirror pod annotation"))


def profiles_match_annotations(metadata: Document, spec: Document, path: str, errors: Errors) -> None:
    """A profile given both as field and as old annotation must be the same one."""
    annotations: Mapping[str, str] = metadata.get("annotations") or {}
    if not annotations:
        return
    own = spec.get("securityContext") or {}
    if own.get("seccompProfile") and SECCOMP_POD in annotations:
        here = f"{path}.securityContext.seccompProfile"
        _compare("seccomp", annotations[SECCOMP_POD], own["seccompProfile"], _SECCOMP_MATCH, here, errors)
    for container, place in _containers(spec):
        security, here = container.get("securityContext") or {}, f"{path}.{place}.securityContext"
        key = SECCOMP_CONTAINER + (container.get("name") or "")
        if security.get("seccompProfile") and key in annotations:
            there = f"{here}.seccompProfile"
            _compare("seccomp", annotations[key], security["seccompProfile"], _SECCOMP_MATCH, there, errors)
    for container, place in _containers(spec):
        profile = (container.get("securityContext") or {}).get("appArmorProfile") or own.get("appArmorProfile")
        key = APP_ARMOR + (container.get("name") or "")
        if profile and key in annotations and (spec.get("os") or {}).get("name") != "windows":
            there = f"{path}.{place}.securityContext.appArmorProfile"
            _compare("apparmor", annotations[key], profile, _APP_ARMOR_MATCH, there, errors)


def _compare(
    what: str, annotation: str, profile: Document, known: Mapping[str, tuple[str, ...]], path: str, errors: Errors
) -> None:
    if error := _mismatch(what, annotation, profile, known, path):
        errors.append(error)


def _mismatch(
    what: str, annotation: str, profile: Document, known: Mapping[str, tuple[str, ...]], path: str
) -> FieldError | None:
    kind = profile.get("type")
    wrong_type = forbidden_field(f"{path}.type", f"{what} type in annotation and field must match")
    if isinstance(kind, str) and kind in known:
        return None if annotation in known[kind] else wrong_type
    if kind != "Localhost":
        return None
    if not annotation.startswith(_LOCALHOST):
        return wrong_type
    if annotation.removeprefix(_LOCALHOST) == profile.get("localhostProfile"):
        return None
    return forbidden_field(f"{path}.localhostProfile", f"{what} profile in annotation and field must match")

"""What holds for the metadata of every kind (apimachinery `validation/objectmeta.go`, apiserver `rest/meta.go`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tiphys.api.options import field_manager_errors
from tiphys.base import name_rules
from tiphys.base.document import Document
from tiphys.base.field_error import (
    FieldError,
    forbidden_field,
    invalid_value,
    quoted,
    required,
    too_long,
    unsupported,
)
from tiphys.base.status import bad_request

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
IMMUTABLE = "field is immutable"
_LARGEST_ANNOTATIONS = 256 * 1024
_SYSTEM_FIELDS = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink")
_DROPPED_WHEN_EMPTY = ("labels", "annotations", "ownerReferences", "finalizers", "name", "namespace", "generateName")
_NEGATIVE = "must be greater than or equal to 0"
NameErrors = Callable[[str, bool], Sequence[str]]
default_name_errors: NameErrors = name_rules.as_name(name_rules.dns1123_subdomain)
_namespace_errors = name_rules.as_name(name_rules.dns1123_label)


def normalize(metadata: Document) -> None:
    """Drop what Go's encoding would: empty maps, lists and strings. managedFields are not kept either (yet)."""
    metadata.pop("managedFields", None)
    for name in _DROPPED_WHEN_EMPTY:
        if name in metadata and not metadata[name]:
            del metadata[name]


def wipe_system_fields(metadata: Document) -> None:
    """rest.WipeObjectMetaSystemFields: what a client sends of these on a create counts for nothing."""
    for name in _SYSTEM_FIELDS:
        metadata.pop(name, None)


def match_namespace(metadata: Document, expected: str) -> None:
    """rest.EnsureObjectNamespaceMatchesRequestNamespace; `expected` is empty for cluster-scoped kinds."""
    given = metadata.get("namespace") or ""
    if given == expected:
        return
    if given and expected:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    if expected:
        metadata["namespace"] = expected
    else:
        del metadata["namespace"]


def match_name(metadata: Document, name: str) -> None:
    """handlers.checkName, for writes to a path with a name."""
    given = metadata.get("name") or ""
    if not given:
        raise bad_request(f"the name of the object ({name} based on URL) was undeterminable: name must be provided")
    if given != name:
        raise bad_request(f"the name of the object ({given}) does not match the name on the URL ({name})")


def dedup_owner_references(metadata: Document) -> list[str]:
    """Leave out repeated references and return their uids (handlers.dedupOwnerReferences)."""
    references = metadata.get("ownerReferences")
    if not references or len(references) == 1:
        return []
    kept: dict[frozenset[tuple[str, Any]], Document] = {}
    dropped: list[str] = []
    for reference in references:
        identity = frozenset(reference.items())
        if identity in kept:
            dropped.append(reference.get("uid", ""))
        else:
            kept[identity] = reference
    if dropped:
        metadata["ownerReferences"] = list(kept.values())
    return dropped


def validate(metadata: Document, namespaced: bool, name_errors: NameErrors | None) -> list[FieldError]:
    """ValidateObjectMeta: all there is to say against the metadata of a new object."""
    return validate_names(metadata, namespaced, name_errors) + _validate_rest(metadata)


def validate_names(metadata: Document, namespaced: bool, name_errors: NameErrors | None) -> list[FieldError]:
    errors: list[FieldError] = []
    rule = name_errors or default_name_errors
    prefix, name = metadata.get("generateName") or "", metadata.get("name") or ""
    if prefix:
        errors += [invalid_value("metadata.generateName", prefix, text) for text in rule(prefix, True)]
    if not name:
        errors.append(required("metadata.name", "name or generateName is required"))
    else:
        errors += [invalid_value("metadata.name", name, text) for text in rule(name, False)]
    return errors + _validate_namespace(metadata.get("namespace") or "", namespaced)


def _validate_namespace(namespace: str, namespaced: bool) -> list[FieldError]:
    if not namespaced:
        return [forbidden_field("metadata.namespace", "not allowed on this type")] if namespace else []
    if not namespace:
        return [required("metadata.namespace")]
    texts = _namespace_errors(namespace, False)
    return [invalid_value("metadata.namespace", namespace, text) for text in texts]


def _validate_rest(metadata: Document) -> list[FieldError]:
    errors = _not_negative(metadata, "generation")
    if metadata.get("labels"):
        errors += validate_labels(metadata["labels"], "metadata.labels")
    if metadata.get("annotations"):
        errors += validate_annotations(metadata["annotations"], "metadata.annotations")
    if metadata.get("ownerReferences"):
        errors += validate_owner_references(metadata["ownerReferences"], "metadata.ownerReferences")
    if metadata.get("finalizers"):
        errors += validate_finalizers(metadata["finalizers"], "metadata.finalizers")
    for index, entry in enumerate(metadata.get("managedFields") or ()):
        errors += _validate_managed(entry, f"metadata.managedFields[{index}]")
    return errors


def _not_negative(metadata: Document, name: str) -> list[FieldError]:
    number = metadata.get(name) or 0
    return [invalid_value(f"metadata.{name}", number, _NEGATIVE)] if number < 0 else []


def validate_labels(labels: dict[str, str], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for key, value in sorted(labels.items()):
        errors += [invalid_value(path, key, text) for text in name_rules.label_key(key)]
        errors += [invalid_value(path, value, text) for text in name_rules.label_value(value or "")]
    return errors


def validate_annotations(annotations: dict[str, str], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    size = 0
    for key, value in sorted(annotations.items()):
        errors += [invalid_value(path, key, text) for text in name_rules.label_key(key.lower())]
        size += len(key.encode()) + len((value or "").encode())
    return errors + ([too_long(path, "", _LARGEST_ANNOTATIONS)] if size > _LARGEST_ANNOTATIONS else [])


def validate_owner_references(references: list[Document], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    controller = ""
    for index, reference in enumerate(references):
        errors += _validate_owner_reference(reference, f"{path}[{index}]")
        if not reference.get("controller"):
            continue
        name = f"{reference.get('kind', '')}/{reference.get('name', '')}"
        if controller:
            detail = (
                'Only one reference can have Controller set to true. Found "true" in references for '
                f"{controller} and {name}"
            )
            errors.append(invalid_value(path, references, detail))
        controller = controller or name
    return errors


def _validate_owner_reference(reference: Document, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    version = reference.get("apiVersion") or ""
    if not version:
        errors.append(required(f"{path}.apiVersion", "must not be empty"))
    elif version.count("/") > 1 or version.endswith("/"):
        errors.append(invalid_value(f"{path}.apiVersion", version, "must be <group>/<version> or <version>"))
    for name in ("kind", "name", "uid"):
        if not reference.get(name):
            errors.append(required(f"{path}.{name}", "must not be empty"))
    if (version, reference.get("kind")) == ("v1", "Event"):
        errors.append(invalid_value(path, reference, "/v1, Kind=Event is disallowed from being an owner"))
    return errors


def validate_finalizers(finalizers: list[str], path: str) -> list[FieldError]:
    errors = [invalid_value(path, name, text) for name in finalizers for text in name_rules.label_key(name)]
    if ORPHAN in finalizers and FOREGROUND in finalizers:
        detail = f"finalizer {ORPHAN} and {FOREGROUND} cannot be both set"
        errors.append(invalid_value(path, finalizers, detail))
    return errors


def _validate_managed(entry: Document, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    operation = entry.get("operation") or ""
    if not operation:
        errors.append(required(f"{path}.operation", "must not be empty"))
    elif operation not in ("Apply", "Update"):
        errors.append(unsupported(f"{path}.operation", operation, ("Apply", "Update")))
    if entry.get("fieldsType") not in (None, "", "FieldsV1"):
        errors.append(invalid_value(f"{path}.fieldsType", entry["fieldsType"], "must be `FieldsV1`"))
    return errors + field_manager_errors(entry.get("manager") or "", f"{path}.manager")


def validate_update(new: Document, old: Document) -> list[FieldError]:
    """ValidateObjectMetaUpdate, and `validate` but for the name's rule, which old objects need not meet."""
    errors = _no_new_finalizers(new, old) if old.get("deletionTimestamp") else []
    generation, before = new.get("generation") or 0, old.get("generation") or 0
    if generation < before:
        errors.append(invalid_value("metadata.generation", generation, "must not be decremented"))
    for name in ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"):
        errors += _immutable(new.get(name), old.get(name), f"metadata.{name}")
    return errors + _validate_rest(new)


def _immutable(new: Any, old: Any, path: str) -> list[FieldError]:
    return [] if new == old else [invalid_value(path, new, IMMUTABLE)]


def _no_new_finalizers(new: Document, old: Document) -> list[FieldError]:
    extra = sorted(set(new.get("finalizers") or ()) - set(old.get("finalizers") or ()))
    if not extra:
        return []
    shown = "[]string{" + ", ".join(map(quoted, extra)) + "}"
    detail = f"no new finalizers can be added if the object is being deleted, found new finalizers {shown}"
    return [forbidden_field("metadata.finalizers", detail)]
